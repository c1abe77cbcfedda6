"""A trained model, with what was fitted after training."""

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
    """A trained model, not yet evaluated on test nor exported. The steps of `after_training.steps` extend it.

    Attributes:
      prepared: the features that it was trained on, computed with the weights of its best epoch.
      model: the model with those weights; no step changes it.
      embedder: embeds with the model and with what steps have added.
      items: N, the number of items.
      reports: the report of each step by name; empty for a step that did nothing.
      ndcg: validation NDCG@10 of everything together; None: that of the best epoch holds.
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
        """Returns the result of a further step.

        Args:
          name: name of the step.
          report: its report.
          embedder: the embedder that it made; None: the embedder stays.
        """
        return replace(self, embedder=embedder or self.embedder, reports={**self.reports, name: report})
