import numpy as np
import pytest
import tensorflow as tf

from mmrec.config import Config
from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.candidates import CandidateSampler
from mmrec.errors import InputError
from mmrec.models.candidates import Candidates
from mmrec.models.hard_negatives import HardNegatives
from mmrec.models.logits import candidate_logits, find_rows, only_competing, with_hard_negatives, without_own_correction
from mmrec.models.retrieval import RetrievalTask

TABLE = np.array([[0, 0], [1, 0], [0, 1], [0.6, 0.8], [-1, -0.5]], np.float32)
QUERY = tf.constant([[1.0, 0.0], [0.0, 1.0]])
# The first user also likes 3; the second only what is right.
STEP = {
    "answer": tf.constant([1, 2]),
    "history": tf.constant([0, 1]),
    "taken": tf.constant([[0, 1], [0, 3], [1, 2]]),
}


def hard(count, competing=(False, True, True, True, True), table=TABLE, **blocks):
    negatives = HardNegatives(count, np.array(competing), table.shape[1], **blocks)
    negatives.follow(table)
    return negatives


def test_the_best_wrong_items_are_chosen_and_scored():
    # Scores (1, 0, .6, -1) and (0, 1, .8, -.5) of items 1 to 4.
    rows, logits = hard(2)(QUERY, **STEP)
    assert rows.numpy().tolist() == [[2, 4], [3, 1]]
    np.testing.assert_allclose(logits, [[0, -1], [0.8, 0]], atol=1e-6)


def test_what_the_user_likes_may_be_chosen_when_it_is_not_named_but_never_the_right_answer():
    rows, _ = hard(2)(QUERY, **STEP | {"taken": STEP["taken"][:0]})
    assert rows.numpy().tolist() == [[3, 2], [3, 1]]


def test_items_that_do_not_compete_are_not_chosen_and_where_no_more_are_left_there_is_none():
    rows, logits = hard(3, competing=[False, True, True, True, False])(QUERY, **STEP)
    assert rows.numpy().tolist() == [[2, 0, 0], [3, 1, 0]]
    np.testing.assert_allclose(logits, [[0, -1e9, -1e9], [0.8, 0, -1e9]], atol=1e-6)


def test_more_than_there_are_items_is_all_of_them():
    assert hard(9)(QUERY, **STEP)[0].shape == (2, 4)


def test_the_items_are_those_of_the_table_put_in_last():
    hardest = hard(1)
    hardest.follow(-TABLE)
    assert hardest(QUERY, **STEP)[0].numpy().tolist() == [[4], [4]]


def test_queries_move_and_the_table_does_not():
    hardest = hard(2)
    query = tf.Variable(QUERY)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(hardest(query, **STEP)[1])
    # Items 2 and 4, and 3 and 1.
    np.testing.assert_allclose(tape.gradient(loss, query), [[-1, 0.5], [1.6, 0.8]], atol=1e-6)
    assert tape.watched_variables() == (query,)


def test_in_blocks_and_in_a_graph_the_same_are_chosen_as_in_a_sorted_list():
    rng = np.random.default_rng(0)
    table, query = rng.normal(size=(31, 5)).astype(np.float32), rng.normal(size=(10, 5)).astype(np.float32)
    history, answer = np.sort(rng.integers(0, 4, 10)).astype(np.int32), rng.integers(1, 31, 10).astype(np.int32)
    taken = np.stack([np.repeat(np.arange(6), 4), rng.integers(1, 31, 24)], axis=1).astype(np.int32)
    competing = np.arange(31) % 7 > 0
    rows, logits = tf.function(hard(6, competing, table, block=4))(tf.constant(query), answer, history, taken)
    for place in range(10):
        wrong = set(np.flatnonzero(competing)) - {answer[place], *taken[taken[:, 0] == history[place], 1]}
        want = sorted(wrong, key=lambda row, place=place: -table[row] @ query[place])[:6]
        assert rows[place].numpy().tolist() == want
        np.testing.assert_allclose(logits[place], table[want] @ query[place], atol=1e-5)


