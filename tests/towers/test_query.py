import numpy as np
import pytest
import tensorflow as tf

from mmrec.config.query import QueryConfig
from mmrec.towers.fusion import FUSIONS
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.query import QueryTower

STILL = QueryConfig(dropout=0.0)


@pytest.fixture(params=FUSIONS)
def tower(request):
    fusion = FUSIONS[request.param](("text", "image"), 2)
    return QueryTower(MeanHistory(fusion.output_dim, STILL), fusion)


def test_each_prefix_gets_a_unit_vector_as_wide_as_an_item(tower):
    width = 4 if "late" in type(tower._query.__self__).__name__.lower() else 2
    items = np.random.default_rng(0).normal(size=(3, 5, width)).astype(np.float32)
    vectors = tower(items)
    assert (vectors.shape, vectors.dtype) == ((3, 6, width), tf.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(tf.function(tower)(items), vectors, atol=1e-6)


def test_a_query_is_what_the_history_tower_says_when_fusion_is_early():
    history = MeanHistory(2, STILL)
    items = np.array([[[1, 0], [0, 1]]], np.float32)
    vectors = QueryTower(history, FUSIONS["sum"](("text",), 2))(items)
    np.testing.assert_allclose(history(items)[0, 2], [0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(vectors[0, 2], [0.707107, 0.707107], atol=1e-6)


def test_a_query_for_dot_products_keeps_its_length():
    history = MeanHistory(2, STILL)
    items = np.array([[[3, 0], [0, 1]]], np.float32)
    vectors = QueryTower(history, FUSIONS["concatenation"](("text",), 2), unit=False)(items)
    np.testing.assert_allclose(vectors[0, 1:], [[3, 0], [1.5, 0.5]], atol=1e-6)


def test_each_block_of_a_query_has_its_share_when_fusion_is_late():
    tower = QueryTower(MeanHistory(4, STILL), FUSIONS["late"](("text", "image"), 2))
    items = np.array([[[1, 0, 0, 0], [1, 0, 0, 0.1]]], np.float32)
    # The first item shows nothing, so text is all; the second shows little, and still counts half.
    np.testing.assert_allclose(tower(items)[0, 1:], [[1, 0, 0, 0], [0.707107, 0, 0, 0.707107]], atol=1e-6)


def test_the_fusions_weights_are_the_candidate_towers():
    fusion = FUSIONS["late_per_query"](("text", "image"), 2)
    tower = QueryTower(MeanHistory(4, STILL), fusion)
    assert [variable.name for variable in tower.variables] == ["no_history:0"]
