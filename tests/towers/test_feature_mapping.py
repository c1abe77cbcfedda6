import numpy as np
import pytest
import tensorflow as tf
from tf_keras import layers

from mmrec.towers.candidate import CandidateTower
from mmrec.towers.feature_mapping import FeatureMapping, MappedCandidate, mapped_from

# Two modalities around the id, D = 1: a guess is 2 text + 3 photo + 10 where there is a text + 100 where a photo.
WEIGHTS = np.array([[2], [3], [10], [100]])
VECTORS = [tf.constant([[5.0], [5.0], [5.0], [7.0]]), tf.constant([[8.0]] * 4), tf.constant([[4.0]] * 4)]
PRESENT = [tf.constant(mask) for mask in ([True, True, False, False], [True] + [False] * 3, [True, True, True, False])]


def test_the_map_reads_neither_the_id_nor_absent_modalities():
    actual = mapped_from(1, VECTORS, PRESENT)
    np.testing.assert_array_equal(actual, [[5, 4, 1, 1], [5, 4, 1, 1], [0, 4, 0, 1], [0, 0, 0, 0]])


def test_an_unknown_id_gets_a_vector_where_anything_else_is_present():
    vectors, present = FeatureMapping(1, WEIGHTS)(VECTORS, PRESENT)
    # Known: as it is; 2 * 5 + 3 * 4 + 10 + 100 = 132; without text 3 * 4 + 100 = 112.
    np.testing.assert_array_equal(vectors[1][:3], [[8], [132], [112]])
    np.testing.assert_array_equal(present[1], [True, True, True, False])
    for at in (0, 2):
        np.testing.assert_array_equal(vectors[at], VECTORS[at])
        np.testing.assert_array_equal(present[at], PRESENT[at])


class Fixed(layers.Layer):
    """A tower that returns a column of its input, and whether it is at least 0."""

    def __init__(self, column):
        super().__init__()
        self._column = column

    def call(self, features, training=False):
        value = features["given"][:, self._column]
        return value[:, tf.newaxis], value >= 0


@pytest.mark.parametrize(("strength", "want"), [(0.0, 5.0), (0.5, 15.0), (1.0, 25.0), (2.0, 45.0)])
def test_the_strength_scales_how_far_the_predicted_id_moves_an_item(strength, want):
    tower = CandidateTower({"text": Fixed(0), "item_id": Fixed(1)}, "sum", 1, unit=False)
    with_and_without_id = {"given": tf.constant([[5.0, 8.0], [5.0, -1.0]])}
    before = tower(with_and_without_id).numpy()
    np.testing.assert_array_equal(before, [[13], [5]])
    mapping = FeatureMapping(1, np.array([[2.0], [10.0]]), strength)  # 2 * 5 + 10 = 20
    np.testing.assert_allclose(MappedCandidate(tower, mapping)(with_and_without_id), [[13], [want]], rtol=1e-6)
    np.testing.assert_array_equal(tower(with_and_without_id), before)  # the trained tower is as it was


def test_its_weights_stand_beside_those_of_the_tower():
    tower = CandidateTower({"text": Fixed(0), "item_id": Fixed(1)}, "sum", 1)
    without = len(tower.variables)
    mapped = MappedCandidate(tower, FeatureMapping(1, np.zeros([2, 1])))
    assert len(mapped.variables) == without + 2
    assert len(mapped.trainable_variables) == 1  # of the fusion, as before
    assert len(tower.variables) == without
