"""Raw files to checked tables, their split and their vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmrec.config import Config
from mmrec.data.catalog import Catalog, load_catalog
from mmrec.data.context import QueryContext
from mmrec.data.delisted import with_delisted
from mmrec.data.interactions import Interactions, load_interactions
from mmrec.data.splits import Split, split
from mmrec.data.users import Users, load_users
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError


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

    def known_beside(self, context: QueryContext) -> dict[str, Sequence]:
        """Returns a context as `Recommender.recommend` takes it, with the attributes of the users."""
        return context.raw() | ({} if self.users is None else self.users.raw(context.user))

    def user_features(self) -> dict[str, np.ndarray]:
        """Returns what towers read of the users, by name; first dimension U. Nothing where nothing is known."""
        return {} if self.users is None else self.users.features()


def load_tables(config: Config, delisted: Sequence[str] = ()) -> Tables:
    """Reads, checks and splits the input tables.

    Args:
      config: where they are, and how they are read.
      delisted: ids of items that events may name though the catalog lacks them by now.

    Raises:
      InputError: a table cannot be used, or there is none of interactions.
    """
    data = config.data
    if data.interactions is None:
        raise InputError(
            "`data.interactions`: training without interactions is not supported yet. Received: null. Name your table "
            "of events in `data.interactions.path`."
        )
    if "path" in data.interactions.model_fields_set and "path" not in data.catalog.model_fields_set:
        raise InputError(
            f"`data.catalog.path`: must be given with `data.interactions.path`. Received: {data.interactions.path!r} "
            "alone, whose items the sample shop lacks. Name your table of items."
        )
    catalog = with_delisted(load_catalog(data.catalog, config.item.modalities, data.tfds_dir), delisted)
    if len(catalog) < 2:
        raise InputError(
            f"{data.catalog.path}: holds one item, {catalog.item_ids[0]!r}: there is nothing to choose from. Give a "
            "catalog of two items or more."
        )
    vocabulary = Vocabulary(catalog.item_ids)
    events = load_interactions(data.interactions, vocabulary, data.tfds_dir)
    parts = split_events(config, events)
    trained = parts.train.rows.lengths > 0
    users = load_users(data.users, events.user_ids, trained, data.tfds_dir) if data.users else None
    return Tables(catalog, vocabulary, events, parts, parts.train.counts(vocabulary.items), users)


def split_events(config: Config, events: Interactions) -> Split:
    """Divides the events as the config says.

    Raises:
      InputError: a part would be empty.
    """
    return split(
        events,
        config.data.split,
        repeat_consumption=config.retrieval.repeat_consumption,
        min_history=config.evaluation.min_history,
        context=config.query.context,
    )
