import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec.config.query import QueryConfig
from mmrec.towers.fusion_early import Sum
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.neighbours import NeighbourCandidate, NeighbourQuery
from mmrec.towers.query import QueryTower


class Tower(layers.Layer):
    fusion = None

    def call(self, features, training=False):
        return tf.one_hot(features["item_id_row"], 2)


def test_an_item_has_its_factors_behind_its_embedding_and_an_unknown_one_zeros():
    scored, read = np.array([[0, 0], [1, 2], [3, 4]]), np.array([[0, 0], [5, 6], [7, 8]])
    vectors = NeighbourCandidate(Tower(), scored, read)({"item_id_row": tf.constant([1, 0])})
    np.testing.assert_array_equal(vectors, [[0, 1, 1, 2, 5, 6], [1, 0, 0, 0, 0, 0]])


def test_texts_stand_between_the_embedding_and_the_factors():
    tower = NeighbourCandidate(Tower(), np.array([[0], [1]]), np.array([[0], [5]]), text_weight=4.0)
    features = {"item_id_row": tf.constant([1, 0]), "text_features": tf.constant([[0.6, 0.8], [0.0, 0.0]])}
    # The weight of their product is 4, so each is twice as long; an item without text has zeros.
    np.testing.assert_allclose(tower(features), [[0, 1, 1.2, 1.6, 1, 5], [1, 0, 0, 0, 0, 0]], atol=1e-6)


def test_values_of_texts_may_weigh_differently():
    tower = NeighbourCandidate(Tower(), np.array([[0], [1]]), np.array([[0], [5]]), np.array([4.0, 0.0]))
    features = {"item_id_row": tf.constant([1]), "text_features": tf.constant([[0.6, 0.8]])}
    np.testing.assert_allclose(tower(features), [[0, 1, 1.2, 0, 1, 5]], atol=1e-6)


def test_a_query_adds_up_the_texts_of_its_items_and_what_they_read():
    tower = NeighbourQuery(QueryTower(MeanHistory(1, QueryConfig(dropout=0.0)), Sum(("item_id",), 1)), 1, 1, 0.5)
    # Items are [c, t, v | u] with v = 9, which a query never reads.
    items = np.array([[[1, 2, 6, 9, 4], [1, 3, 5, 9, 2]]], np.float32)
    np.testing.assert_allclose(tower.last(items, tf.constant([2])), [[1, 4, 8, 4]], atol=1e-6)


def test_a_query_adds_up_what_its_items_read_the_less_the_longer_ago():
    fusion = Sum(("item_id",), 2)
    history = MeanHistory(2, QueryConfig(dropout=0.0))
    history.no_history.assign([0.6, 0.8])
    tower = NeighbourQuery(QueryTower(history, fusion), dim=2, rank=1, decay=0.5)
    # Items are [c, v | u] with v = 9, which a query never reads; u = 4 and then 2.
    items = np.tile(np.array([[1, 0, 9, 4], [0, 1, 9, 2]], np.float32), [3, 1, 1])
    vectors = tower.last(items, tf.constant([0, 1, 2]))
    np.testing.assert_allclose(vectors, [[0.6, 0.8, 0], [1, 0, 4], [0.707107, 0.707107, 4]], atol=1e-6)


def test_a_query_does_not_read_what_pads_its_history():
    fusion = Sum(("item_id",), 2)
    tower = NeighbourQuery(QueryTower(MeanHistory(2, QueryConfig(dropout=0.0)), fusion), dim=2, rank=3, decay=0.7)
    items, length = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32), tf.constant([3, 2])
    padded = items.copy()
    padded[0, 3:], padded[1, 2:] = 7.0, -7.0
    np.testing.assert_array_equal(tower.last(items, length), tower.last(padded, length))
