"""What queries know beside the items of their histories: when each came, what was done with it, and who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mmrec import schema
from mmrec.data.ragged import Ragged


@dataclass(frozen=True)
class EventContext:
    """What is read of events beside their items.

    Attributes:
      time: float64 [E]; None: not read.
      event: int32 [E], place of each one's type in `event_types`, 0 where it has none; None: not read.
      event_types: the types; the first is "".
      negative: bool [E], which events are never answers; None: all may be.
    """

    time: np.ndarray | None = None
    event: np.ndarray | None = None
    event_types: Sequence[str] = ("",)
    negative: np.ndarray | None = None

    def where(self, keep: np.ndarray) -> EventContext:
        """Returns the same of the events for which `keep` (bool [E]) holds."""
        kept = [None if column is None else column[keep] for column in (self.time, self.event, self.negative)]
        return EventContext(kept[0], kept[1], self.event_types, kept[2])

    def inputs(self, place: np.ndarray, length: np.ndarray, now: np.ndarray) -> dict[str, np.ndarray]:
        """Returns what `towers.context` reads of some histories.

        Args:
          place: int [B, L], places of events, oldest first; any place behind the last one.
          length: int [B], how many count.
          now: float64 [B], when the questions are asked that see all of these.

        Returns:
          Where read, `history_time` float64 [B, L + 1], the times, then `now`, then NaN; and `history_event` int32
          [B, L], 0 behind the last one.
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
      events: of all events.
      place: Q rows beside those of the histories: where in `events` each event stands.
      now: float64 [Q], when each question is asked.
      user: int32 [Q], who asks.
    """

    events: EventContext
    place: Ragged
    now: np.ndarray
    user: np.ndarray

    def take(self, queries: np.ndarray) -> QueryContext:
        """Returns the context of the queries at these places (int [S])."""
        return replace(self, place=self.place.take(queries), now=self.now[queries], user=self.user[queries])

    def inputs(self, longest: int) -> dict[str, np.ndarray]:
        """Returns what `towers.context` reads of the last `longest` events of each history."""
        return self.events.inputs(self.place.last(longest), np.minimum(self.place.lengths, longest), self.now)

    def raw(self) -> dict[str, list]:
        """Returns the same as `Recommender.recommend` takes it: a list per history, or a value."""
        rows, lists = [self.place[query] for query in range(len(self.place))], {}
        if self.events.time is not None:
            lists[schema.HISTORY_TIME] = [self.events.time[row].tolist() for row in rows]
            lists[schema.NOW] = self.now.tolist()
        if self.events.event is not None:
            types = np.array(self.events.event_types, object)
            lists[schema.HISTORY_EVENT] = [types[self.events.event[row]].tolist() for row in rows]
        return lists
