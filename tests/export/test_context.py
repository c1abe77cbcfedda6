import numpy as np
import pytest
import tensorflow as tf

from mmrec.config.query import QueryConfig
from mmrec.export.context import ContextReader
from mmrec.export.saved_model import Samples
from mmrec.export.serving_module import ServingModule
from mmrec.export.signatures.names import serve
from mmrec.towers.context import ContextTower
from mmrec.towers.fusion import FUSIONS
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.query import QueryTower
from tests.export.small import functions, small_parts

NAN = float("nan")
BOTH = ("time_gap", "event")
TYPES = ("", "buy", "view")


@pytest.fixture(scope="module")
def signatures():
    """An export in which a `view` reverses an item, and a question that comes 8 later moves the query by (3, 0)."""
    config = QueryConfig(context=BOTH, dropout=0.0)
    context = ContextTower(2, config, len(TYPES))
    context.event_item.assign([[0, 0, 0, 0], [-2, -2, 0, 0]])
    moved = np.zeros((58, 2))
    moved[32] = [3, 0]  # of bucket 33
    context.gap_query.assign(moved)
    tower = QueryTower(MeanHistory(2, config), FUSIONS["sum"](("item_id",), 2), unit=False, context_tower=context)
    tower(tf.zeros([1, 1, 2]))
    return functions(small_parts(query_tower=tower, context=ContextReader(BOTH, TYPES)))


def embed(signatures, history, time=(), event=(), now=NAN):
    inputs = {
        "history": tf.constant([history], tf.string),
        "history_time": tf.constant([list(time)], tf.float64),
        "history_event": tf.reshape(tf.constant(list(event), tf.string), [1, -1]),
        "now": tf.constant([now], tf.float64),
    }
    return signatures["embed_query"](**inputs)["embedding"].numpy()[0]


A, B = np.array([1, 0]), np.array([np.cos(0.2), np.sin(0.2)])


def test_values_belong_to_the_ids_of_their_columns(signatures):
    embedding = embed(signatures, ["", "a", "nowhere", "b"], event=["view", "buy", "view", "view"])
    np.testing.assert_allclose(embedding, (A - B) / 2, atol=1e-6)


def test_of_a_long_history_the_values_of_its_end_are_read(signatures):
    embedding = embed(signatures, ["e", "a", "a", "b"], event=["view", "view", "buy", "buy"])  # three are read
    np.testing.assert_allclose(embedding, (-A + A + B) / 3, atol=1e-6)


def test_columns_that_are_not_there_and_types_that_nobody_knows_are_unknown(signatures):
    np.testing.assert_allclose(embed(signatures, ["a", "b"]), (A + B) / 2, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["b", "a"], event=["view"]), (A - B) / 2, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["a"], event=["", "view", "view"]), A, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["a"], event=["gaze"]), A, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["a"], event=[" view "]), -A, atol=1e-6)


def test_the_moment_of_the_question_is_compared_with_the_last_item_of_the_catalog(signatures):
    late = np.array([3, 0])
    np.testing.assert_allclose(embed(signatures, ["a", "nowhere"], [10, 17], now=18), A + late, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["a"], [10], now=12), A, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["a"], [NAN], now=18), A, atol=1e-6)
    np.testing.assert_allclose(embed(signatures, ["a"], [10]), A, atol=1e-6)


def test_a_batch_is_answered_row_by_row(signatures):
    inputs = {
        "history": tf.constant([["a", ""], ["a", "b"]]),
        "history_time": tf.constant([[10, NAN], [3, 10]], tf.float64),
        "history_event": tf.constant([["view", ""], ["buy", "view"]]),
        "now": tf.constant([18, NAN], tf.float64),
    }
    embedding = signatures["embed_query"](**inputs)["embedding"].numpy()
    np.testing.assert_allclose(embedding, [np.array([3, 0]) - A, (A - B) / 2], atol=1e-6)
    none = {name: value[:0] for name, value in inputs.items()}
    assert signatures["embed_query"](**none)["embedding"].shape == (0, 2)


def test_signatures_that_read_a_history_have_the_inputs_and_others_do_not(signatures):
    beside = {"history_time", "history_event", "now"}
    inputs = {name: set(function.structured_input_signature[1]) for name, function in signatures.items()}
    assert {name for name, names in inputs.items() if beside <= names} == {
        "serving_default",
        "recommend",
        "embed_query",
    }
    assert not beside & (inputs["similar"] | inputs["embed_item"])


def test_examples_ask_with_the_context_of_the_history():
    samples = Samples(
        rows=np.array([1]),
        items={"item_id": np.array(["a"], object)},
        histories=np.array([["a"], ["b"]], object),
        queries=np.zeros([2, 2], np.float32),
        context={
            "history_time": np.array([[1.0], [2]]),
            "now": np.array([8.0, 9]),
            "history_event": np.array([["x"], ["y"]]),
        },
    )
    parts = small_parts(context=ContextReader(BOTH, TYPES))
    asked = serve(ServingModule(parts), samples.example())["serving_default"].example
    assert {name: value.tolist() for name, value in asked.items()} == {
        "history": [["b"]],
        "history_time": [[2.0]],
        "now": [9.0],
        "history_event": [["y"]],
    }
