"""The checked input of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmrec.data.catalog import Catalog
from mmrec.data.context import QueryContext
from mmrec.data.interactions import Interactions
from mmrec.data.splits import Split
from mmrec.data.users import Users
from mmrec.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Tables:
    """The checked input.

    Attributes:
      catalog: the items.
      vocabulary: their rows.
      events: the interactions.
      split: training histories and queries.
      train_counts: int64 [N + 1], training events by item row.
      users: what is known of the users beside their events; None: nothing.
    """

    catalog: Catalog
    vocabulary: Vocabulary
    events: Interactions
    split: Split
    train_counts: np.ndarray
    users: Users | None = None

    def context_lists(self, context: QueryContext) -> dict[str, Sequence]:
        """Returns a context as `Recommender.recommend` takes it, with the attributes of the users."""
        return context.raw() | ({} if self.users is None else self.users.raw(context.user))

    def user_features(self) -> dict[str, np.ndarray]:
        """Returns what towers read of the users, by name; first dimension U. Nothing where nothing is known."""
        return {} if self.users is None else self.users.features()
