"""Raw files to checked tables, their split and their vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmrec.config import Config
from mmrec.data.catalog import Catalog, load_catalog
from mmrec.data.interactions import Interactions, load_interactions
from mmrec.data.splits import Split, split
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
    """

    catalog: Catalog
    vocabulary: Vocabulary
    events: Interactions
    split: Split
    train_counts: np.ndarray


def load_tables(config: Config) -> Tables:
    """Reads, checks and splits the input tables."""
    data = config.data
    catalog = load_catalog(data.catalog, config.item.modalities, data.tfds_dir)
    vocabulary = Vocabulary(catalog.item_ids)
    events = load_interactions(data.interactions, vocabulary, data.tfds_dir)
    parts = split(
        events,
        data.split,
        repeat_consumption=config.retrieval.repeat_consumption,
        min_history=config.evaluation.min_history,
    )
    return Tables(catalog, vocabulary, events, parts, parts.train.counts(vocabulary.items))
