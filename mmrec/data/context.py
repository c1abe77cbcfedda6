"""The context of queries: times and types of the events in their histories, and the users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmrec import schema
from mmrec.data.ragged import Ragged


@dataclass(frozen=True)
class EventContext:
    """What is read of E events besides their items.

    Attributes:
      time: float64 [E]; None: not read.
      event: int32 [E], position of each event's type in `event_types`, 0 where it has none; None: not read.
      event_types: all types; the first is "", no type.
      negative: bool [E], which events are never answers; None: all may be.
    """

    time: np.ndarray | None = None
    event: np.ndarray | None = None
    event_types: Sequence[str] = ("",)
    negative: np.ndarray | None = None

    def where(self, keep: np.ndarray) -> EventContext:
        """Returns the context of the events for which `keep` (bool [E]) holds."""
        kept = [None if column is None else column[keep] for column in (self.time, self.event, self.negative)]
        return EventContext(kept[0], kept[1], self.event_types, kept[2])

    def inputs(self, place: np.ndarray, length: np.ndarray, now: np.ndarray) -> dict[str, np.ndarray]:
        """Makes the inputs of `towers.context` for B histories.

        Args:
          place: int [B, L], positions of the events, oldest first; after the last event, any position.
          length: int [B], number of events in each history.
          now: float64 [B], time of the query that sees the whole history.

        Returns:
          `history_time` float64 [B, L + 1], where times are read: the times, then `now`, then NaN. `history_event`
          int32 [B, L], where types are read: the types, then 0.
        """
        inside, arrays = np.arange(place.shape[1]) < length[:, np.newaxis], {}
        if self.time is not None:
            time = np.full((len(place), place.shape[1] + 1), np.nan)
            time[:, :-1][inside] = self.time[place[inside]]
            time[np.arange(len(place)), length] = now
            arrays[schema.HISTORY_TIME] = time
        if self.event is not None:
            arrays[schema.HISTORY_EVENT] = np.zeros(place.shape, np.int32)
            arrays[schema.HISTORY_EVENT][inside] = self.event[place[inside]]
        return arrays


@dataclass(frozen=True)
class QueryContext:
    """The context of Q queries.

    Attributes:
      events: the context of all events.
      place: Q rows, parallel to the histories: the position of each event in `events`.
      now: float64 [Q], the time of each query.
      user: int32 [Q], the user of each query.
    """

    events: EventContext
    place: Ragged
    now: np.ndarray
    user: np.ndarray

    def take(self, queries: np.ndarray) -> QueryContext:
        """Returns the context of the queries at these places (int [S])."""
        return replace(self, place=self.place.take(queries), now=self.now[queries], user=self.user[queries])

    def inputs(self, longest: int) -> dict[str, np.ndarray]:
        """Makes the inputs of `towers.context` from the last `longest` events of each history."""
        return self.events.inputs(self.place.last(longest), np.minimum(self.place.lengths, longest), self.now)

    def raw(self) -> dict[str, list]:
        """Returns the context as `Recommender.recommend` takes it: by input name a list, with one entry per query."""
        rows, lists = [self.place[query] for query in range(len(self.place))], {}
        if self.events.time is not None:
            lists[schema.HISTORY_TIME] = [self.events.time[row].tolist() for row in rows]
            lists[schema.NOW] = self.now.tolist()
        if self.events.event is not None:
            types = np.array(self.events.event_types, object)
            lists[schema.HISTORY_EVENT] = [types[self.events.event[row]].tolist() for row in rows]
        return lists
