import numpy as np
import pytest
import tensorflow as tf
from tf_keras import layers

from mmrec.config.query import QueryConfig
from mmrec.config.retrieval import RetrievalConfig
from mmrec.models.objectives.alignment import AlignmentObjective
from mmrec.models.objectives.objective import Objective
from mmrec.models.objectives.retrieval import RetrievalObjective
from mmrec.models.retrieval import RetrievalTask
from mmrec.models.two_tower import TwoTowerModel
from mmrec.towers.candidate import EncodedItems
from mmrec.towers.fusion_early import Sum
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.query import QueryTower


class Table(layers.Layer):
    """Two-dimensional vectors by place; counts how often it is asked."""

    def __init__(self):
        super().__init__()
        self.vectors = self.add_weight(name="vectors", shape=[4, 2])
        self.vectors.assign([[0, 0], [1, 0], [0, 1], [0.6, 0.8]])
        self.asked = []

    def encode(self, features, training=False):
        self.asked.append((features["rows"].shape[0], training))
        vectors = tf.gather(self.vectors, features["rows"])
        present = tf.constant([False, True, True, False])
        other = tf.gather(vectors, [0, 2, 1, 3])  # the other modality's item 1 is this one's item 2
        return EncodedItems(vectors, (vectors, other), (present, present))


def made(*further, whole=False):
    """Returns a model of retrieval and further objectives."""
    history = MeanHistory(2, QueryConfig(dropout=0.0))
    history.no_history.assign([0.0, 1.0])
    config = RetrievalConfig(temperature=1.0, logq_correction=False)
    retrieval = RetrievalObjective(RetrievalTask(config, items=3), whole_catalog=whole)
    return TwoTowerModel(Table(), QueryTower(history, Sum(("item_id",), 2)), [(retrieval, 1.0), *further])


@pytest.fixture
def model():
    return made()


# One user took items 1 and then 3, another 2: (nothing) -> 1, (1) -> 3, (nothing) -> 2.
BATCH = {
    "rows": np.array([0, 1, 2, 3], np.int32),
    "history": np.array([[1], [0]], np.int32),
    "query": np.array([[0, 0], [0, 1], [1, 0]], np.int32),
    "positive": np.array([0, 2, 1], np.int32),
    "candidate": np.array([1, 2, 3], np.int32),
    "competes": np.full(3, True),
    "log_q": np.zeros(3, np.float32),
    "positive_pairs": np.array([[0, 0], [0, 2], [1, 1]], np.int32),
}


def test_each_prefix_is_asked_for_what_came_next(model):
    # Queries (0, 1), (1, 0), (0, 1); candidates (1, 0), (0, 1), (.6, .8).
    # First: right scores 0 against 1 of item 2: ln(1 + e). Second: .6 against 0: ln(1 + e^-.6).
    # Third: right scores 1 against 0 and .8: ln(e + 1 + e^.8) - 1.
    want = (np.log(1 + np.e) + np.log(1 + np.exp(-0.6)) + np.log(np.e + 1 + np.exp(0.8)) - 1) / 3
    assert float(model.compute_loss(BATCH)) == pytest.approx(want, abs=1e-5)


WHOLE = {name: BATCH[name] for name in ("rows", "history", "query", "positive")} | {
    "competing": np.array([3], np.int32)
}


def test_of_the_whole_catalog_all_items_but_the_padding_compete():
    # Queries (0, 1), (1, 0), (0, 1) against (1, 0), (0, 1), (.6, .8), whatever the user liked beside the right answer.
    first, second = np.log(1 + np.e + np.exp(0.8)), np.log(np.e + 1 + np.exp(0.6)) - 0.6
    want = (first + second + first - 1) / 3
    assert float(made(whole=True).compute_loss(WHOLE)) == pytest.approx(want, abs=1e-5)


def test_items_that_are_there_for_another_objective_do_not_compete():
    # Item 3 stands behind the two that compete: queries (0, 1), (1, 0), (0, 1) against (1, 0), (0, 1), right 1, 1, 2.
    fewer = WHOLE | {"competing": np.array([2], np.int32), "positive": np.array([0, 0, 1], np.int32)}
    want = (np.log(1 + np.e) + (np.log(np.e + 1) - 1) + (np.log(1 + np.e) - 1)) / 3
    assert float(made(whole=True).compute_loss(fewer)) == pytest.approx(want, abs=1e-5)


def test_alignment_is_added_by_its_weight(model):
    plain = float(model.compute_loss(BATCH))
    aligned = made((AlignmentObjective(answers_alone=False), 0.5))
    # Among items 1 and 2 the right one has the cosine 0, the wrong one 1: ln(1 + e^(1 / .07)) = 14.285715.
    assert float(aligned.compute_loss(BATCH)) == pytest.approx(plain + 0.5 * 14.285715, abs=1e-3)
    # Where the whole catalog competes, only the right answers are aligned: item 2 alone is found.
    whole = WHOLE | {"positive": np.array([1, 2, 1], np.int32)}
    alone = made((AlignmentObjective(answers_alone=True), 0.5), whole=True).compute_loss(whole)
    assert float(alone) == pytest.approx(float(made(whole=True).compute_loss(whole)), abs=1e-4)


class Constant(Objective):
    """Costs 2, whatever the batch."""

    def loss(self, model, batch, items, training):
        return tf.constant(2.0)


def test_where_there_are_several_objectives_each_ones_mean_is_said(model):
    both = made((Constant("constant"), 0.25))
    plain = float(model.compute_loss(BATCH))
    both.compile(optimizer=tf.keras.optimizers.SGD(0.0))
    logs = {name: float(value) for name, value in both.train_step(BATCH).items()}
    total = plain + 0.25 * 2
    assert logs == pytest.approx(
        {
            "loss": total,
            "mean_loss": total,
            "regularization_loss": 0,
            "total_loss": total,
            "retrieval_loss": plain,
            "constant_loss": 2,
        },
        abs=1e-6,
    )


def test_each_distinct_item_is_encoded_once_a_step(model):
    model.compute_loss(BATCH, training=True)
    assert model.candidate_tower.asked == [(4, True)]


def test_steps_report_means_over_the_epoch_of_the_loss_and_of_what_layers_add(model):
    model.candidate_tower.add_loss(lambda: tf.constant(0.5))
    model.compile(optimizer=tf.keras.optimizers.SGD(0.0))
    other = BATCH | {"positive": np.array([0, 2, 0], np.int32)}
    first, second = (float(model.compute_loss(batch)) for batch in (BATCH, other))
    model.reset_metrics()
    model.train_step(BATCH)
    logs = {name: float(value) for name, value in model.train_step(other).items()}
    mean = (first + second) / 2
    assert logs == pytest.approx(
        {"loss": mean, "mean_loss": mean, "regularization_loss": 0.5, "total_loss": mean + 0.5}, abs=1e-6
    )


def test_a_step_of_keras_lowers_the_loss(model):
    model.compile(optimizer="sgd")
    before = float(model.compute_loss(BATCH))
    model.fit(tf.data.Dataset.from_tensors(BATCH).repeat(20), verbose=0)
    assert float(model.compute_loss(BATCH)) < before - 0.01
