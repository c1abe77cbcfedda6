import numpy as np
import pytest
import tensorflow as tf

from mmrec.config import Config
from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.candidates import CandidateSampler
from mmrec.errors import InputError
from mmrec.models.candidates import Candidates
from mmrec.models.memory import Memory
from mmrec.models.retrieval import RetrievalTask

NOTHING = tf.zeros([0, 2], tf.int32)


def step(memory, rows, vectors, positive_pairs=NOTHING, taken=NOTHING, training=True):
    """Returns (vectors, rows, competes, log_q, known) as lists; the probabilities are a tenth of the vectors."""
    vectors = tf.constant(vectors)[:, tf.newaxis]
    log_q = tf.math.log(vectors[:, 0] / 10)
    drawn = Candidates.drawn(vectors, tf.constant(rows), tf.fill([len(rows)], True), log_q, positive_pairs, taken)
    candidates = memory(drawn, training=training)
    assert candidates.mode == "drawn"
    parts = candidates.embedding, candidates.row, candidates.competes, candidates.log_q, candidates.positive_pairs
    return [np.round(part, 5).tolist() if part.dtype == tf.float32 else part.numpy().tolist() for part in parts]


def test_the_candidates_of_the_last_steps_compete_until_newer_ones_take_their_places():
    memory = Memory(3, 1)
    vectors, rows, competes, _, _ = step(memory, [4, 7], [1.0, 2.0])
    assert (rows, competes) == ([4, 7, 0, 0, 0], [True, True, False, False, False])
    # 7 is in the batch again: it competes once, and what is kept of it is forgotten.
    vectors, rows, competes, log_q, positive_pairs = step(
        memory, [5, 7], [3.0, 4.0], tf.constant([[1, 1]]), tf.constant([[0, 4], [0, 9], [1, 7]])
    )
    assert rows == [5, 7, 4, 0, 0]
    assert competes == [True, True, True, False, False]
    assert vectors[:3] == [[3], [4], [1]]
    # Of two candidates a step, three places remember one step and a half: 1 - .7^2.5, 1 - .6^2.5 and 1 - .9^2.5.
    assert np.exp(log_q[:3]).tolist() == pytest.approx([0.590037, 0.721146, 0.231566], abs=1e-5)
    assert positive_pairs == [[1, 1], [0, 2]]  # the first user likes 4, now the third candidate
    # 5 was put in the third place and 7 in the first, where 4 was; the second was that of the old 7.
    vectors, rows, competes, _, _ = step(memory, [9], [5.0])
    assert rows == [9, 7, 0, 5]
    assert competes == [True, True, False, True]
    assert (vectors[1], vectors[3]) == ([4], [3])


def test_of_more_candidates_than_places_others_are_kept_in_each_step():
    memory = Memory(2, 1)
    for kept in ([1, 2], [3, 4], [5, 1]):
        step(memory, [1, 2, 3, 4, 5], [1.0, 2.0, 3.0, 4.0, 5.0])
        assert memory.rows.numpy().tolist() == kept
        assert memory.vectors.numpy().ravel().tolist() == kept


def test_outside_training_nothing_is_kept_or_forgotten():
    memory = Memory(2, 1)
    step(memory, [4], [1.0])
    assert step(memory, [4, 5], [2.0, 3.0], training=False)[1] == [4, 5, 0, 0]
    assert step(memory, [6], [3.0], training=False)[1] == [6, 4, 0]


def test_a_graph_reads_before_it_keeps():
    memory = Memory(1, 1)
    run = tf.function(lambda drawn: memory(drawn, training=True))
    for row, kept in ((3, 0), (4, 3), (5, 4)):
        drawn = (tf.constant([[float(row)]]), tf.constant([row]), tf.constant([True]), tf.zeros(1), NOTHING, NOTHING)
        output = run(Candidates.drawn(*drawn))
        assert output.row.numpy().tolist() == [row, kept]
        assert output.embedding.numpy().ravel().tolist() == [row, kept]


def test_no_gradient_flows_into_what_is_kept_and_a_checkpoint_remembers_it(tmp_path):
    saved, fresh = Memory(3, 1), Memory(3, 1)
    step(saved, [4, 7], [1.0, 2.0])
    assert saved.trainable_variables == []
    path = tf.train.Checkpoint(memory=saved).save(str(tmp_path / "memory"))
    tf.train.Checkpoint(memory=fresh).restore(path).assert_consumed()
    for memory in (saved, fresh):
        assert step(memory, [9], [5.0])[:2] == [[[5], [1], [2], [0]], [9, 4, 7, 0]]


@pytest.mark.parametrize(("taken", "want"), [([[0, 2]], 0.313262), ([[0, 1], [0, 2]], 0.0)])
def test_the_loss_counts_the_memory_but_no_other_positive_of_the_user(taken, want):
    # Item 1 was right in the first step; in the second 2 is, and scores 1 against 0 of item 1: ln(1 + e^-1).
    config = RetrievalConfig(temperature=1.0, logq_correction=False)
    task, one = RetrievalTask(config, items=3, memory=Memory(2, 2)), tf.zeros(1, tf.int32)
    query, losses = tf.constant([[1.0, 0.0]]), []
    for row, vector, likes in ((1, [0.0, 1.0], [[0, 1]]), (2, [1.0, 0.0], taken)):
        drawn = (tf.constant([vector]), tf.constant([row]), np.array([True]), tf.zeros(1), tf.zeros([1, 2], tf.int32))
        competing = Candidates.drawn(*drawn, tf.constant(likes))
        losses.append(float(task(query, competing, one, one, training=True)))
    assert losses == [0.0, pytest.approx(want, abs=1e-5)]


@pytest.mark.parametrize("negatives", ["catalog", "sampled"])
def test_a_memory_is_for_the_answers_of_batches(negatives):
    with pytest.raises(InputError, match=f"`memory` needs `negatives: in_batch` or `mixed`, not `{negatives}`"):
        Config.load({"retrieval": {"memory": 2, "negatives": negatives}})


def test_items_compete_as_often_as_the_correction_of_candidates_and_memory_says():
    rng, counts = np.random.default_rng(0), np.append(0, [400, 200, 100, 50, 25, *[5] * 45])
    config = RetrievalConfig(negatives="in_batch", memory=48)
    candidates, memory = CandidateSampler(config, counts, per_batch=24.0), Memory(48, 1)
    run = tf.function(memory.call, reduce_retracing=True)
    seen, said = np.zeros(len(counts)), np.zeros(len(counts))
    for number in range(800):
        rows, competes = candidates.draw(rng.choice(len(counts), 24, p=counts / counts.sum()), rng)
        vectors = tf.zeros([len(rows), 1])
        drawn = (vectors, tf.constant(rows, tf.int32), tf.constant(competes), tf.constant(candidates.log_q[rows]))
        output = run(Candidates.drawn(*drawn, NOTHING, NOTHING), training=True)
        if number >= 50:  # the memory is full
            competing = output.competes.numpy()
            there = output.row.numpy()[competing]
            seen[there] += 1
            said[there] += np.exp(output.log_q.numpy()[competing])
    frequency, probability = seen[1:] / 750, said[1:] / seen[1:]  # how often; what was said, a mean over those times
    np.testing.assert_allclose(probability[:5], frequency[:5], atol=0.06)
    np.testing.assert_allclose(probability[5:].mean(), frequency[5:].mean(), atol=0.06)
    assert 0.4 < frequency[5:].mean() < 0.6  # far from both that of one batch, .22, and certainty
