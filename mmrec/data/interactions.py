"""The events: who took what, when; checked and sorted."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmrec.config_data import InteractionsConfig
from mmrec.data.tables import flat_strings, read_table, rows_text
from mmrec.data.times import Times, read_times
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError
from mmrec.values import Spellings

_DAY = 24 * 60 * 60.0  # seconds; date-times without a zone may be up to 14 hours ahead of UTC


@dataclass(frozen=True)
class Interactions:
    """Events sorted by user, time and item row, so that the order of the file changes nothing.

    Attributes:
      user_ids: str objects [U], sorted.
      user: int32 [E], position in `user_ids`.
      row: int32 [E], catalog row of the item, 1..N.
      time: float64 [E], as given, or seconds since 1970 for date-times; equal times of a user form one basket.
      positive: bool [E], whether the event may be history and answer (else it only counts as seen).
      counts: what was skipped, by reason.
      negative: bool [E], whether the event may be history, and never answer; None: no event.
      weight: float64 [E], how much each counts as a training answer; None: all alike.
      event: int32 [E], place of each one's type in `event_types`; None: there is no column of it.
      event_types: the types in order; the first is "", not given.
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

    def __len__(self) -> int:
        return len(self.user)


def load_interactions(config: InteractionsConfig, vocabulary: Vocabulary, tfds_dir: str | None = None) -> Interactions:
    """Reads and checks the events.

    Args:
      config: where they are, and what counts as a positive.
      vocabulary: gives the item rows.
      tfds_dir: folder of prepared TFDS data sets.

    Raises:
      InputError: naming file, row and column of the first fault that is not allowed to be skipped.
    """
    if config.min_rating is not None and not config.rating:
        raise InputError("`data.interactions.rating`: must name a column when `min_rating` is set. Received: null.")
    if config.positive_events is not None and not config.event:
        raise InputError("`data.interactions.event`: must name a column when `positive_events` is set. Received: null.")
    if config.negative_events and not config.event:
        raise InputError("`data.interactions.event`: must name a column when `negative_events` is set. Received: null.")
    optional = [column for column in (config.rating, config.weight, config.event) if column]
    columns = [config.user_id, config.item_id, config.timestamp, *optional]
    table = read_table(config.path, columns, key="data.interactions.path", tfds_dir=tfds_dir)
    users, items = (flat_strings(table, column, config.path) for column in (config.user_id, config.item_id))
    times, rows = read_times(table[config.timestamp]), vocabulary.rows(items)
    _check_zones(config.path, config.timestamp, table[config.timestamp], times)
    time, latest = times.seconds, clock.time() + _DAY
    future = times.dated & (np.nan_to_num(time) > latest)
    rating = None if config.min_rating is None else _numbers(table[config.rating])
    weight = _numbers(table[config.weight]) if config.weight else None
    types = flat_strings(table, config.event, config.path) if config.event else None
    positive, negative = _kinds(config, rating, types, len(table))
    none = np.zeros(len(table), bool)

    keep, counts = np.ones(len(table), bool), {}
    checks = (
        ("event_without_user", users == "", config.user_id, "must not be empty", config.on_bad_row, "on_bad_row"),
        ("event_without_item", items == "", config.item_id, "must not be empty", config.on_bad_row, "on_bad_row"),
        ("unreadable_time", np.isnan(time), config.timestamp, "must be a number or an ISO 8601 date-time",
         config.on_bad_row, "on_bad_row"),
        ("future_time", future, config.timestamp, "must not be a date-time more than a day after now",
         config.on_bad_row, "on_bad_row"),
        ("unknown_item", (rows == 0) & (items != ""), config.item_id, "must be an item of the catalog",
         config.on_unknown_item, "on_unknown_item"),
        ("unreadable_rating", none if rating is None else np.isnan(rating) & ~negative,
         config.rating, "must be a number", config.on_bad_row, "on_bad_row"),
        ("unreadable_weight", none if weight is None else positive & ~(np.isfinite(weight) & (weight >= 0)),
         config.weight, "must be a number of at least 0", config.on_bad_row, "on_bad_row"),
    )  # fmt: skip
    for reason, fault, column, rule, policy, switch in checks:
        bad = np.flatnonzero(fault)
        if len(bad) and policy == "error":
            raise InputError(
                f"{rows_text(config.path, bad, column)}: {rule}. Received: {table[column].iloc[bad[0]]!r}. "
                f"Set `data.interactions.{switch}: skip` to leave such rows out."
            )
        counts[reason] = int(np.sum(fault & keep))
        keep &= ~fault
    if not (keep & positive).any():
        raise InputError(
            f"{config.path}: no positive event is left. Check `min_rating`, `positive_events` and the skips."
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
    kept = {name: column[keep] for name, column in columns.items()}
    ties = [column for name, column in kept.items() if name not in ("row", "time")]
    order = np.lexsort((*ties, kept["row"], kept["time"], user))
    return Interactions(
        user_ids=user_ids,
        user=user[order].astype(np.int32),
        counts={reason: count for reason, count in counts.items() if count},
        event_types=tuple(event_types),
        **{name: column[order] for name, column in kept.items()},
    )


def _numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def _check_zones(path: str, column: str, values: pd.Series, times: Times) -> None:
    """Raises InputError when some date-times have a zone and others none: their order would be a guess."""
    plain = np.flatnonzero(np.isfinite(times.seconds) & ~times.zoned)
    if times.zoned.any() and len(plain):
        zoned = values.iloc[np.argmax(times.zoned)]
        raise InputError(
            f"{rows_text(path, plain, column)}: must have a time zone, as other rows have ({zoned!r}). Received: "
            f"{values.iloc[plain[0]]!r}. Write a zone in every row, or in none."
        )


def _kinds(
    config: InteractionsConfig, rating: np.ndarray | None, types: np.ndarray | None, events: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns which events may be answers, and which are negative ones (bool [E] each).

    Raises:
      InputError: no event is of a type that the config names, or it names one as both.
    """
    spellings = Spellings([] if types is None else pd.unique(types))
    named = {}
    for key in ("positive_events", "negative_events"):
        named[key] = spellings.spelt(np.array(getattr(config, key) or (), object))
        absent = sorted(set(named[key]) - set(() if types is None else types))
        if absent:
            raise InputError(
                f"{config.path}, column `{config.event}`: no event of type {absent[0]!r}, which "
                f"`{key}` names. Found: {', '.join(sorted(set(types))[:10])}."
            )
    both = sorted(set(config.positive_events or ()) & set(config.negative_events))
    if both:
        raise InputError(
            f"`data.interactions.negative_events`: must not name positive events. Received: {both[0]!r}, which "
            "`positive_events` names too. Take it out of one of them."
        )
    positive, negative = np.ones(events, bool), np.zeros(events, bool)
    if rating is not None:
        positive &= rating >= config.min_rating
    if config.positive_events is not None:
        positive &= np.isin(types, named["positive_events"])
    if config.negative_events:
        negative = np.isin(types, named["negative_events"])
    return positive & ~negative, negative
