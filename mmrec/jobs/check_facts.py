"""What training would see, as plain numbers."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np

from mmrec.config import Config
from mmrec.data.splits import Queries, time_cuts
from mmrec.evaluation.baselines import Popularity
from mmrec.evaluation.evaluator import evaluate
from mmrec.jobs.tables import Tables

_EVENT_BINS = {"1": (1, 1), "2": (2, 2), "3_to_5": (3, 5), "6_to_20": (6, 20), "over_20": (21, np.inf)}
_PLAUSIBLE = (datetime(1990, 1, 1, tzinfo=UTC).timestamp(), datetime(2200, 1, 1, tzinfo=UTC).timestamp())


def table_facts(config: Config, tables: Tables) -> dict:
    """Describes the checked tables, their split and the floor that a model has to beat; ready for JSON."""
    events, parts, items = tables.events, tables.split, tables.vocabulary.items
    per_user = np.bincount(events.user, minlength=len(events.user_ids))
    negative = 0 if events.negative is None else int(events.negative.sum())
    first, last = float(events.time.min()), float(events.time.max())
    begin, asked = time.monotonic(), parts.validation.sample(config.evaluation.max_validation_queries, config.seed)
    floor = evaluate(Popularity(tables.train_counts), asked, items, config.evaluation.k, bootstrap_samples=0, top_k=0)
    seconds = time.monotonic() - begin
    return {
        "name": config.name,
        "modalities": list(config.item.modalities),
        "items": items,
        "users": len(events.user_ids),
        "events": len(events),
        "positive_events": int(events.positive.sum()),
        "negative_events": negative,
        "seen_only_events": int((~events.positive).sum()) - negative,
        "time": {"first": first, "last": last, "first_date": date_of(first), "last_date": date_of(last)},
        "skipped": {"catalog": dict(tables.catalog.counts), "interactions": dict(events.counts)},
        "coverage": _coverage(config, tables),
        "items_without_training_events": int((tables.train_counts[1:] == 0).sum()),
        "users_by_events": {
            name: int(((per_user >= low) & (per_user <= high)).sum()) for name, (low, high) in _EVENT_BINS.items()
        },
        "split": _split(config, tables),
        "popularity": {"validation_ndcg@10": floor.metrics["ndcg@10"], "queries": len(asked.user), "seconds": seconds},
    }


def date_of(moment: float) -> str | None:
    """Returns a time as a date-time when it can be seconds or milliseconds since 1970, else None.

    >>> date_of(1704070953.0), date_of(1704070953000.0), date_of(7.0)
    ('2024-01-01 01:02:33', '2024-01-01 01:02:33', None)
    """
    seconds = seconds_of(moment)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def seconds_of(moment: float) -> float | None:
    """Returns a time in seconds since 1970 if it lies in 1990-2200 when read as seconds or milliseconds, else None."""
    return next((value for value in (moment, moment / 1000) if _PLAUSIBLE[0] <= value < _PLAUSIBLE[1]), None)


def _coverage(config: Config, tables: Tables) -> dict[str, float]:
    """Returns the share of items that have what the modalities read, by modality, and by text or attribute column."""
    catalog, found = tables.catalog, {}
    for modality, files in (("image", catalog.photos), ("audio", catalog.sounds)):
        if modality in config.item.modalities:
            found[modality] = float(np.mean([file is not None for file in files]))
    for column, texts in catalog.text.items():
        found[f"text {column}"] = float(np.mean([bool(text.strip()) for text in texts]))
    for column, values in catalog.attributes.items():
        given = values != "" if values.dtype == object else ~np.isnan(values)
        found[f"attribute {column}"] = float(np.mean(given))
    if catalog.features is not None:
        found["features"] = float(np.mean(~np.isnan(catalog.features[:, 0])))
    return found


def _split(config: Config, tables: Tables) -> dict:
    parts = tables.split
    found = {
        "kind": config.data.split.kind,
        "train": {"events": len(parts.train.rows.values), "users": int((parts.train.rows.lengths > 0).sum())},
        "validation": _queries(parts.validation, tables.train_counts),
        "test": _queries(parts.test, tables.train_counts),
    }
    if config.data.split.kind == "time":
        for name, cut in zip(("validation", "test"), time_cuts(tables.events, config.data.split), strict=True):
            found[name] |= {"begins": cut, "begins_date": date_of(cut)}
    return found


def _queries(queries: Queries, train_counts: np.ndarray) -> dict:
    answers = queries.relevant.values
    return {
        "queries": len(queries.user),
        "answers": len(answers),
        "cold_answers": int((train_counts[answers] == 0).sum()),
        "dropped": dict(queries.dropped),
    }
