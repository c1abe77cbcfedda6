"""Draws what the sample shop's shoppers choose, by a softmax of their liking, without a [users, items] matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

_CHUNK = 1000  # shoppers drawn together
_ROUNDS = 100  # draws per line before it is given up


def choose_items(
    groups: dict[str, np.ndarray],
    popularity: np.ndarray,
    launch: np.ndarray,
    care: dict[str, np.ndarray],
    taste: dict[str, np.ndarray],
    drift: np.ndarray,
    user: np.ndarray,
    when: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws the item of each line, by a softmax over the launched items that the shopper has not bought yet.

    Liking depends on an item's groups only, so a cell (the items with equal groups) is drawn first, then an item of it
    by popularity; what is not launched or already bought is drawn again.

    Args:
      groups: per facet, int [I] in 0..G; G stands for "none".
      popularity: float [I] > 0.
      launch: int64 [I], seconds since the epoch.
      care: per facet, float [U], log-odds of a favourite group.
      taste: per facet, float [U, 2, G] in 0..1, before and after the drift.
      drift: int64 [U], seconds since the epoch.
      user: int32 [E], in ascending order.
      when: int64 [E], seconds since the epoch.
      rng: the source of everything random.

    Returns:
      int32 [E], item rows; -1 where nothing was found in time.
    """
    cells = _Cells(groups, popularity, {facet: values.shape[-1] for facet, values in taste.items()})
    bounds = np.searchsorted(user, np.arange(0, len(drift) + _CHUNK, _CHUNK))
    chosen = []
    for chunk, (start, stop) in enumerate(pairwise(bounds)):
        here = slice(chunk * _CHUNK, (chunk + 1) * _CHUNK)
        odds = cells.odds({f: care[f][here] for f in care}, {f: taste[f][here] for f in taste})  # [2 * users, cells]
        buyer, time = user[start:stop].astype(np.int64), when[start:stop]
        state = 2 * (buyer - here.start) + (time >= drift[buyer])  # the line's row of `odds`
        item = np.full(len(buyer), -1, np.int64)
        for _ in range(_ROUNDS):
            pending = np.flatnonzero(item < 0)
            if not len(pending):
                break
            drawn = cells.draw(odds, state[pending], rng)
            item[pending] = np.where(launch[drawn] <= time[pending], drawn, -1)
            item[_repeats(buyer * len(launch) + item, item >= 0, pending)] = -1
        chosen.append(item)
    return np.concatenate(chosen).astype(np.int32)


class _Cells:
    """The items, sorted into cells of equal groups."""

    def __init__(self, groups: dict[str, np.ndarray], popularity: np.ndarray, numbers: dict[str, int]) -> None:
        key = np.ravel_multi_index([groups[facet] for facet in numbers], [number + 1 for number in numbers.values()])
        self.order = np.argsort(key, kind="stable")  # [I], item rows by cell
        _, self.first, self.members = np.unique(key[self.order], return_index=True, return_counts=True)  # [cells]
        self.below = np.concatenate([[0.0], np.cumsum(popularity[self.order])])  # [I + 1]
        self.low = self.below[self.first]
        self.mass = self.below[self.first + self.members] - self.low
        self.groups = {facet: groups[facet][self.order[self.first]] for facet in numbers}

    def odds(self, care: dict[str, np.ndarray], taste: dict[str, np.ndarray]) -> np.ndarray:
        """Returns float64 [2 * users, cells]: row r holds r plus the cumulative probabilities of the cells."""
        total = np.log(self.mass)
        for facet, cell_group in self.groups.items():
            liking = np.pad(taste[facet], ((0, 0), (0, 0), (0, 1)))  # none: no liking
            total = total + care[facet][:, None, None] * liking[:, :, cell_group]  # [users, 2, cells]
        share = np.cumsum(np.exp(total), axis=-1).reshape(-1, len(self.mass))
        return share / share[:, -1:] + np.arange(len(share))[:, None]

    def draw(self, odds: np.ndarray, state: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Returns one item row for each entry of `state`, a row of `odds`."""
        cell = np.searchsorted(odds.ravel(), state + rng.random(len(state)), side="right") - state * odds.shape[1]
        cell = np.minimum(cell, odds.shape[1] - 1)
        point = self.low[cell] + self.mass[cell] * rng.random(len(state))
        place = np.searchsorted(self.below, point, side="right") - 1
        return self.order[np.clip(place, self.first[cell], (self.first + self.members)[cell] - 1)]


def _repeats(key: np.ndarray, valid: np.ndarray, pending: np.ndarray) -> np.ndarray:
    """Returns the `pending` positions whose `key` came earlier, among settled lines or earlier pending ones."""
    settled = valid.copy()
    settled[pending] = False
    place = np.concatenate([np.flatnonzero(settled), pending[valid[pending]]])
    _, first = np.unique(key[place], return_index=True)
    repeated = np.ones(len(place), bool)
    repeated[first] = False
    return place[repeated]
