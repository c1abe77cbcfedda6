"""The exact index against brute force in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from mmrec.index.exact import Bounds, ExactIndex
from mmrec.index.rows import StoredRows
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


def ask(index, k, exclude=None, include=None, allowed=None):
    rows = lambda values: None if values is None else tf.constant(values, tf.int32)  # noqa: E731
    return index.search(tf.ones([len(k), 1]), rows(k), rows(exclude), rows(include), allowed)[0].numpy().tolist()


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_brute_force_on_random_worlds_with_ties(seed, kept):
    bounds = Bounds(marked=1)  # as with more items, where a few exclusions are not marked
    if not kept:
        bounds = bounds._replace(kept=0, block_rows=GROUP, block_values=0)
    rng = np.random.default_rng(seed)
    items, queries = int(rng.integers(1, 80)), int(rng.integers(1, 9))
    table = rng.integers(-2, 3, (items + 1, 2)).astype(np.float32)  # whole numbers: exact scores, many ties
    query = rng.integers(-2, 3, (queries, 2)).astype(np.float32)
    k = rng.integers(-1, items + 4, queries)
    exclude = rng.integers(0, items + 1, (queries, int(rng.integers(0, 2 * items + 1))))
    include = rng.integers(0, items + 1, (queries, int(rng.integers(0, 4))))
    rows, scores = ExactIndex(table, bounds=bounds).search(
        query, tf.constant(k, tf.int32), tf.constant(exclude, tf.int32), tf.constant(include, tf.int32)
    )
    expected_rows, expected_scores = brute_force(query @ table.T, k, exclude.tolist(), include.tolist())
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_array_equal(scores, expected_scores)


def test_padding_row_never_answers_even_with_the_best_score():
    index = ExactIndex(np.array([[9.0], [1.0]], np.float32))
    assert ask(index, [5]) == [[1]]
    assert ask(index, [5], exclude=[[0]], include=[[0]]) == [[1]]


def test_exclusions_inclusions_and_what_is_allowed_all_hold_row_by_row():
    index = ExactIndex(np.arange(5, dtype=np.float32)[:, np.newaxis])
    allowed = tf.constant([[True, True, False, True, False], [True] * 5, [False] * 5])
    assert ask(index, [2] * 3, [[3], [4], [0]], [[0], [2], [0]], allowed) == [[1, 0], [2, 0], [0, 0]]


def test_lowest_possible_scores_are_answers_still():
    index = ExactIndex(np.array([[0.0], [-1e38], [1.0]], np.float32))
    assert ask(index, [2]) == [[2, 1]]


@pytest.mark.parametrize("storage", ["float32", "int8"])
@pytest.mark.parametrize("size", [1, 3])
def test_rows_of_its_own_are_scored_in_blocks_like_all_at_once(size, storage):
    rng = np.random.default_rng(0)
    table, query = (rng.normal(size=(count, 4)).astype(np.float32) for count in (9, 5))
    runs = rng.integers(0, 9 // size, (5, 3)).astype(np.int32)
    gathered = 2 * 3 * size * 4  # two queries with three runs of rows of four values
    stored = StoredRows(table, storage, gathered=gathered)
    rows = (runs[:, :, np.newaxis] * size + np.arange(size)).reshape(5, 3 * size)
    want = np.einsum("bcd,bd->bc", stored.kept().vectors()[rows], query)
    for count in (5, 4, 2, 1, 0):
        actual = tf.function(stored.scores_of)(query[:count], runs[:count], size)
        np.testing.assert_allclose(actual, want[:count], rtol=1e-4, atol=1e-6)
