"""The contract of every index, whatever it reads and however it stores it, against brute force in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from mmrec.index.cells import Cells, cut_into_cells
from mmrec.index.exact import BOUNDS, Bounds, ExactIndex
from mmrec.index.ivf import IvfIndex
from mmrec.index.top import GROUP

LOWEST = -3.4028234663852886e38
KINDS = ["exact", "exact, in blocks", "ivf, every cell", "ivf, one cell"]
STORAGES = ["float32", "float16", "int8"]
RELOADED = ["float32", pytest.param("float16", marks=pytest.mark.slow), "int8"]


def build(kind, table, storage="float32"):
    """An index of a small table; cells hold two rows each, in the order of the rows."""
    in_blocks = Bounds(kept=0, marked=1, block_rows=GROUP, block_values=0)  # as with more items than kept scores
    exact = ExactIndex(table, storage, in_blocks if kind == "exact, in blocks" else BOUNDS)
    if kind.startswith("exact"):
        return exact
    rows = np.arange(1, len(table))
    rows = np.pad(rows, (0, len(rows) % 2)).reshape(-1, 2).astype(np.int32)
    cells = Cells(rows, np.stack([table[cell[cell > 0]].mean(axis=0) for cell in rows]).astype(np.float32))
    return IvfIndex(exact, cells, len(rows) if kind == "ivf, every cell" else 1, depth=100)


def ask(index, query, k, exclude=None, include=None, allowed=None):
    rows = lambda values: None if values is None else tf.constant(np.asarray(values, np.int32))  # noqa: E731
    best = index.search(tf.constant(query, tf.float32), rows(k), rows(exclude), rows(include), allowed)
    return [part.numpy() for part in best]


def best(scores, k, never):
    """Rows by brute force for one query: best first, ties by row."""
    rows = [row for row in range(1, len(scores)) if row not in never]
    return sorted(rows, key=lambda row: (-scores[row], row))[: max(0, k)]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(params=STORAGES)
def storage(request):
    return request.param


@pytest.fixture(scope="module")
def world():
    """Whole numbers up to 127, with a 127 in every row: exact in every storage, and with many ties."""
    rng = np.random.default_rng(5)
    table = rng.integers(-2, 3, (42, 4)).astype(np.float32)
    table[:, 3] = 127
    query = np.pad(rng.integers(-2, 3, (6, 3)), [(0, 0), (0, 1)]).astype(np.float32)
    return table, query, query @ table.T


def test_shapes_and_types(kind, storage):
    table = np.arange(12, dtype=np.float32).reshape(6, 2)
    rows, scores = ask(build(kind, table, storage), np.ones([3, 2]), [2, 4, 1])
    assert (rows.shape, scores.shape) == ((3, 4), (3, 4))
    assert (rows.dtype, scores.dtype) == (np.int32, np.float32)


def test_answers_stop_at_k_and_at_the_items_and_the_rest_is_blank(kind, storage):
    table = np.arange(6, dtype=np.float32)[:, np.newaxis]
    rows, scores = ask(build(kind, table, storage), np.ones([4, 1]), [2, 9, 0, -3])
    assert rows.tolist() == [[5, 4, 0, 0, 0], [5, 4, 3, 2, 1], [0] * 5, [0] * 5]
    assert scores[0, 2:].tolist() == [LOWEST] * 3
    np.testing.assert_allclose(scores[1], [5, 4, 3, 2, 1], rtol=1e-6)


def test_only_unwanted_answers_give_no_column(kind, storage, world):
    table, query, _ = world
    rows, scores = ask(build(kind, table, storage), query, [0, -1] * 3, [[1, 2]] * 6)
    assert (rows.shape, scores.shape) == ((6, 0), (6, 0))


@pytest.mark.parametrize("count", [0, 1, 5, 20, 38, 40, 41, 2000])
def test_exclusions_of_any_size_never_answer_and_never_cost_an_answer_that_is_there(kind, storage, world, count):
    table, query, scores = world
    rng = np.random.default_rng(count)
    exclude = np.stack([np.resize(rng.permutation(np.arange(1, 42))[:count], count) for _ in query])
    rows, answers = ask(build(kind, table, storage), query, [10] * 6, exclude)
    for one, answer in enumerate(rows):
        wanted = best(scores[one], 10, set(exclude[one].tolist()))
        assert answer.tolist() == wanted + [0] * (10 - len(wanted))
        assert answers[one, : len(wanted)].tolist() == scores[one, wanted].tolist()


def test_rows_do_not_depend_on_their_batch_mates(kind, storage, world):
    table, query, _ = world
    index = build(kind, table, storage)
    k, exclude = [1, 5, 41, 3, 0, 60], np.random.default_rng(1).integers(0, 42, (6, 30))
    exclude[1] = exclude[3] = 0
    include = np.zeros([6, 3], int)
    include[2] = [7, 0, 9]
    allowed = np.ones([6, 42], bool)
    allowed[3, ::2] = False
    together, scores = ask(index, query, k, exclude, include, allowed)
    for one in range(6):
        part = slice(one, one + 1)
        alone = ask(index, query[part], k[part], exclude[part], include[part], allowed[part])
        width = alone[0].shape[1]
        assert together[one].tolist() == alone[0][0].tolist() + [0] * (41 - width)
        assert scores[one, :width].tolist() == alone[1][0].tolist()


def test_only_inclusions_answer_even_if_repeated_excluded_or_absent(kind, storage, world):
    table, query, scores = world
    include = [[7, 7, 9, 30], [-1, 0, 0, 0], [0, 0, 0, 0], [-1, 8, 0, 0], [1, 2, 3, 4], [41, 0, 41, 0]]
    exclude = [[9], [0], [1], [0], [2], [41]]
    rows, _ = ask(build(kind, table, storage), query, [3] * 6, exclude, include)
    everything = set(range(1, 42))
    for one, answer in enumerate(rows):
        listed = {row for row in include[one] if row > 0} if any(include[one]) else everything
        wanted = best(scores[one], 3, (everything - listed) | set(exclude[one]))
        assert answer.tolist() == wanted + [0] * (3 - len(wanted))


def test_inclusions_of_all_rows_of_a_batch_are_ranked_alike(kind, storage, world):
    table, query, scores = world
    include = [[7, 7, 9, 30]] * 6
    rows, answers = ask(build(kind, table, storage), query, [9] * 6, None, include)
    for one, answer in enumerate(rows):
        wanted = best(scores[one], 9, set(range(42)) - {7, 9, 30})
        assert answer.tolist() == wanted + [0] * 6
        assert answers[one].tolist() == scores[one, wanted].tolist() + [LOWEST] * 6


def test_only_allowed_items_answer(kind, storage, world):
    table, query, scores = world
    allowed = np.random.default_rng(2).random((6, 42)) < [[0.1], [0.3], [0.2], [0.0], [0.4], [0.05]]
    rows, _ = ask(build(kind, table, storage), query, [30] * 6, [[5], [6], [0], [0], [1], [2]], None, allowed)
    for one, answer in enumerate(rows):
        wanted = best(scores[one], 30, set(np.flatnonzero(~allowed[one])) | {[5, 6, 0, 0, 1, 2][one]})
        assert answer.tolist() == wanted + [0] * (30 - len(wanted))


def test_ties_go_by_row_wherever_they_lie(kind, storage):
    table = np.ones([42, 2], np.float32)
    table[[4, 30]] = 2
    rows, _ = ask(build(kind, table, storage), np.ones([1, 2]), [12])
    assert rows.tolist() == [[4, 30, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]]


def test_a_batch_of_no_query_is_no_error(kind, storage, world):
    index = build(kind, world[0], storage)
    for extra in ([], [np.zeros([0, 2])], [np.zeros([0, 0]), np.zeros([0, 3])]):
        rows, scores = ask(index, np.zeros([0, 4]), np.zeros([0]), *extra)
        assert (rows.shape, scores.shape) == ((0, 0), (0, 0))


@pytest.mark.parametrize("storage", RELOADED)
def test_saved_and_reloaded_it_answers_and_holds_the_same(kind, storage, world, tmp_path):
    table, query, _ = world
    index = build(kind, table, storage)
    index.call = tf.function(
        lambda query, k, exclude, include: index.search(query, k, exclude, include),
        input_signature=[
            tf.TensorSpec([None, 4]),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
        ],
    )
    tf.saved_model.save(index, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_array_equal(loaded.embeddings(), index.embeddings())
    for exclude, include in (([[3, 4]] * 6, [[]] * 6), ([[]] * 6, [[1, 9]] * 6), ([[0] * 2000] * 6, [[0]] * 6)):
        asked = [tf.constant([4] * 6), tf.constant(exclude, tf.int32), tf.constant(include, tf.int32)]
        for got, wanted in zip(loaded.call(query, *asked), index.search(query, *asked), strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_blocks_give_what_the_whole_table_gives():
    rng = np.random.default_rng(0)
    table = rng.integers(-3, 4, (20_001, 3)).astype(np.float32)  # three blocks of 8,192 rows for 256 queries
    query = rng.integers(-3, 4, (256, 3)).astype(np.float32)
    exclude = rng.integers(0, 20_001, (256, 5))
    scores = query @ table.T
    scores[:, 0] = -np.inf
    np.put_along_axis(scores, exclude, -np.inf, axis=1)
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :50]
    rows, answers = ask(ExactIndex(table), query, [50] * 256, exclude)
    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_array_equal(answers, np.take_along_axis(scores, wanted, axis=1))
    cut = IvfIndex(ExactIndex(table), cut_into_cells(table, 0), 10_000, depth=100)
    np.testing.assert_array_equal(ask(cut, query, [50] * 256, exclude)[0], wanted)


@pytest.mark.parametrize(("storage", "nbytes"), [("float32", 16384), ("float16", 8192), ("int8", 4096 + 256)])
def test_storage_takes_the_bytes_it_says_and_rounds_as_little(storage, nbytes):
    table = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    index = ExactIndex(table, storage)
    assert index.nbytes == nbytes
    largest = np.abs(table).max(axis=1, keepdims=True)
    step = {"float32": 0, "float16": 2**-11 * np.abs(table), "int8": largest / 254}[storage]
    assert (np.abs(index.embeddings() - table) <= step * 1.001).all()


def test_what_was_gathered_from_a_table_does_not_make_later_reads_copy_it(kind, storage, world):
    table, query, _ = world
    index = build(kind, table, storage)
    ask(index, query, [3] * 6, include=[[1, 2]] * 6)
    index.stored.take(tf.constant([1, 2]))
    for part in [*index.stored.variables, *getattr(index, "by_cell", index.stored).variables]:
        first, second = part.value(), part.value()
        assert np.shares_memory(*(np.asarray(memoryview(read)) for read in (first, second)))


def test_an_index_says_whether_it_scores_every_item(kind):
    assert build(kind, np.ones([5, 4], np.float32)).is_exact == kind.startswith("exact")
