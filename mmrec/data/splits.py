"""Queries: what is asked of a model when it is judged, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmrec.config_data import SplitConfig
from mmrec.data.interactions import Interactions
from mmrec.data.ragged import Ragged, distinct
from mmrec.errors import InputError


@dataclass(frozen=True)
class Queries:
    """One query per user and cut.

    Attributes:
      user: int32 [Q], the user of each query.
      history: Q rows of item rows of strictly earlier positive events, oldest first.
      seen: Q rows of distinct item rows that are excluded from ranking, each sorted; empty under repeat consumption.
      relevant: Q rows of distinct later positive item rows, none of them in `seen`, each sorted.
      dropped: what was left out and why, as reason -> count.
    """

    user: np.ndarray
    history: Ragged
    seen: Ragged
    relevant: Ragged
    dropped: dict[str, int]

    def take(self, places: np.ndarray) -> Queries:
        """Returns the queries at these places (int [S])."""
        rows = (self.history.take(places), self.seen.take(places), self.relevant.take(places))
        return Queries(self.user[places], *rows, self.dropped)


@dataclass(frozen=True)
class Histories:
    """What users did in training.

    Attributes:
      rows: U rows of item rows of positive training events, oldest first; a user may have none.
      time: float64 [V] beside `rows.values`; equal times of a user form one basket.
    """

    rows: Ragged
    time: np.ndarray

    def counts(self, items: int) -> np.ndarray:
        """Returns int64 [items + 1], training events by item row."""
        return np.bincount(self.rows.values, minlength=items + 1)


@dataclass(frozen=True)
class Split:
    """Training histories, and the queries of validation and test."""

    train: Histories
    validation: Queries
    test: Queries


def split(
    events: Interactions, config: SplitConfig, *, repeat_consumption: bool = False, min_history: int = 1
) -> Split:
    """Divides the events by time.

    A query's history is the user's positive events strictly before its limit: the cut (`time`), or the time of the
    event that is asked for (`leave_last_out`). All earlier events, positive or not, are `seen`.

    Args:
      events: sorted events.
      config: kind and sizes.
      repeat_consumption: whether items seen before may be right answers; then nothing is excluded.
      min_history: shorter histories give no query.

    Raises:
      InputError: when validation or test would be empty.
    """
    users = len(events.user_ids)
    if config.kind == "time":
        first, second = time_cuts(events, config)
        train = events.positive & (events.time < first)
        validation = (events.time >= first) & (events.time < second), np.full(users, first)
        test = events.time >= second, np.full(users, second)
    else:
        train, validation, test = _leave_last_out(events, users)
    kept = Ragged.grouped(events.user[train], events.row[train], users)
    parts = [
        _queries(events, asked & events.positive, limit, repeat_consumption, min_history)
        for asked, limit in (validation, test)
    ]
    for name, part in zip(("validation", "test"), parts, strict=True):
        if len(part.user) == 0:
            raise InputError(
                f"`data.split`: leaves no {name} query ({part.dropped or 'no event'}). Received: kind {config.kind}, "
                f"{len(events):,} events. Enlarge `{name}_fraction`, lower `evaluation.min_history`, give more events."
            )
    if not train.any():
        raise InputError("`data.split`: leaves no training event. Lower `validation_fraction` and `test_fraction`.")
    return Split(Histories(kept, events.time[train]), *parts)


def time_cuts(events: Interactions, config: SplitConfig) -> tuple[float, float]:
    """Returns the times at which validation and test begin, for the kind `time`."""
    ordered = np.sort(events.time)
    shares = (1 - config.validation_fraction - config.test_fraction, 1 - config.test_fraction)
    first, second = (float(ordered[int(len(ordered) * share + 1e-6)]) for share in shares)  # 1 - .4 - .2 is below .4
    return first, second


def _leave_last_out(events: Interactions, users: int) -> tuple:
    """Marks each user's last positive event as test and the one before as validation, where a third one is left."""
    places = np.flatnonzero(events.positive)
    user = events.user[places]
    from_end = np.searchsorted(user, user, side="right") - 1 - np.arange(len(user))
    enough = np.bincount(user, minlength=users)[user] >= 3
    parts = []
    for back in (1, 0):
        chosen = places[enough & (from_end == back)]
        asked, limit = np.zeros(len(events), bool), np.full(users, -np.inf)
        asked[chosen] = True
        limit[events.user[chosen]] = events.time[chosen]
        parts.append((asked, limit))
    train = np.zeros(len(events), bool)
    train[places[~enough | (from_end > 1)]] = True
    return train, *parts


def _queries(events: Interactions, asked: np.ndarray, limit: np.ndarray, repeat: bool, min_history: int) -> Queries:
    earlier = events.time < limit[events.user]
    pair = events.user.astype(np.int64) << 32 | events.row  # one number per (user, item)
    seen = np.zeros(0, np.int64) if repeat else distinct(pair[earlier])
    answers = distinct(pair[asked])
    fresh = answers[~np.isin(answers, seen)]
    history_length = np.bincount(events.user[earlier & events.positive], minlength=len(limit))
    users = distinct(fresh >> 32)
    short = history_length[users] < min_history
    dropped = {
        "already_seen": len(answers) - len(fresh),
        "nothing_new": len(distinct(answers >> 32)) - len(users),
        "short_history": int(short.sum()),
    }
    users = users[~short].astype(np.int32)

    def rows_of(pairs: np.ndarray) -> Ragged:
        return Ragged.grouped(pairs >> 32, pairs & 0xFFFFFFFF, len(limit)).take(users)

    return Queries(
        user=users,
        history=rows_of(pair[earlier & events.positive]),
        seen=rows_of(seen),
        relevant=rows_of(fresh),
        dropped={reason: count for reason, count in dropped.items() if count},
    )
