"""Which events are answers, histories, and seen, by their types and ratings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mmrec.config.data import InteractionsConfig
from mmrec.errors import InputError
from mmrec.values import Spellings

_TYPES = ("positive_events", "negative_events", "seen_events")


class EventKinds(NamedTuple):
    """What E events are.

    Attributes:
      positive: bool [E], whether the event may be history and answer.
      negative: bool [E], whether it may be history, and never answer.
      seen: bool [E], whether it keeps its item from being recommended; None: all do.
    """

    positive: np.ndarray
    negative: np.ndarray
    seen: np.ndarray | None


def require_columns(config: InteractionsConfig) -> None:
    """Raises InputError when rules are set whose column is not."""
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
    """Tells events apart by the rules of the config.

    Args:
      config: the rules.
      rating: float64 [E]; None: not read.
      types: str objects [E]; None: not read.
      events: E.

    Raises:
      InputError: no event is of a type that the config names, or it names one as positive and negative.
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