def test_places_of_rows():
    places = find_rows(tf.constant([[7, 0], [3, 8]]), tf.constant([3, 9, 0, 7, 0]))
    assert places.numpy().tolist() == [[3, -1], [0, -1]]


def test_a_hard_negative_that_is_a_candidate_competes_as_that_without_correction():
    # The first query finds items 5 and 9, the second 7, which was drawn for another query only, and no more.
    logits = with_hard_negatives(
        tf.constant([[1.0, 2.0], [3.0, 4.0]]),
        tf.constant([[5, 9], [7, 0]]),
        tf.constant([[9.0, 0.1], [0.2, -1e9]]),
        Candidates.drawn(
            tf.zeros([2, 1]), tf.constant([5, 7]), tf.constant([True, False]), tf.zeros(2), tf.zeros([0, 2], tf.int32)
        ),
        log_q=tf.constant([-0.5, -0.25]),
    )
    np.testing.assert_allclose(logits, [[0.5, 2, -1e9, 0.1], [3, 4, 0.2, -1e9]])


def test_with_hard_negatives_the_candidates_exponentials_sum_up_to_those_of_the_catalog():
    rng = np.random.default_rng(0)
    counts, scores = np.append(0, np.arange(40, 0, -1)), rng.normal(size=40).astype(np.float32)
    table = np.append(0, scores)[:, np.newaxis].astype(np.float32)  # so that a score is 1 * value
    config = RetrievalConfig(negatives="sampled", negative_samples=20, sampling_power=1.0)
    candidates, taken = CandidateSampler(config, counts, per_batch=1.0), np.zeros((0, 2), np.int32)
    one, none = np.ones((1, 1), np.float32), np.zeros(1, np.int32)
    hard_row, hard_logits = hard(5, counts > 0, table)(tf.constant(one), none + 21, none, taken)
    sums = []
    for _ in range(100):
        rows, competes = candidates.draw(np.array([21]), rng)
        log_q, place = candidates.log_q[rows], np.searchsorted(rows, [21]).astype(np.int32)
        logits = without_own_correction(candidate_logits(one, table[rows], log_q), place, log_q)
        logits = only_competing(logits, place, competes, none, taken)
        competing = Candidates.drawn(table[rows], rows.astype(np.int32), competes, log_q, taken)
        logits = with_hard_negatives(logits, hard_row, hard_logits, competing, log_q)
        sums.append(np.exp(logits.numpy()).sum())
    error = float(np.std(sums)) / 10
    assert float(np.mean(sums)) == pytest.approx(float(np.exp(scores).sum()), abs=3 * error)
    assert 3 * error < 0.1 * np.mean(sums)


@pytest.mark.parametrize(("removed", "want"), [(True, 0.313262), (False, 0.712067)])
def test_the_loss_counts_hard_negatives_but_no_other_positive_of_the_user(removed, want):
    # Item 1 is right, alone in the batch, and scores 1. Found is 2, which scores 0, and, if 3 may be found, 3 with .6:
    # ln(1 + e^-1), or ln(1 + e^-1 + e^-.4).
    config = RetrievalConfig(temperature=1.0, remove_accidental_hits=removed).decided(whole_catalog=False)
    hardest = hard(1 if removed else 2, [False, True, True, True, False])
    row, one = tf.constant([1]), tf.zeros(1, tf.int32)
    drawn = (tf.constant(TABLE[1:2]), row, np.array([True]), tf.zeros(1), tf.zeros([1, 2], tf.int32))
    competing = Candidates.drawn(*drawn, tf.constant([[0, 1], [0, 3]]))
    loss = RetrievalTask(config, items=3, hard_negatives=hardest)(QUERY[:1], competing, one, one)
    assert float(loss) == pytest.approx(want, abs=1e-5)


def test_where_the_whole_catalog_competes_hard_negatives_are_refused():
    with pytest.raises(InputError, match="`hard_negatives` compete already with `negatives: catalog`"):
        Config.load({"retrieval": {"hard_negatives": 2, "negatives": "catalog"}})
