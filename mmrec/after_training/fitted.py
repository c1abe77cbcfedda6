"""A trained model with what was fitted beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mmrec.index.item_table import ItemTable
from mmrec.modalities.prepared import Prepared
from mmrec.models.two_tower import TwoTowerModel
from mmrec.training.embedder import Embedder

Report = Mapping[str, float]


@dataclass(frozen=True)
class Fitted:
    """A trained model, neither judged on test nor exported. Steps of `after_training.steps` make others of it.

    Attributes:
      prepared: the features that it was trained on, as the weights of its best epoch make them.
      model: with those weights; no step changes it.
      embedder: embeds with the model, and with what steps put beside it.
      items: N, the number of items.
      reports: what each step says of what it did, by its name; empty for one that did nothing.
      ndcg: on validation, of everything together; None where the best epoch's says it.
    """

    prepared: Prepared
    model: TwoTowerModel
    embedder: Embedder
    items: int
    reports: Mapping[str, Report] = field(default_factory=dict)
    ndcg: float | None = None

    def item_table(self) -> ItemTable:
        """Returns the item embeddings."""
        return self.embedder.item_table(self.prepared.features, self.items)

    def with_step(self, name: str, report: Report, embedder: Embedder | None = None) -> Fitted:
        """Returns the same after a step.

        Args:
          name: of the step.
          report: what it says.
          embedder: what it made; None: it stays.
        """
        return replace(self, embedder=embedder or self.embedder, reports={**self.reports, name: report})
