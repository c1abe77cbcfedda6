"""Explains why a split has no query, or loses many right answers, and what helps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmrec.data.interactions import Interactions

_MUCH = 0.2  # share of the right answers
_PARTS = 3  # training, validation and test


def why_empty(
    events: Interactions, kind: str, part: str, dropped: Mapping[str, int], min_history: int
) -> tuple[str, str]:
    """Explains why validation or test has no query.

    Args:
      events: what was split.
      kind: `data.split.kind`.
      part: `validation` or `test`.
      dropped: of that part, see `Queries`.
      min_history: length of the shortest history of a query.

    Returns:
      The reason and the remedy, without full stops.
    """
    times = np.unique(events.time)
    if len(times) == 1 or (len(times) < _PARTS and kind == "time"):
        count = "one single time" if len(times) == 1 else f"only {len(times)} different times"
        return (
            f"all events have {count}, but validation and test must be later than training",
            "Give `data.interactions.timestamp` a column with at least three different times",
        )
    reasons, remedies = [], []
    if dropped.get("nothing_new"):
        reasons.append(f"{dropped['nothing_new']:,} of its users had all right answers before")
        remedies.append(seen_remedy(events))
    if dropped.get("short_history"):
        few = "no earlier event" if min_history == 1 else f"fewer than {min_history} earlier events"
        reasons.append(f"{dropped['short_history']:,} of its users have {few} (events of one time are one basket)")
        lower = f"set `evaluation.min_history` below {min_history}"
        other = " or `data.split.kind: leave_last_out`" if kind == "time" else ""
        remedies.append(f"Give events over a longer time, or times that distinguish baskets, or {lower}{other}")
    if reasons:
        return " and ".join(reasons), ". ".join(remedies)
    if kind == "leave_last_out":
        return _too_few_baskets(events)
    return (
        "no positive event lies in its time span, as many events share the time at which it begins",
        f"Enlarge `data.split.{part}_fraction`, or give `data.interactions.timestamp` a finer column",
    )


def _too_few_baskets(events: Interactions) -> tuple[str, str]:
    most = int(np.bincount(events.user[events.positive]).max(initial=0))
    few = "" if most >= _PARTS else f" ({most} at most)"
    reason = f"every user has fewer than three baskets, that is positive events at different times{few}"
    if most >= _PARTS:
        return reason, "Give `data.interactions.timestamp` a finer column, or set `data.split.kind: time`"
    return reason, "Give more events of each user, or set `data.split.kind: time`"


def lost_answers(events: Interactions, dropped: Mapping[str, int], answers: int) -> tuple[str, str] | None:
    """Reports when more than a fifth of the test's right answers do not count, because the user had the item before.

    Args:
      events: what was split.
      dropped: of the test, see `Queries`.
      answers: number of right answers that are left in the test.

    Returns:
      What was lost, and the remedy, a sentence each; None where less is lost.
    """
    lost = dropped.get("already_seen", 0)
    if lost <= _MUCH * (lost + answers):
        return None
    text = (
        f"{lost / (lost + answers):.1%} of the test's right answers ({lost:,} of {lost + answers:,}) do not count: the "
        "user had the item before."
    )
    return text, f"{seen_remedy(events)}."


def seen_remedy(events: Interactions) -> str:
    """Returns a sentence, without a full stop, on how to count items that a user had before as right answers."""
    repeat = "`retrieval.repeat_consumption: true` if users take items again"
    if events.event is None or events.seen is not None:
        return f"Set {repeat}"
    types = np.array(events.event_types, object)
    answers, others = (set(types[np.unique(events.event[events.positive == kind])]) for kind in (True, False))
    chosen = sorted(answers - others) if others else []
    named = f"such as [{', '.join(chosen)}]" if chosen else "but not all of them"
    return (
        f"Set `data.interactions.seen_events` to the types that keep an item from being recommended, {named}, or "
        f"{repeat}"
    )
