"""Loads the input tables: checks them, splits the events, and numbers the items."""

from __future__ import annotations

from collections.abc import Sequence

from mmrec.config import Config
from mmrec.data.delisted import with_delisted
from mmrec.data.interactions import Interactions, load_interactions
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Split, split
from mmrec.data.users import load_users
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError
from mmrec.modalities.catalog import read_catalog


def load_tables(config: Config, delisted: Sequence[str] = ()) -> Tables:
    """Reads, checks and splits the input tables.

    Args:
      config: where the tables are, and how they are read.
      delisted: ids of items that events may name although the catalog no longer has them.

    Raises:
      InputError: a table cannot be used, or the config names no interactions.
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
            "alone; the sample shop does not have its items. Name your table of items."
        )
    catalog = with_delisted(read_catalog(config), delisted)
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
    """Splits the events as the config says.

    Args:
      config: `data.split`, `retrieval.repeat_consumption`, `evaluation.min_history` and `query.context` are read.
      events: the interactions.

    Raises:
      InputError: as `data.splits.split`.
    """
    return split(
        events,
        config.data.split,
        repeat_consumption=config.retrieval.repeat_consumption,
        min_history=config.evaluation.min_history,
        context=config.query.context,
    )
