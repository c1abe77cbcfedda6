import numpy as np
import pytest
import tensorflow as tf

from mmrec.data.ragged import Ragged
from mmrec.index.item_table import ItemTable
from mmrec.training.embedder import Embedder


class AddsUp:
    """A query tower: the sum of a history."""

    def last(self, items, length, context):
        """float32 [B, L, X] -> [B, X]."""
        return tf.reduce_sum(items * tf.sequence_mask(length, tf.shape(items)[1], tf.float32)[..., tf.newaxis], axis=1)


def test_items_are_embedded_whatever_the_longest_recording_of_a_batch():
    class Recordings:
        longest = frozenset({"audio_mel"})

        def rows(self, rows, draw=None):
            return {"audio_mel": np.ones((len(rows), 2 if rows[0] == 1 else 5, 3), np.float32)}

    class Tower:
        read_dim = 1

        def __call__(self, features, training):
            return tf.reduce_sum(features["audio_mel"], axis=1)

    table = Embedder(Tower(), None, max_length=2).item_table(Recordings(), 1025)  # 1,024 and one more
    np.testing.assert_array_equal(table.scored[[0, 1, 1024, 1025]], [[0] * 2, [2] * 2, [2] * 2, [5] * 2])
    np.testing.assert_array_equal(table.read[[0, 1, 1024, 1025]], [[0], [2], [2], [5]])


@pytest.mark.parametrize("values", [1, 8, 2**24])
def test_queries_are_those_of_their_histories_however_many_are_read_at_once(values):
    table = ItemTable.split(np.array([[0, 0], [1, 10], [2, 20], [4, 40]], np.float32), read_dim=1)
    histories = Ragged(np.array([1, 2, 3, 2, 3, 3, 1, 1], np.int32), np.array([0, 3, 3, 4, 6, 8]))
    actual = Embedder(None, AddsUp(), max_length=2).queries(table, histories, batch=3, values=values)
    np.testing.assert_array_equal(actual, [[6, 60], [0, 0], [2, 20], [8, 80], [2, 20]])  # the last two of each
