"""Item-to-item neighbours (item-kNN): which items were near each other in training histories."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from mmrec.data.ragged import Ragged

_TIE_BREAK = 1e-6  # popularity's share of a neighbour score: enough to order equal ones


@dataclass(frozen=True)
class ItemKNN:
    """Scores items by how often they came near the items of the history in training, above all after them.

    The similarity of item j to item i is the number of their co-occurrences, decayed with distance, divided by
    sqrt((n_i + s) (n_j + s)), where n is an item's number of training events and s the shrinkage. Events of a user at
    the same time form one basket, which has no order: its items are as near to each other as to those of the next
    basket.

    Attributes:
      window: a basket is near another if fewer than this many events are between them.
      window_decay: factor per basket of distance after the first, in 0..1.
      backward: weight of an item that came before; one in the same basket or after it has weight 1.
      shrinkage: s, in events: lowers similarities that rest on a few events of rare items.
      neighbours: largest number of neighbours kept per item.
      history_decay: factor per basket back in the history of a query, in 0..1.
      own: whether an item is its own neighbour, with similarity n_i / (n_i + s), as repeat consumption needs.

    Source: Linden et al., IEEE Internet Computing 2003, doi:10.1109/MIC.2003.1167344. The decays, the direction and the
    shrinkage are ours; the defaults were chosen on the validation parts of the data sets in benchmarks/baselines.py.
    """

    window: int = 10
    window_decay: float = 0.9
    backward: float = 0.4
    shrinkage: float = 50.0
    neighbours: int = 200
    history_decay: float = 0.7
    own: bool = False

    def fit(
        self, histories: Ragged, items: int, times: np.ndarray | None = None, most_pairs: int = 8_000_000
    ) -> Neighbours:
        """Counts co-occurrences and keeps each item's nearest neighbours.

        Works through blocks of items, so that memory does not grow with the number of pairs.

        Args:
          histories: one row per user of training item rows in 1..N, oldest first.
          items: N, the number of items.
          times: numbers [V], parallel to `histories.values`; equal times of a user form one basket. None: every event
            is its own basket.
          most_pairs: largest number of co-occurrences counted at once (more if a single item has more). Only memory
            depends on it.

        Returns:
          The neighbours, ready to score.
        """
        counts = np.bincount(histories.values, minlength=items + 1)  # [N + 1]
        scale = (1 / np.sqrt(np.maximum(counts + self.shrinkage, 1))).astype(np.float32)
        by_item = sparse.diags_array(scale)
        baskets = _Baskets(histories, items, times)
        pairs = np.bincount(histories.values, baskets.events_near(self.window)[baskets.of_event], items + 1)
        block = (np.cumsum(pairs) // most_pairs).astype(np.int64)  # by item row, non-decreasing
        bounds = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), items + 1]
        kept = []
        for first, last in itertools.pairwise(bounds):
            table = self._near(baskets, first, last)
            kept.append(_largest(sparse.diags_array(scale[first:last]) @ table @ by_item, self.neighbours))
        similarity = sparse.vstack(kept, format="csr")
        if self.own:
            similarity = similarity + sparse.diags_array(counts * scale**2, dtype=np.float32)
        popularity = (_TIE_BREAK * counts / max(1, counts.max())).astype(np.float32)
        return Neighbours(similarity.tocsr(), popularity, self.history_decay)

    def _near(self, baskets: _Baskets, first: int, last: int) -> sparse.csr_array:
        """Returns float32 [last - first, N + 1], the decayed co-occurrences of items first..last-1."""
        event = np.flatnonzero((baskets.items >= first) & (baskets.items < last))
        here, place = np.unique(baskets.of_event[event], return_inverse=True)
        near = baskets.rows(here, 0, self.window)  # [K, N + 1], the items near each of these baskets
        for distance in range(1, self.window + 1):
            weight = np.float32(self.window_decay ** (distance - 1))
            after, before = (baskets.rows(here, later, self.window) for later in (distance, -distance))
            near = near + weight * after + weight * np.float32(self.backward) * before
        ones = np.ones(len(event), np.float32)
        table = sparse.csr_array((ones, (baskets.items[event] - first, place)), (last - first, len(here))) @ near
        table.data[table.indices == np.repeat(np.arange(first, last), np.diff(table.indptr))] = 0  # an item and itself
        table.eliminate_zeros()
        return table


class _Baskets:
    """The events of users in baskets; the baskets of one user follow each other.

    Args:
      histories, items, times: as for `ItemKNN.fit`.

    Attributes:
      items: int32 [V], the item row of each event.
      of_event: int64 [V], the basket of each event.
    """

    def __init__(self, histories: Ragged, items: int, times: np.ndarray | None):
        self.items, user = histories.values, histories.row_of_value
        begins = _begins(user, times)
        self.of_event = np.cumsum(begins) - 1
        self._user = user[begins]  # [K]
        self._starts = np.append(np.flatnonzero(begins), len(user))  # [K + 1]
        ones = np.ones(len(user), np.float32)
        self._held = sparse.csr_array((ones, self.items, self._starts), (len(self._user), items + 1))

    def events_near(self, window: int) -> np.ndarray:
        """Returns int64 [K], an upper bound of the number of events in each basket and those near it."""
        starts = self._starts
        first = np.searchsorted(starts, starts[:-1] - window, side="right") - 1
        end = np.searchsorted(starts, starts[1:] + window)
        first = np.maximum(first, np.searchsorted(self._user, self._user))
        end = np.minimum(end, np.searchsorted(self._user, self._user, side="right"))
        return starts[end] - starts[first]

    def rows(self, baskets: np.ndarray, later: int, window: int) -> sparse.csr_array:
        """Returns float32 [K, N + 1], how often each item is in the baskets that come `later` places after these.

        A basket of another user, or with `window` or more events in between, counts as empty.
        """
        place = np.clip(baskets + later, 0, len(self._user) - 1)
        between = self._starts[np.maximum(place, baskets)] - self._starts[np.minimum(place, baskets) + 1]
        near = (place == baskets + later) & (self._user[place] == self._user[baskets]) & (between < window)
        return sparse.diags_array(near.astype(np.float32)) @ self._held[place]


def _begins(user: np.ndarray, times: np.ndarray | None) -> np.ndarray:
    """Returns bool [V], whether a new basket begins at each event; without `times` one does at every event."""
    begins = np.ones(len(user), bool)
    if times is not None:
        begins[1:] = (user[1:] != user[:-1]) | (times[1:] != times[:-1])
    return begins


@dataclass(frozen=True)
class Neighbours:
    """A fitted `ItemKNN`.

    Attributes:
      similarity: sparse float32 [N + 1, N + 1]; row i holds the nearest neighbours of item i.
      popularity: float32 [N + 1], added to every score: it orders equal scores, and ranks for an empty history.
      history_decay: factor per basket back in the history.
    """

    similarity: sparse.csr_array
    popularity: np.ndarray
    history_decay: float

    def scorer(self, history: Ragged, times: np.ndarray | None = None) -> Callable[[np.ndarray], np.ndarray]:
        """Returns a `ranking.Scorer` for Q queries.

        Args:
          history: Q rows of item rows, oldest first.
          times: as for `ItemKNN.fit`.
        """
        basket = np.cumsum(_begins(history.row_of_value, times))
        last = basket[np.repeat(history.offsets[1:], history.lengths) - 1]
        age = last - basket  # 0: the last basket
        weight = (self.history_decay ** age.astype(np.float64)).astype(np.float32)
        shape = (len(history), len(self.popularity))
        asked = sparse.csr_array((weight, history.values, history.offsets), shape=shape)  # [Q, N + 1]
        return lambda queries: (asked[queries] @ self.similarity).toarray() + self.popularity  # [B, N + 1]


def _largest(table: sparse.csr_array, most: int) -> sparse.csr_array:
    """Keeps the largest values of each row; ties by column."""
    table.sort_indices()
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((-table.data, row))
    order = order[np.arange(len(order)) - table.indptr[row] < most]
    return sparse.csr_array((table.data[order], (row[order], table.indices[order])), shape=table.shape)
