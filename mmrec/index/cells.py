"""Divides a table of vectors into cells of near neighbours, all of the same size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_ROUNDS = 8
_SAMPLED = 64  # vectors per centre that k-means looks at
_BLOCK = 2**24  # products at once
_SMALLEST, _LARGEST = 16, 256  # rows of a cell
_CELLS = 8  # cells per group of k-means: with fewer, the partly filled cells waste more room


@dataclass(frozen=True)
class Cells:
    """C cells of at most S rows that lie near each other.

    Attributes:
      rows: int32 [C, S], the rows of each cell, ascending, padded with 0 at the end.
      centres: float32 [C, D], the mean of each cell's vectors.
    """

    rows: np.ndarray
    centres: np.ndarray


def cut_into_cells(table: np.ndarray, seed: int) -> Cells:
    """Finds groups by k-means, and halves each across its longest axis until a cell has at most S rows.

    S is the power of 2 nearest to sqrt(N) / 8, from 16 to 256, and a group is about eight times as large. With cells of
    one size, all queries cost the same; k-means alone would make cells of very different sizes.

    Args:
      table: float32 [N + 1, D]; row 0 is padding and in no cell.
      seed: seed for the vectors that k-means starts with.

    Source: Jegou et al., TPAMI 2011, doi:10.1109/TPAMI.2010.57 (the inverted file); the halving is ours.
    """
    items = len(table) - 1
    size = min(max(2 ** round(math.log2(max(items, 1) ** 0.5 / 8)), _SMALLEST), _LARGEST)
    group = _k_means(table[1:], max(1, items // (_CELLS * size)), np.random.default_rng(seed))
    order = np.argsort(group, kind="stable") + 1
    cells = []
    for rows in np.split(order, np.cumsum(np.bincount(group))[:-1]):
        cells += _halved(table, rows, size)
    return Cells(_padded(cells, size), np.stack([table[rows].mean(axis=0) for rows in cells]))


def refreshed_cells(cells: Cells, table: np.ndarray, source: np.ndarray) -> Cells:
    """Keeps known rows in their cells, and puts new ones into the cell with the nearest centre.

    A cell that then has more than S rows is halved as in `cut_into_cells`, and its parts get their own means as
    centres; all other centres stay. (Wider cells instead would make every query slower: one crowded cell would set the
    width.)

    Args:
      cells: the cells of an earlier table, with S rows each.
      table: float32 [M + 1, D]; row 0 is padding.
      source: int64 [M + 1], the row of the earlier table that each row comes from; 0: a new row without a cell.

    Returns:
      At least as many cells as before; some may be empty.
    """
    size = cells.rows.shape[1]
    earlier = np.zeros(max(int(cells.rows.max(initial=0)), int(source.max(initial=0))) + 1, np.int64)
    earlier[cells.rows.ravel()] = np.repeat(np.arange(len(cells.rows)), size)
    cell, fresh = earlier[source], np.flatnonzero(source == 0)[1:]
    if len(fresh):
        cell[fresh] = _nearest(table[fresh], cells.centres)
    order = np.argsort(cell[1:], kind="stable") + 1
    held = np.split(order, np.cumsum(np.bincount(cell[1:], minlength=len(cells.rows)))[:-1])
    rows, centres = [], []
    for group, centre in zip(held, cells.centres, strict=True):
        parts = [group] if len(group) <= size else _halved(table, group, size)
        rows += parts
        centres += [centre] if len(parts) == 1 else [table[part].mean(axis=0) for part in parts]
    return Cells(_padded(rows, size), np.stack(centres))


def _padded(cells: list[np.ndarray], size: int) -> np.ndarray:
    """Returns int32 [C, S], the rows of each cell, ascending and padded with 0."""
    padded = np.zeros([len(cells), size], np.int32)
    for cell, rows in zip(padded, cells, strict=True):
        cell[: len(rows)] = np.sort(rows)
    return padded


def _k_means(vectors: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Returns int [N], for each vector the nearest of at most `count` centres."""
    sample = vectors[rng.permutation(len(vectors))[: count * _SAMPLED]]
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        nearest = _nearest(sample, centres)
        order = np.argsort(nearest, kind="stable")
        present, first = np.unique(nearest[order], return_index=True)
        sizes = np.diff(np.append(first, len(order)))
        centres[present] = np.add.reduceat(sample[order], first, axis=0) / sizes[:, np.newaxis]
    return _nearest(vectors, centres)


def _nearest(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    half = np.square(centres).sum(axis=1) / 2
    step = max(1, _BLOCK // len(centres))
    blocks = (vectors[start : start + step] for start in range(0, len(vectors), step))
    return np.concatenate([(block @ centres.T - half).argmax(axis=1) for block in blocks])


def _halved(table: np.ndarray, rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Divides rows into the fewest cells of at most `size`, all about equally full."""
    cells = -(-len(rows) // size)
    if cells < 2:
        return [rows] if cells else []
    vectors = table[rows] - table[rows].mean(axis=0)
    axis = vectors[np.square(vectors).sum(axis=1).argmax()]
    for _ in range(4):  # power iteration, close enough to the axis of largest variance
        axis = (vectors @ axis) @ vectors
        axis /= max(float(np.linalg.norm(axis)), 1e-30)
    order, cut = np.argsort(vectors @ axis, kind="stable"), len(rows) * (cells // 2) // cells
    return _halved(table, rows[order[:cut]], size) + _halved(table, rows[order[cut:]], size)
