"""What every contestant gets, and how every contestant is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from benchmarks.baselines import first, leave_one_out
from benchmarks.common import data
from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import Scorer

ScorerOf = Callable[[Queries], Scorer]
"""What a contestant has learnt: it scores any queries."""

Setting = TypeVar("Setting")

_CHOOSING = 5000  # validation queries that settings are compared on


@dataclass(frozen=True)
class Problem:
    """Amazon Beauty, leave-one-out: a user's last item is the test, the one before it validation, the rest training.

    Attributes:
      folder: holds the events and the items as `interactions.csv.gz` and `items.csv`.
      events: U rows of item rows, oldest first; row i + 1 is line i of the catalog.
      titles: [N], of the items in the order of the catalog.
      quick: whether contestants train a small version, which shows that they run and nothing else.
    """

    folder: Path
    events: Ragged
    titles: list[str]
    quick: bool

    @property
    def items(self) -> int:
        """N, the number of items."""
        return len(self.titles)

    @cached_property
    def parts(self) -> dict[str, Queries]:
        """`validation` asks for the item before the last, given training; `test` for the last, given all others."""
        return {"validation": leave_one_out(self.events, 2), "test": leave_one_out(self.events, 1)}

    @property
    def training(self) -> Ragged:
        """U rows: what may be learnt from."""
        return self.parts["validation"].history

    def examples(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns what a recipe trains on that takes one context and one answer: every training event but the first.

        Args:
          length: L, the most recent items that a context keeps.

        Returns:
          context: int32 [E, L], oldest first, padded with 0 at the end.
          answer: int32 [E].
        """
        rows = self.training
        begin = np.repeat(rows.offsets[:-1], rows.lengths)  # [V]
        place = np.flatnonzero(np.arange(len(rows.values)) > begin)  # [E]
        start = np.maximum(begin[place], place - length)
        column = start[:, None] + np.arange(length)  # [E, L]
        inside = column < place[:, None]
        return np.where(inside, rows.values[np.where(inside, column, 0)], 0), rows.values[place]

    def judge(self, scorer_of: ScorerOf) -> dict[str, dict]:
        """Ranks the whole catalog for validation and test; returns metrics by part, with `_ci95`."""
        return self.judge_scorers({name: scorer_of(queries) for name, queries in self.parts.items()})

    def judge_scorers(self, scorers: Mapping[str, Scorer]) -> dict[str, dict]:
        """Does so with a scorer for each part."""
        return {
            name: evaluate(scorer, self.parts[name], self.items, (10,), top_k=0).metrics
            for name, scorer in scorers.items()
        }

    def choose(self, candidates: Mapping[Setting, ScorerOf]) -> Setting:
        """Returns the setting with the best NDCG@10 on validation."""
        queries = first(self.parts["validation"], _CHOOSING)

        def ndcg(setting: Setting) -> float:
            scorer = candidates[setting](queries)
            return evaluate(scorer, queries, self.items, (10,), bootstrap_samples=0, top_k=0).metrics["ndcg@10"]

        return max(candidates, key=ndcg)


def read(folder: Path, users: int | None, quick: bool) -> Problem:
    """Reads Beauty.

    Args:
      folder: where its files are written, for those who read files.
      users: how many of the users take part, in order of the file, and no items but theirs. None: all.
      quick: see `Problem`.
    """
    events = pd.read_csv(data("amazon_beauty", "interactions.csv.gz"), dtype={"item_id": str})
    catalog = pd.read_csv(data("amazon_beauty", "items.csv"), dtype={"item_id": str})
    if users is not None:
        events = events[pd.factorize(events["user_id"])[0] < users]
        catalog = catalog[catalog["item_id"].isin(events["item_id"])]
    events.to_csv(folder / "interactions.csv.gz", index=False)
    catalog.to_csv(folder / "items.csv", index=False)
    events = events.assign(user=pd.factorize(events["user_id"])[0]).sort_values(["user", "timestamp"], kind="stable")
    row = pd.Index(catalog["item_id"]).get_indexer(events["item_id"]) + 1
    rows = Ragged.grouped(events["user"].to_numpy(), row, events["user"].max() + 1)
    return Problem(folder, rows, catalog["title"].fillna("").tolist(), quick)
