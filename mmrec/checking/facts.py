"""Describes what a training would see, in plain numbers."""

from __future__ import annotations

import time

import numpy as np

from mmrec.checking.times import date_of, unit_of
from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.interactions import Interactions
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Queries, time_cuts
from mmrec.evaluation.baselines import Popularity
from mmrec.evaluation.evaluator import evaluate
from mmrec.modalities.catalog import in_order
from mmrec.modalities.names import modality_classes

_EVENT_BINS = {"1": (1, 1), "2": (2, 2), "3_to_5": (3, 5), "6_to_20": (6, 20), "over_20": (21, np.inf)}


def catalog_facts(config: Config, catalog: Catalog) -> dict:
    """Returns the number of items and their coverage, as plain values that JSON can hold."""
    return {"items": len(catalog), "coverage": _coverage(config, catalog)}


def event_facts(events: Interactions) -> dict:
    """Returns counts of users and events, and the first and last time, as plain values that JSON can hold."""
    per_user = np.bincount(events.user, minlength=len(events.user_ids))
    negative = np.zeros(len(events), bool) if events.negative is None else events.negative
    neither = ~events.positive & ~negative
    seen = neither if events.seen is None else neither & events.seen
    first, last = float(events.time.min()), float(events.time.max())
    unit = unit_of(events.time)
    return {
        "users": len(events.user_ids),
        "events": len(events),
        "positive_events": int(events.positive.sum()),
        "negative_events": int(negative.sum()),
        "seen_only_events": int(seen.sum()),
        "unused_events": int((neither & ~seen).sum()),
        "time": {"first": first, "last": last, "first_date": date_of(first, unit), "last_date": date_of(last, unit)},
        "users_by_events": {
            name: int(((per_user >= low) & (per_user <= high)).sum()) for name, (low, high) in _EVENT_BINS.items()
        },
    }


def split_facts(config: Config, tables: Tables) -> dict:
    """Returns counts of the split, and the validation NDCG@10 of bestsellers, which a model has to beat."""
    parts, items = tables.split, tables.vocabulary.items
    begin, asked = time.monotonic(), parts.validation.sample(config.evaluation.max_validation_queries, config.seed)
    floor = evaluate(Popularity(tables.train_counts), asked, items, config.evaluation.k, bootstrap_samples=0, top_k=0)
    seconds = time.monotonic() - begin
    return {
        "items_without_training_events": int((tables.train_counts[1:] == 0).sum()),
        "split": _split(config, tables),
        "popularity": {"validation_ndcg@10": floor.metrics["ndcg@10"], "queries": len(asked.user), "seconds": seconds},
    }


def _coverage(config: Config, catalog: Catalog) -> dict[str, float]:
    """Returns the share of items (0 to 1) that have each content that the modalities read, by its name."""
    return {
        called: share
        for one in in_order(modality_classes(config).values())
        if one.name in catalog.content
        for called, share in one.checks(one, config).coverage(catalog.content[one.name]).items()
    }


def _split(config: Config, tables: Tables) -> dict:
    parts = tables.split
    facts = {
        "kind": config.data.split.kind,
        "train": {"events": len(parts.train.rows.values), "users": int((parts.train.rows.lengths > 0).sum())},
        "validation": _queries(parts.validation, tables.train_counts),
        "test": _queries(parts.test, tables.train_counts),
    }
    if config.data.split.kind == "time":
        unit = unit_of(tables.events.time)
        for name, cut in zip(("validation", "test"), time_cuts(tables.events, config.data.split), strict=True):
            facts[name] |= {"begins": cut, "begins_date": date_of(cut, unit)}
    return facts


def _queries(queries: Queries, train_counts: np.ndarray) -> dict:
    answers = queries.relevant.values
    return {
        "queries": len(queries.user),
        "answers": len(answers),
        "cold_answers": int((train_counts[answers] == 0).sum()),
        "dropped": dict(queries.dropped),
    }
