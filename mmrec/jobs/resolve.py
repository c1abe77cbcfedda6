"""Decides what `auto` and null in a config stand for, once, by the data and by other keys."""

from __future__ import annotations

import numpy as np

from mmrec.config import Config
from mmrec.data.shop_tables import Tables
from mmrec.modalities.names import ITEM_ID, modality_classes

MOST_COMPETING = 50_000  # items that compete in every step by default
MOST_FACTORED = 50_000  # items with training events whose similarities are factored by default, which takes seconds


def resolve(
    config: Config, tables: Tables, most_competing: int = MOST_COMPETING, most_factored: int = MOST_FACTORED
) -> Config:
    """Decides what the config leaves open; values that it has stay.

    Args:
      config: as it was written.
      tables: the data that is trained on.
      most_competing: items with training events up to which `retrieval.negatives: auto` may be `catalog`.
      most_factored: items with training events up to which `item.item_id.initial: auto` is `neighbours`.

    Returns:
      The config with values in place of each `auto`, and of each null that means one, in `retrieval.negatives`,
      `retrieval.temperature`, `retrieval.logq_correction` and `item.item_id.initial`.
    """
    items, task = int(np.count_nonzero(tables.train_counts)), config.retrieval
    exact = task.loss == "softmax" and not task.hard_negatives and not task.memory
    item = config.item
    if item.item_id.initial == "auto":
        initial = "neighbours" if items <= most_factored else "random"
        item = item.model_copy(update={ITEM_ID: item.item_id.model_copy(update={"initial": initial})})
    quick = all(modality.quick(config) for modality in modality_classes(config).values())
    whole = exact and quick and items <= most_competing
    return config.model_copy(update={"item": item, "retrieval": task.decided(whole)})


def decided(config: Config, resolved: Config) -> dict[str, object]:
    """Returns what `resolve` decided, by dotted key: the values of `resolved` that differ from those of `config`."""
    before, after = (_flat(one.model_dump(mode="json")) for one in (config, resolved))
    return {key: value for key, value in after.items() if before[key] != value}


def _flat(values: dict, above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{above}{name}.") if isinstance(value, dict) and value else {f"{above}{name}": value}
    return flat
