"""What a study is made of, and the shops that several studies share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import mmrec
from benchmarks.common import DATA, data
from mmrec.after_training.fitted import Fitted
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Queries
from mmrec.evaluation.evaluator import Evaluation, evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.tables import load_tables

CONFIGS = Path(__file__).resolve().parents[2] / "pipelines" / "configs"

Variants = Mapping[str, Mapping[str, Any]]
"""Config changes by variant, the base first."""


class Shop(NamedTuple):
    """A data set with the config of a study's base."""

    config: mmrec.Config
    tables: Tables


def judged(fitted: Fitted, queries: Queries, k: tuple[int, ...] = (10,)) -> Evaluation:
    """Ranks the whole catalog for some queries, seen items excluded."""
    table = fitted.item_table()
    scorer = embedding_scorer(fitted.embedder.queries(table, queries.history, queries.context), table.scored)
    return evaluate(scorer, queries, fitted.items, k, bootstrap_samples=0)


def ndcg_on_validation(fitted: Fitted, tables: Tables) -> dict[str, np.ndarray]:
    """Returns NDCG@10 of each validation query."""
    return {"NDCG@10": judged(fitted, tables.split.validation).per_query["ndcg@10"]}


@dataclass(frozen=True)
class Study:
    """A question.

    Attributes:
      shops: by name, what makes the shop in a folder; a small one when quick. A quick study takes the first.
      variants: of every shop that `own_variants` does not name.
      quick: variants of a quick study.
      measure: (a trained model, the shop's tables) -> float64 [Q] by column, NaN where a query is not asked.
      seeds: trainings of each variant.
      own_variants: of single shops.
    """

    shops: Mapping[str, Callable[[Path, bool], Shop]]
    variants: Variants
    quick: tuple[str, ...]
    measure: Callable[[Fitted, Tables], Mapping[str, np.ndarray]] = ndcg_on_validation
    seeds: int = 3
    own_variants: Mapping[str, Variants] | None = None

    def variants_of(self, shop: str) -> Variants:
        """Returns the variants of a shop."""
        return (self.own_variants or {}).get(shop, self.variants)


def sample_shop(**settings: Any) -> Callable[[Path, bool], Shop]:
    """Returns what makes the small sample shop; quick: the tiny one, for one epoch."""

    def make(folder: Path, quick: bool) -> Shop:
        source = folder / "config.yaml" if folder.exists() else mmrec.write_sample_shop(folder, _size(quick))
        return shop_of(source, folder, {**settings, **({"training.epochs": 1} if quick else {})})

    return make


def public_shop(config: str, needs: str, **settings: Any) -> Callable[[Path, bool], Shop]:
    """Returns what makes the shop of a config in `pipelines/configs`, whose data stand in the folder MMREC_DATA."""

    def make(folder: Path, quick: bool) -> Shop:
        data(needs)
        os.environ.setdefault("MMREC_DATA", str(DATA))
        return shop_of(CONFIGS / config, folder, {**settings, **({"training.epochs": 1} if quick else {})})

    return make


def shop_of(source: Any, folder: Path, settings: Mapping[str, Any]) -> Shop:
    """Loads a shop; its features are cached below the folder and shared by all variants."""
    config = mmrec.Config.load(source, **{"data.cache_dir": str(folder.parent / "cache"), **settings})
    return Shop(config, load_tables(config))


def _size(quick: bool) -> str:
    return "tiny" if quick else "small"
