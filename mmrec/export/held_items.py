"""The vectors that an export holds of its items; the next version takes them over row by row, as they are stored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mmrec.index.cells import Cells, refreshed_cells
from mmrec.index.exact import ExactIndex
from mmrec.index.item_table import ItemTable
from mmrec.index.ivf import IvfIndex
from mmrec.index.rows import Codes, encode


@dataclass(frozen=True)
class HeldItems:
    """Vectors of items by row; row 0 is padding.

    Attributes:
      codes: [N + 1], the scored values of each item, as they are stored.
      read: float32 [N + 1, R], see `ItemTable`.
      cells: the cells of an approximate index; None: the index is exact.
    """

    codes: Codes
    read: np.ndarray
    cells: Cells | None = None

    def table(self) -> ItemTable:
        """Returns the vectors, their scored values as they are stored."""
        return ItemTable(self.codes.vectors(), self.read)

    def refreshed(self, source: np.ndarray, fresh: ItemTable) -> HeldItems:
        """Makes the items of the next version; vectors that are taken over are not rounded again.

        Args:
          source: int64 [M + 1], the row here whose vector each new row keeps; 0: it gets a fresh one. `source[0]` is 0.
          fresh: the fresh vectors in row order, without a padding row.
        """
        rows = np.flatnonzero(source == 0)[1:]
        made = encode(fresh.scored, self.codes.storage)
        values, read, scale = self.codes.values[source], self.read[source], None
        values[rows], read[rows] = made.values, fresh.read
        if self.codes.scale is not None:
            scale = self.codes.scale[source]
            scale[rows] = made.scale
        codes = Codes(values, scale)
        return HeldItems(codes, read, self.cells and refreshed_cells(self.cells, codes.vectors(), source))

    def index(self, share: float | None, depth: int) -> ExactIndex | IvfIndex:
        """Makes the index of these items.

        Args:
          share: the share of the cells that a query reads, above 0 and up to 1; unused if the index is exact.
          depth: see `IvfIndex`.
        """
        exact = ExactIndex(self.codes)
        if self.cells is None:
            return exact
        return IvfIndex(exact, self.cells, math.ceil(share * len(self.cells.rows) - 1e-9), depth)


def held_items(exported: tf.Module, count: int) -> HeldItems:
    """Takes the items out of a loaded export.

    Args:
      exported: what `tf.saved_model.load` returned.
      count: N + 1, the number of rows without those that only fill up the stored table.
    """
    index, cells = exported.index, None
    if hasattr(index, "cell_rows"):
        cells = Cells(index.cell_rows.numpy(), index.centres.numpy())
    stored = getattr(index, "exact", index).stored
    scale = getattr(stored, "scale", None)
    codes = Codes(stored.codes.numpy()[:count], None if scale is None else scale.numpy()[:count])
    read = getattr(exported, "read", None)
    return HeldItems(codes, np.zeros([count, 0], np.float32) if read is None else read.numpy(), cells)
