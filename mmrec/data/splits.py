"""Splits events into training histories and the queries of validation and test, with their right answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np

from mmrec.config.data import SplitConfig
from mmrec.data.context import EventContext, QueryContext
from mmrec.data.interactions import Interactions
from mmrec.data.ragged import Ragged, distinct
from mmrec.data.split_reasons import why_empty
from mmrec.errors import InputError


@dataclass(frozen=True)
class Queries:
    """Q queries for evaluation, one per user.

    Attributes:
      user: int32 [Q], the user of each query.
      history: Q rows of item rows: the user's strictly earlier positive and negative events, oldest first.
      seen: Q sorted rows of distinct item rows that are excluded from ranking: items of earlier events that count as
        seen; empty with repeat consumption.
      relevant: Q sorted rows of distinct item rows, the right answers: later positive items that are not in `seen`.
      dropped: number of answers or queries that were left out, by reason.
      context: the context of the queries; None: they have none.
    """

    user: np.ndarray
    history: Ragged
    seen: Ragged
    relevant: Ragged
    dropped: dict[str, int]
    context: QueryContext | None = None

    @property
    def liked(self) -> Ragged:
        """The histories without negative events."""
        if self.context is None or self.context.events.negative is None:
            return self.history
        return self.history.where(~self.context.events.negative[self.context.place.values])

    def liked_times(self, time: np.ndarray) -> np.ndarray:
        """Returns float64 [V], the times of the events of `liked`, out of the times of all events (float64 [E])."""
        places, negative = self.context.place.values, self.context.events.negative
        return time[places if negative is None else places[~negative[places]]]

    def take(self, places: np.ndarray) -> Queries:
        """Returns the queries at these positions (int [S])."""
        rows = (self.history.take(places), self.seen.take(places), self.relevant.take(places))
        context = None if self.context is None else self.context.take(places)
        return Queries(self.user[places], *rows, self.dropped, context)

    def sample(self, most: int | None, seed: int) -> Queries:
        """Returns a random sample of the queries, in their order; the others count as dropped (`not_sampled`).

        Args:
          most: largest number of queries. None: all.
          seed: seed of the sample.
        """
        count = len(self.user)
        if most is None or count <= most:
            return self
        taken = self.take(np.sort(np.random.default_rng(seed).permutation(count)[:most]))
        return replace(taken, dropped=self.dropped | {"not_sampled": count - most})


@dataclass(frozen=True)
class Histories:
    """The training events of U users.

    Attributes:
      rows: U rows of item rows: positive and negative training events, oldest first; a user may have none.
      time: float64 [V], parallel to `rows.values`; equal times of a user form one basket.
      weight: float64 [V], how much each event counts as an answer; None: all alike.
      context: times, types and kinds of the V events, as far as they are read.
    """

    rows: Ragged
    time: np.ndarray
    weight: np.ndarray | None = None
    context: EventContext = field(default_factory=EventContext)

    @property
    def liked(self) -> Histories:
        """The histories and times without negative events."""
        if self.context.negative is None:
            return self
        kept = ~self.context.negative
        return Histories(self.rows.where(kept), self.time[kept])

    @property
    def median_gap(self) -> float:
        """The median time between consecutive baskets of a user; 1 where no user has two."""
        user = self.rows.row_of_value
        gap = np.diff(self.time)[user[1:] == user[:-1]]
        gap = gap[gap > 0]
        return float(np.median(gap)) if len(gap) else 1.0

    def counts(self, items: int) -> np.ndarray:
        """Returns int64 [items + 1], the number of positive training events by item row."""
        return np.bincount(self.liked.rows.values, minlength=items + 1)


@dataclass(frozen=True)
class Split:
    """Training histories, and the queries of validation and test."""

    train: Histories
    validation: Queries
    test: Queries


def split(
    events: Interactions,
    config: SplitConfig,
    *,
    repeat_consumption: bool = False,
    min_history: int = 1,
    context: Collection[str] = (),
) -> Split:
    """Splits the events by time into training, validation and test.

    A query's history is the user's positive and negative events strictly before its limit: the cut (`time`), or the
    time of the basket to be predicted (`leave_last_out`). The limit is also the time of the query. All earlier events
    count as `seen`, unless `events.seen` says otherwise.

    Args:
      events: sorted events.
      config: kind and sizes of the split.
      repeat_consumption: whether items that the user had before may be right answers; then nothing is excluded.
      min_history: length of the shortest history of a query.
      context: what is read of events besides their items, see `query.context`.

    Raises:
      InputError: validation, test or training would be empty, or no training answer has a weight above 0.
    """
    users = len(events.user_ids)
    read = EventContext(
        events.time if "time_gap" in context else None,
        events.event if "event" in context else None,
        events.event_types,
        events.negative,
    )
    if config.kind == "time":
        first, second = time_cuts(events, config)
        train = events.positive & (events.time < first)
        validation = (events.time >= first) & (events.time < second), np.full(users, first)
        test = events.time >= second, np.full(users, second)
    else:
        train, validation, test = _leave_last_out(events, users)
    if events.negative is not None:  # those before the user's validation basket, if any
        train = train | (events.negative & ~(events.time >= validation[1][events.user]))
    parts = [
        _queries(events, asked & events.positive, limit, repeat_consumption, min_history, read)
        for asked, limit in (validation, test)
    ]
    for name, part in zip(("validation", "test"), parts, strict=True):
        if len(part.user) == 0:
            reason, remedy = why_empty(events, config.kind, name, part.dropped, min_history)
            raise InputError(
                f"`data.split`: leaves no {name} query: {reason}. Received: kind {config.kind}, {len(events):,} "
                f"events. {remedy}."
            )
    if not (train & events.positive).any():
        raise InputError("`data.split`: leaves no training event. Lower `validation_fraction` and `test_fraction`.")
    if events.weight is not None and not events.weight[train & events.positive].any():
        raise InputError(
            "`data.interactions.weight`: must be above 0 somewhere among the training events. Received: 0 in all of "
            "them. Name another column, or none."
        )
    rows = Ragged.grouped(events.user[train], events.row[train], users)
    weight = None if events.weight is None else events.weight[train]
    return Split(Histories(rows, events.time[train], weight, read.where(train)), *parts)


def time_cuts(events: Interactions, config: SplitConfig) -> tuple[float, float]:
    """Returns the times at which validation and test begin, for splits of kind `time`."""
    ordered = np.sort(events.time)
    shares = (1 - config.validation_fraction - config.test_fraction, 1 - config.test_fraction)
    first, second = (float(ordered[int(len(ordered) * share + 1e-6)]) for share in shares)  # 1 - .4 - .2 is below .4
    return first, second


def _leave_last_out(events: Interactions, users: int) -> tuple:
    """Makes each user's last positive basket test and the one before validation, if at least one more is left."""
    places = np.flatnonzero(events.positive)
    user, time = events.user[places], events.time[places]
    last = np.append((user[1:] != user[:-1]) | (time[1:] != time[:-1]), True)  # in its basket
    basket = np.cumsum(last) - last  # [P], number of each event's basket, counted over all users
    baskets = np.bincount(user[last], minlength=users)  # [U]
    from_end = np.cumsum(baskets)[user] - 1 - basket
    enough = baskets[user] >= 3
    parts = []
    for back in (1, 0):
        chosen = places[enough & (from_end == back)]
        asked, limit = np.zeros(len(events), bool), np.full(users, np.nan)  # no time is before or after NaN
        asked[chosen] = True
        limit[events.user[chosen]] = events.time[chosen]
        parts.append((asked, limit))
    train = np.zeros(len(events), bool)
    train[places[~enough | (from_end > 1)]] = True
    return train, *parts


def _queries(
    events: Interactions, asked: np.ndarray, limit: np.ndarray, repeat: bool, min_history: int, read: EventContext
) -> Queries:
    earlier = events.time < limit[events.user]
    is_history = earlier & (events.positive if read.negative is None else events.positive | read.negative)
    pair = events.user.astype(np.int64) << 32 | events.row  # one number per (user, item)
    keeps_out = earlier if events.seen is None else earlier & events.seen
    seen = np.zeros(0, np.int64) if repeat else distinct(pair[keeps_out])
    answers = distinct(pair[asked])
    fresh = answers[~np.isin(answers, seen)]
    history_length = np.bincount(events.user[is_history], minlength=len(limit))
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

    places = np.flatnonzero(is_history)
    place = Ragged.grouped(events.user[places], places, len(limit)).take(users)
    return Queries(
        user=users,
        history=Ragged(events.row[place.values], place.offsets),
        seen=rows_of(seen),
        relevant=rows_of(fresh),
        dropped={reason: count for reason, count in dropped.items() if count},
        context=QueryContext(read, place, limit[users], users),
    )
