"""Checked tables to what training, evaluation and export share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from mmrec.config import Config
from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.examples import Examples
from mmrec.data.feature_store import digest
from mmrec.data.features import JoinedFeatures
from mmrec.data.frames import frame_paths
from mmrec.data.shop_tables import Tables
from mmrec.data.users import Users
from mmrec.errors import InputError
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import modality_classes
from mmrec.models.two_tower import TwoTowerModel
from mmrec.version import __version__

_COMPARED = 32  # items at once, until two differ: mostly the first two
_MOST_COMPETING = 50_000  # items that compete in every step by default


@dataclass(frozen=True)
class Prepared:
    """The modalities in use, each with its features, in the order of the config.

    Attributes:
      modalities: by name.
      features: of all of them, by item row.
      competing: bool [N + 1], the items with training events, by row.
      event_types: of the interactions; the first is "".
      users: as in the tables.
      typical_gap: median time between baskets in training, in the unit of the timestamps.
    """

    modalities: Mapping[str, Modality]
    features: JoinedFeatures
    competing: np.ndarray
    event_types: Sequence[str] = ("",)
    users: Users | None = None
    typical_gap: float = 1.0

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        """Variables of pretrained networks that train, of all modalities."""
        return [variable for modality in self.modalities.values() for variable in modality.pretrained_variables]

    @property
    def counts(self) -> dict[str, int]:
        """What the modalities left out, by reason."""
        return {reason: count for modality in self.modalities.values() for reason, count in modality.counts.items()}

    def refresh(self, model: TwoTowerModel) -> None:
        """Brings features that depend on weights in training up to date."""
        for name, modality in self.modalities.items():
            modality.refresh(model.candidate_tower.towers[name])


def prepare(config: Config, tables: Tables) -> Prepared:
    """Computes the features of every modality in use; what a cache holds is not computed again."""
    modalities = {name: modality(config, tables) for name, modality in modality_classes(config).items()}
    features = JoinedFeatures({name: modality.source for name, modality in modalities.items()})
    types, gap = tables.events.event_types, tables.split.train.median_gap
    return Prepared(modalities, features, tables.train_counts > 0, types, tables.users, gap)


def require_difference(prepared: Prepared, items: int) -> None:
    """Raises InputError where the features of all items are the same, so that no model could tell them apart.

    Args:
      prepared: the features.
      items: N, the number of items.
    """
    for start in range(1, items + 1, _COMPARED):
        rows = np.append(1, np.arange(start, min(start + _COMPARED, items + 1)))
        if any((values != values[:1]).any() for values in prepared.features.rows(rows).values()):
            return
    raise InputError(
        f"`item.modalities`: items must differ in what is read of them. Received: {items:,} items without any "
        f"difference in {', '.join(prepared.modalities)}. Correct the columns under `data.catalog`, or add `item_id`."
    )


def retrieval_task(config: Config, competing: int) -> RetrievalConfig:
    """Returns the task with `negatives: auto` replaced by what it stands for.

    Args:
      config: the task, and what is read of items.
      competing: the number of items with training events.
    """
    task = config.retrieval
    if task.negatives != "auto":
        return task
    quick = all(modality.quick(config) for modality in modality_classes(config).values())
    exact = task.loss == "softmax" and not task.hard_negatives and not task.memory
    whole = exact and quick and competing <= _MOST_COMPETING
    return task.model_copy(update={"negatives": "catalog" if whole else "in_batch"})


def examples(config: Config, tables: Tables, features: JoinedFeatures) -> Examples:
    """Returns the training examples that the config asks for."""
    return Examples(
        tables.split.train,
        features,
        tables.vocabulary.items,
        config.query.max_length,
        config.training.batch_size,
        config.seed,
        retrieval_task(config, int((tables.train_counts > 0).sum())),
        tables.user_features(),
    )


def run_identity(config: Config) -> str:
    """Returns a digest of the config (but where results go) and of the files that it names: equal for the same run.

    Photos and recordings are known by their names in the catalog only, tables that were DataFrames by their content.
    """
    data = config.data
    elsewhere = {"cache_dir": True, "tfds_dir": True, **{table: {"path"} for table in frame_paths(config)}}
    settings = config.model_dump_json(
        exclude={"runs_dir": True, "saved_models_dir": True, "training": {"resume"}, "data": elsewhere}
    )
    tables = [section.path for section in (data.catalog, data.interactions, data.users) if section]
    named = [path for modality in modality_classes(config).values() for path in modality.identity_files(config)]
    found = [Path(name) for name in (*tables, *named)]
    files = [file for path in found for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return digest(__version__, settings, *(_content(path) for path in files if path.is_file())).hex()


def _content(path: Path) -> bytes:
    """Returns the SHA-256 of a file of any size."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
