"""The exact index against a brute force in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from mmrec.index import exact
from mmrec.index import rows as module
from mmrec.index.exact import ExactIndex
from mmrec.index.top import GROUP

LOWEST = -3.4028234663852886e38


def brute_force(scores, k, exclude, include):
    """Ranks by sorting: best first, ties by row; returns rows and scores as `search` does."""
    queries, items = scores.shape
    width = min(max([0, *k]), items - 1)
    rows, best = np.zeros((queries, width), np.int32), np.full((queries, width), LOWEST, np.float32)
    for query in range(queries):
        allowed = set(range(1, items)) - set(exclude[query])
        if any(include[query]):
            allowed &= set(include[query])
        order = sorted(allowed, key=lambda row: (-scores[query, row], row))[: max(0, min(k[query], width))]
        rows[query, : len(order)] = order
        best[query, : len(order)] = scores[query, order]
    return rows, best


def small_index(rows=5):
    """Items 1..rows with scores 1..rows for the query [1]."""
    return ExactIndex(np.arange(rows + 1, dtype=np.float32)[:, np.newaxis])


def ask(index, k, exclude=None, include=None, queries=None):
    query = np.ones((len(k) if queries is None else queries, 1), np.float32)
    rows = lambda values: None if values is None else tf.constant(values, tf.int32)  # noqa: E731
    found, scores = index.search(query, tf.constant(k, tf.int32), rows(exclude), rows(include))
    return found.numpy().tolist(), scores.numpy()


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_brute_force_on_random_worlds_with_ties(seed, kept, monkeypatch):
    if not kept:
        monkeypatch.setattr(exact, "_KEPT", 0)
        monkeypatch.setattr(exact, "_BLOCK_ROWS", GROUP)
        monkeypatch.setattr(exact, "_BLOCK_VALUES", 0)
    rng = np.random.default_rng(seed)
    items, queries = int(rng.integers(1, 80)), int(rng.integers(1, 9))
    table = rng.integers(-2, 3, (items + 1, 2)).astype(np.float32)  # whole numbers: exact scores, many ties
    query = rng.integers(-2, 3, (queries, 2)).astype(np.float32)
    k = rng.integers(-1, items + 4, queries)
    exclude = rng.integers(0, items + 1, (queries, int(rng.integers(0, 2 * items + 1))))
    include = rng.integers(0, items + 1, (queries, int(rng.integers(0, 4))))
    rows, scores = ExactIndex(table).search(
        query, tf.constant(k, tf.int32), tf.constant(exclude, tf.int32), tf.constant(include, tf.int32)
    )
    expected_rows, expected_scores = brute_force(query @ table.T, k, exclude.tolist(), include.tolist())
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(scores, expected_scores)


def test_best_first_and_ties_by_row():
    index = ExactIndex(np.array([[9.0], [1.0], [2.0], [1.0], [2.0]], np.float32))
    assert ask(index, [4])[0] == [[2, 4, 1, 3]]


def test_padding_row_never_answers_even_with_the_best_score():
    index = ExactIndex(np.array([[9.0], [1.0]], np.float32))
    assert ask(index, [5])[0] == [[1]]
    assert ask(index, [5], exclude=[[0]], include=[[0]])[0] == [[1]]


def test_k_may_differ_by_row_exceed_the_items_and_be_none():
    rows, scores = ask(small_index(), [2, 9, 0, -3])
    assert rows == [[5, 4, 0, 0, 0], [5, 4, 3, 2, 1], [0] * 5, [0] * 5]
    assert scores[0].tolist() == [5.0, 4.0, LOWEST, LOWEST, LOWEST]


def test_only_unwanted_answers_give_no_column():
    assert ask(small_index(), [0, -1])[0] == [[], []]


def test_excluding_everything_leaves_no_answer():
    rows, scores = ask(small_index(), [3, 3], exclude=[[5, 4, 3, 2, 1, 1, 5], [5, 0, 0, 0, 0, 0, 0]])
    assert rows == [[0, 0, 0], [4, 3, 2]]
    assert scores[0].tolist() == [LOWEST] * 3


def test_exclusions_never_cost_an_answer_that_is_there():
    rows, _ = ask(small_index(100), [10], exclude=[list(range(6, 101))])  # the 95 best are excluded
    assert rows == [[5, 4, 3, 2, 1, 0, 0, 0, 0, 0]]


def test_inclusion_of_some_and_exclusion_of_one_of_them():
    rows, _ = ask(small_index(), [3, 3], exclude=[[4, 0], [4, 0]], include=[[4, 2, 0], [0, 0, 0]])
    assert rows == [[2, 0, 0], [5, 3, 2]]


def test_inclusion_of_what_is_not_here_leaves_no_answer_rather_than_all():
    rows, _ = ask(small_index(), [2, 2, 2], include=[[-1, 0], [-1, 3], [0, 0]])
    assert rows == [[0, 0], [3, 0], [5, 4]]


def test_only_allowed_items_answer_row_by_row():
    index = small_index(4)
    allowed = tf.constant([[True, True, False, True, False], [True] * 5, [False] * 5])
    rows, _ = index.search(
        tf.ones([3, 1]), tf.constant([2] * 3), tf.constant([[3], [4], [0]]), tf.constant([[0], [2], [0]]), allowed
    )
    assert rows.numpy().tolist() == [[1, 0], [2, 0], [0, 0]]


def test_no_query_and_no_width_are_no_error():
    index = small_index()
    rows, scores = index.search(tf.zeros([0, 1]), tf.zeros([0], tf.int32), tf.zeros([0, 0], tf.int32))
    assert rows.shape == scores.shape == (0, 0)
    assert ask(index, [1], exclude=[[]], include=[[]])[0] == [[5]]


def test_rows_do_not_depend_on_the_others_of_the_batch():
    rng = np.random.default_rng(3)
    index = ExactIndex(rng.integers(-3, 4, (21, 3)).astype(np.float32))
    query = rng.integers(-3, 4, (6, 3)).astype(np.float32)
    k, exclude = np.array([1, 5, 20, 3, 0, 30]), rng.integers(0, 21, (6, 4))
    together = index.search(query, tf.constant(k, tf.int32), tf.constant(exclude, tf.int32))[0].numpy()
    for row in range(6):
        part = slice(row, row + 1)
        alone = index.search(query[part], tf.constant(k[part], tf.int32), tf.constant(exclude[part], tf.int32))[0]
        assert together[row].tolist()[: max(0, k[row])] == alone.numpy()[0].tolist()[: k[row]]


def test_lowest_possible_scores_are_answers_still():
    index = ExactIndex(np.array([[0.0], [-1e38], [1.0]], np.float32))
    assert ask(index, [2])[0] == [[2, 1]]


def test_graph_mode_gives_the_same():
    index = small_index()
    search = tf.function(index.search)
    rows, _ = search(tf.ones([2, 1]), tf.constant([2, 3]), tf.constant([[5], [0]]), tf.constant([[0], [1]]))
    assert rows.numpy().tolist() == [[4, 3, 0], [1, 0, 0]]


@pytest.mark.parametrize("storage", ["float32", "int8"])
@pytest.mark.parametrize("size", [1, 3])
def test_rows_of_its_own_are_scored_in_blocks_like_all_at_once(monkeypatch, size, storage):
    monkeypatch.setattr(module, "_GATHERED", 2 * 3 * size * 4)  # two queries with three runs of rows of four values
    rng = np.random.default_rng(0)
    table, query = (rng.normal(size=(count, 4)).astype(np.float32) for count in (9, 5))
    runs = rng.integers(0, 9 // size, (5, 3)).astype(np.int32)
    stored = module.StoredRows(table, storage)
    rows = (runs[:, :, np.newaxis] * size + np.arange(size)).reshape(5, 3 * size)
    want = np.einsum("bcd,bd->bc", stored.kept().vectors()[rows], query)
    for count in (5, 4, 2, 1, 0):
        found = tf.function(stored.scores_of)(query[:count], runs[:count], size)
        np.testing.assert_allclose(found, want[:count], rtol=1e-4, atol=1e-6)
