"""Says by type and rating which events are right answers, which belong to histories, and which count as seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmrec.config.data import InteractionsConfig
from mmrec.errors import InputError
from mmrec.values import Spellings

_TYPES = ("positive_events", "negative_events", "seen_events")


class EventKinds(NamedTuple):
    """What each of E events may be used for.

    Attributes:
      positive: bool [E], whether the event may be in a history and be a right answer.
      negative: bool [E], whether it may be in a history, but is never a right answer.
      seen: bool [E], whether its item is not recommended to the user again; None: true of all.
    """

    positive: np.ndarray
    negative: np.ndarray
    seen: np.ndarray | None


def require_columns(config: InteractionsConfig) -> None:
    """Raises InputError when the config sets a rule but not the column that the rule reads."""
    needed = [("rating", "min_rating", config.min_rating is not None)]
    needed += [("event", rule, bool(getattr(config, rule))) for rule in _TYPES]
    faults = [
        f"`data.interactions.{column}`: must name a column when `{rule}` is set. Received: null."
        for column, rule, is_set in needed
        if is_set and not getattr(config, column)
    ]
    if faults:
        raise InputError(*faults)


def event_kinds(
    config: InteractionsConfig, rating: np.ndarray | None, types: np.ndarray | None, events: int
) -> EventKinds:
    """Sorts events into kinds by the rules of the config.

    Args:
      config: the rules.
      rating: float64 [E]; None: ratings are not read.
      types: str objects [E]; None: types are not read.
      events: E, the number of events.

    Raises:
      InputError: no event has a type that the config names, or a type is named as both positive and negative.
    """
    present, faults, named = set(() if types is None else types), [], {}
    spellings = Spellings(present)
    for key in _TYPES:
        named[key] = spellings.spelt(np.array(getattr(config, key) or (), object))
        absent = sorted(set(named[key]) - present)
        if absent:
            faults.append(
                f"{config.path}, column `{config.event}`: no event of type {', '.join(map(repr, absent))}, which "
                f"`{key}` names. Found: {', '.join(sorted(present)[:10])}."
            )
    both = sorted({*named["positive_events"]} & {*named["negative_events"]})
    if both:
        faults.append(
            f"`data.interactions.negative_events`: must not name positive events. Received: {both[0]!r}, which "
            "`positive_events` names too. Take it out of one of them."
        )
    if faults:
        raise InputError(*faults)
    positive, negative = np.ones(events, bool), np.zeros(events, bool)
    if rating is not None:
        positive &= rating >= config.min_rating
    if config.positive_events is not None:
        positive &= np.isin(types, named["positive_events"])
    if config.negative_events:
        negative = np.isin(types, named["negative_events"])
    seen = None if config.seen_events is None else np.isin(types, named["seen_events"])
    return EventKinds(positive & ~negative, negative, seen)
