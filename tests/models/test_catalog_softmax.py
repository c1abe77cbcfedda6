import numpy as np
import pytest
import tensorflow as tf

from mmrec.models.catalog_softmax import catalog_softmax


def drawn(queries, candidates, dim=6, scale=1.0):
    rng = np.random.default_rng(queries)
    query, candidate = (tf.constant(rng.normal(size=(rows, dim)) * scale, tf.float32) for rows in (queries, candidates))
    return query, candidate, tf.constant(rng.integers(0, candidates, queries), tf.int32)


def with_gradients(function, query, candidate):
    with tf.GradientTape() as tape:
        tape.watch([query, candidate])
        loss = function(query, candidate)
    return [loss, *tape.gradient(loss, [query, candidate])]


def test_two_candidates_worked_by_hand():
    query, candidate = tf.constant([[2.0, 0.0]]), tf.constant([[1.0, 0.0], [0.0, 1.0]])
    loss, to_query, to_candidate = with_gradients(
        lambda q, c: catalog_softmax(q, c, tf.constant([1])), query, candidate
    )
    # Scores 2 and 0, the right one is the second: ln(e^2 + 1), softmax .880797 and .119203.
    assert float(loss) == pytest.approx(2.126928, abs=1e-5)
    np.testing.assert_allclose(to_query, [[0.880797, -0.880797]], atol=1e-5)
    np.testing.assert_allclose(to_candidate, [[1.761594, 0], [-1.761594, 0]], atol=1e-5)


@pytest.mark.parametrize(("queries", "candidates"), [(1, 5), (16, 40), (37, 40), (300, 7)])
@pytest.mark.parametrize("scale", [1.0, 12.0])
def test_loss_and_gradients_are_those_of_the_stock_cross_entropy(queries, candidates, scale):
    query, candidate, positive = drawn(queries, candidates, scale=scale)

    def stock(query, candidate):
        logits = tf.matmul(query, candidate, transpose_b=True)
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(positive, logits))

    gradients = with_gradients(tf.function(lambda q, c: catalog_softmax(q, c, positive, scores=1)), query, candidate)
    for got, want in zip(gradients, with_gradients(stock, query, candidate), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_gradients_follow_what_the_loss_is_multiplied_by():
    query, candidate, positive = drawn(9, 11)
    _, *once = with_gradients(lambda q, c: catalog_softmax(q, c, positive), query, candidate)
    _, *thrice = with_gradients(lambda q, c: 3.0 * catalog_softmax(q, c, positive), query, candidate)
    for one, three in zip(once, thrice, strict=True):
        np.testing.assert_allclose(3 * one, three, rtol=1e-5)


def test_loss_and_gradients_are_weighted():
    query, candidate, positive = drawn(137, 7)
    weight = tf.constant(np.linspace(0, 3, 137), tf.float32)

    def stock(query, candidate):
        logits = tf.matmul(query, candidate, transpose_b=True)
        return tf.reduce_mean(weight * tf.nn.sparse_softmax_cross_entropy_with_logits(positive, logits))

    gradients = with_gradients(lambda q, c: catalog_softmax(q, c, positive, weight), query, candidate)
    for got, want in zip(gradients, with_gradients(stock, query, candidate), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


# Prints by how many MiB a training step raises the peak of the process. `ru_maxrss` would not do: it starts from the
# peak of the process that started this one, which after other tests is above that of the step.
STEP = """
import re, mmrec, numpy as np, tensorflow as tf
from pathlib import Path
from mmrec.config.config import QueryConfig, RetrievalConfig, TrainingConfig
from mmrec.models.objectives.retrieval import RetrievalObjective
from mmrec.models.retrieval import RetrievalTask
from mmrec.models.two_tower import TwoTowerModel
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.modalities.item_id.tower import ItemIdTower
from mmrec.towers.query import QueryTower
from mmrec.training.optimizers import build_optimizer

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024

def batch(items):
    rows = np.arange(items + 1, dtype=np.int32)
    histories, length, queries = 128, 8, 1024
    sees = rng.integers(0, length + 1, queries)
    return {
        "rows": rows,
        "item_id_row": rows,
        "history": rng.integers(1, items + 1, (histories, length), np.int32),
        "query": np.stack([rng.integers(0, histories, queries), sees], 1, dtype=np.int32),
        "positive": rng.integers(0, items, queries, np.int32),
        "competing": np.array([items], np.int32),
    }

items, dim, rng = 1_000_000, 64, np.random.default_rng(0)
candidate = CandidateTower({"item_id": ItemIdTower(items, dim)}, "sum", dim)
query = QueryTower(MeanHistory(dim, QueryConfig()), candidate.fusion)
task = RetrievalTask(RetrievalConfig(negatives="catalog").decided(True), items)
model = TwoTowerModel(candidate, query, [(RetrievalObjective(task, whole_catalog=True), 1.0)])
model.compute_loss(batch(9))
model.compile(optimizer=build_optimizer(TrainingConfig(), 10))
model.optimizer.build(model.trainable_variables)
given = {name: tf.constant(values) for name, values in batch(items).items()}
before, table = peak(), candidate.towers["item_id"].embedding.embeddings
first = table[:100].numpy()
assert tf.function(model.train_step)(given)["loss"] > 0
assert (table[:100].numpy() != first).any()
print(peak() - before)
"""


@pytest.mark.slow
def test_a_training_step_over_a_million_items_takes_less_memory_than_their_scores(python):
    code, out, err = python(STEP)
    assert code == 0, err
    # 1,024 x 1,000,000 scores of 4 bytes are 3,906 MiB, and a softmax over them is as much again. A step holds what is
    # as large as the table (244 MiB) several times: its gradient, and what Adam makes of both; and blocks of scores.
    assert 100 < float(out) < 3500
