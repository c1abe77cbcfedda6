"""What a refreshed index keeps from the one before it."""

import numpy as np
import pytest

from mmrec.export.held_items import HeldItems
from mmrec.index.cells import Cells, refreshed_cells
from mmrec.index.item_table import ItemTable
from mmrec.index.rows import encode

# Rows 1 and 2 are on the right, 3 and 4 above; a cell has two rows.
TABLE = np.array([[0, 0], [4, 0], [3, 0], [0, 4], [0, 3]], np.float32)
CELLS = Cells(np.array([[1, 2], [3, 4]], np.int32), np.array([[3.5, 0], [0, 3.5]], np.float32))


def test_delisted_rows_leave_their_cells_and_new_ones_join_the_nearest():
    table = np.array([[0, 0], [4, 0], [0, 4], [0, 3], [9, 1]], np.float32)
    cells = refreshed_cells(CELLS, table, np.array([0, 1, 3, 4, 0]))
    assert cells.rows.tolist() == [[1, 4], [2, 3]]
    np.testing.assert_array_equal(cells.centres, CELLS.centres)


def test_a_row_that_stays_keeps_its_cell():
    table = np.array([[0, 0], [0, 9], [3, 0]], np.float32)  # it has moved, but its source says that it stays
    assert refreshed_cells(CELLS, table, np.array([0, 1, 2])).rows.tolist() == [[1, 2], [0, 0]]


def test_a_cell_that_overflows_is_halved_and_its_centre_gives_way():
    table = np.array([[0, 0], [4, 0], [3, 0], [0, 4], [0, 3], [9, 0]], np.float32)
    refreshed = refreshed_cells(CELLS, table, np.array([0, 1, 2, 3, 4, 0]))
    cells = {
        tuple(row): centre.tolist() for row, centre in zip(refreshed.rows.tolist(), refreshed.centres, strict=True)
    }
    assert cells in (
        {(5, 0): [9, 0], (1, 2): [3.5, 0], (3, 4): [0, 3.5]},
        {(1, 5): [6.5, 0], (2, 0): [3, 0], (3, 4): [0, 3.5]},
    )


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
def test_what_is_taken_over_is_not_rounded_again_and_what_is_new_is_rounded_alone(storage):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((6, 4)).astype(np.float32)
    codes = encode(np.concatenate([np.zeros([1, 3]), vectors[:4, :3]]), storage)
    held = HeldItems(codes, np.arange(5, dtype=np.float32)[:, np.newaxis])
    after = held.refreshed(np.array([0, 4, 2, 0, 0]), ItemTable.split(vectors[4:], 1))
    alone = encode(vectors[4:, :3], storage)
    np.testing.assert_array_equal(after.codes.values, [codes.values[0], *codes.values[[4, 2]], *alone.values])
    assert after.codes.values.dtype == codes.values.dtype
    if storage == "int8":
        np.testing.assert_array_equal(after.codes.scale, [1, *codes.scale[[4, 2]], *alone.scale])
    np.testing.assert_array_equal(after.read[:, 0], [0, 4, 2, *vectors[4:, 3]])
    far = np.abs(alone.vectors() - vectors[4:, :3]).max(axis=1)
    assert (far <= alone.rounding() * 1.0001).all()
    assert (alone.rounding() < 0.02).all()
