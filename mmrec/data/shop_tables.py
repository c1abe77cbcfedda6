"""The checked tables that a model is trained on."""

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
    """The checked and split input tables.

    Attributes:
      catalog: the items.
      vocabulary: numbers the items: id <-> row.
      events: the interactions.
      split: training histories and queries.
      train_counts: int64 [N + 1], number of positive training events by item row.
      users: attributes of the users; None: they have none.
    """

    catalog: Catalog
    vocabulary: Vocabulary
    events: Interactions
    split: Split
    train_counts: np.ndarray
    users: Users | None = None

    def context_lists(self, context: QueryContext) -> dict[str, Sequence]:
        """Returns a context, with the attributes of its users, as `Recommender.recommend` takes it."""
        return context.raw() | ({} if self.users is None else self.users.raw(context.user))

    def user_features(self) -> dict[str, np.ndarray]:
        """Returns the features of users by name, arrays with first dimension U; none where users have no attributes."""
        return {} if self.users is None else self.users.features()
