"""Reads, checks and sorts the events: who took what, and when."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec.config.data import InteractionsConfig
from mmrec.data.event_kinds import event_kinds, require_columns
from mmrec.data.numbers import read_numbers
from mmrec.data.tables import flat_strings, read_table, rows_text
from mmrec.data.time_formats import propose_remedy
from mmrec.data.times import Times, read_times, time_rule
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import Faults, InputError

_DAY = 24 * 60 * 60.0  # seconds; date-times without a zone may be up to 14 hours ahead of UTC
_LARGEST_WEIGHT = 1e6  # times the median: above it, float32 loses the other weights in a sum


@dataclass(frozen=True)
class Interactions:
    """Events sorted by user, time and item row, so that the order of the file changes nothing.

    Attributes:
      user_ids: str objects [U], sorted.
      user: int32 [E], position in `user_ids`.
      row: int32 [E], catalog row of the item, 1..N.
      time: float64 [E], as given, or seconds since 1970 for date-times; equal times of a user form one basket.
      positive: bool [E], whether the event may be in a history and be a right answer.
      counts: number of skipped events, by reason.
      negative: bool [E], whether the event may be in a history, but is never a right answer; None: false of all.
      weight: float64 [E], how much each event counts as an answer in training; None: all alike.
      event: int32 [E], position of each event's type in `event_types`; None: types are not read.
      event_types: all types, sorted; the first is "", no type.
      seen: bool [E], whether the event's item is not recommended to the user again; None: true of all.
    """

    user_ids: np.ndarray
    user: np.ndarray
    row: np.ndarray
    time: np.ndarray
    positive: np.ndarray
    counts: Mapping[str, int]
    negative: np.ndarray | None = None
    weight: np.ndarray | None = None
    event: np.ndarray | None = None
    event_types: Sequence[str] = ("",)
    seen: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.user)


def load_interactions(config: InteractionsConfig, vocabulary: Vocabulary, tfds_dir: str | None = None) -> Interactions:
    """Reads and checks the events.

    Args:
      config: where they are, and what counts as a positive.
      vocabulary: gives the item rows.
      tfds_dir: folder of prepared TFDS data sets.

    Raises:
      InputError: naming file, row and column of each kind of fault that is not allowed to be skipped.
    """
    require_columns(config)
    optional = [column for column in (config.rating, config.weight, config.event) if column]
    columns = [config.user_id, config.item_id, config.timestamp, *optional]
    table = read_table(config.path, columns, key="data.interactions.path", tfds_dir=tfds_dir)
    faults, texts = Faults(), {}
    for column in filter(None, (config.user_id, config.item_id, config.event)):
        with faults.collected():
            texts[column] = flat_strings(table, column, config.path)
    faults.raise_any()
    users, items, types = texts[config.user_id], texts[config.item_id], texts.get(config.event)
    times, rows = read_times(table[config.timestamp], config.timestamp_format), vocabulary.rows(items)
    with faults.collected():
        _require_one_zone(config.path, config.timestamp, table[config.timestamp], times)
    rating = None if config.min_rating is None else read_numbers(table[config.rating])
    weight = read_numbers(table[config.weight]) if config.weight else None
    none, time = np.zeros(len(table), bool), times.seconds
    positive, negative, seen = none, ~none, None  # if kinds cannot be told, no rating or weight is required
    with faults.collected():
        positive, negative, seen = event_kinds(config, rating, types, len(table))
    future = times.dated & (np.nan_to_num(time) > clock.time() + _DAY)
    unrated = none if rating is None else ~np.isfinite(rating) & ~negative
    unweighted = none if weight is None else positive & ~(np.isfinite(weight) & (weight >= 0))
    outsized, most = (none, 0.0) if weight is None else _outsized(weight, positive & ~unweighted)
    keep, counts = np.ones(len(table), bool), {}
    checks = (
        ("event_without_user", users == "", config.user_id, "must not be empty", "on_bad_row"),
        ("event_without_item", items == "", config.item_id, "must not be empty", "on_bad_row"),
        ("unreadable_time", np.isnan(time), config.timestamp, f"must be {time_rule(config.timestamp_format)}",
         "on_bad_row"),
        ("future_time", future, config.timestamp, "must not be a date-time more than a day after now", "on_bad_row"),
        ("unknown_item", (rows == 0) & (items != ""), config.item_id, "must be an item of the catalog",
         "on_unknown_item"),
        ("unreadable_rating", unrated, config.rating, "must be a number", "on_bad_row"),
        ("unreadable_weight", unweighted, config.weight, "must be a number of at least 0", "on_bad_row"),
        ("outsized_weight", outsized, config.weight,
         f"must be at most {most:g}, a million times the median of the weights", "on_bad_row"),
    )  # fmt: skip
    for reason, fault, column, rule, switch in checks:
        bad = np.flatnonzero(fault)
        if len(bad) and getattr(config, switch) == "error":
            remedy = _time_remedy(config, times, table[column].iloc[bad]) if reason == "unreadable_time" else ""
            faults.messages.append(
                f"{rows_text(config.path, bad, column)}: {rule}. Received: {table[column].iloc[bad[0]]!r:.80}.{remedy} "
                f"Set `data.interactions.{switch}: skip` to leave such rows out."
            )
        counts[reason] = int(np.sum(fault & keep))
        keep &= ~fault
    counts = {reason: count for reason, count in counts.items() if count}
    faults.raise_any()
    if not (keep & positive).any():
        skipped = ", ".join(f"{reason.replace('_', ' ')} {count:,}" for reason, count in counts.items())
        raise InputError(
            f"{config.path}: no positive event is left of {len(table):,} events (skipped: {skipped or 'none'}). Check "
            "`min_rating`, `positive_events` and the skips."
        )
    user, user_ids = pd.factorize(users[keep], sort=True)
    columns = {"row": rows, "time": time, "positive": positive}
    event_types: Sequence[str] = ("",)
    if types is not None:
        event_types, place = np.unique(np.append("", types), return_inverse=True)
        columns["event"] = place[1:].astype(np.int32)
    if weight is not None:
        columns["weight"] = weight
    if config.negative_events:
        columns["negative"] = negative
    if seen is not None:
        columns["seen"] = seen
    kept = {name: column[keep] for name, column in columns.items()}
    ties = [column for name, column in kept.items() if name not in ("row", "time")]
    order = np.lexsort((*ties, kept["row"], kept["time"], user))
    return Interactions(
        user_ids=user_ids,
        user=user[order].astype(np.int32),
        counts=counts,
        event_types=tuple(event_types),
        **{name: column[order] for name, column in kept.items()},
    )


def _time_remedy(config: InteractionsConfig, times: Times, unreadable: pd.Series) -> str:
    """Returns a space and a sentence that says how to read the times; "" where that is unknown."""
    if config.timestamp_format:
        return " Add their format to `data.interactions.timestamp_format`."
    return propose_remedy(unreadable, len(unreadable) < len(times.seconds)) if times.dated else ""


def _outsized(weight: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns which of the `used` weights (bool [E]) are too large compared with the others, and the limit."""
    above = np.sort(weight[used & (weight > 0)])
    most = _LARGEST_WEIGHT * float(above[len(above) // 2]) if len(above) else np.inf
    return used & (weight > most), most


def _require_one_zone(path: str, column: str, values: pd.Series, times: Times) -> None:
    """Raises InputError when some date-times have a zone and others none: their order would be a guess."""
    plain = np.flatnonzero(np.isfinite(times.seconds) & ~times.zoned)
    if times.zoned.any() and len(plain):
        zoned = values.iloc[np.argmax(times.zoned)]
        raise InputError(
            f"{rows_text(path, plain, column)}: must have a time zone, as other rows have ({zoned!r}). Received: "
            f"{values.iloc[plain[0]]!r}. Write a zone in every row, or in none."
        )
