"""Checked tables to what training, evaluation and export share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from mmrec.config import Config
from mmrec.data.examples import Examples
from mmrec.data.feature_store import digest
from mmrec.data.features import JoinedFeatures
from mmrec.evaluation.slices import popularity_slices
from mmrec.jobs.modalities import MODALITIES
from mmrec.jobs.modalities.modality import Modality
from mmrec.jobs.tables import Tables
from mmrec.models.two_tower import TwoTowerModel
from mmrec.version import __version__


@dataclass(frozen=True)
class Prepared:
    """The modalities in use, each with its features, in the order of the config.

    Attributes:
      modalities: by name.
      features: of all of them, by item row.
      competing: the number of items with training events.
    """

    modalities: Mapping[str, Modality]
    features: JoinedFeatures
    competing: int

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
    modalities = {name: MODALITIES[name](config, tables) for name in config.item.modalities}
    features = JoinedFeatures({name: modality.source for name, modality in modalities.items()})
    return Prepared(modalities, features, int((tables.train_counts > 0).sum()))


def examples(config: Config, tables: Tables, features: JoinedFeatures) -> Examples:
    """Returns the training examples that the config asks for."""
    return Examples(
        tables.split.train,
        features,
        tables.vocabulary.items,
        config.query.max_length,
        config.training.batch_size,
        config.seed,
        config.retrieval,
    )


def run_identity(config: Config) -> str:
    """Returns a digest of the config (but where results go) and of the files that it names: equal for the same run.

    Photos and recordings are known by their names in the catalog only.
    """
    settings = config.model_dump_json(
        exclude={"runs_dir": True, "saved_models_dir": True, "training": {"resume"}, "data": {"cache_dir", "tfds_dir"}}
    )
    text, weights = config.item.text, config.item.image.weights
    named = [config.data.catalog.path, config.data.interactions.path, text.vocabulary, text.preset, weights]
    found = [Path(name) for name in named if name]
    files = [file for path in found for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return digest(__version__, settings, *(_content(path) for path in files if path.is_file())).hex()


def _content(path: Path) -> bytes:
    """Returns the SHA-256 of a file of any size."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def table_slices(tables: Tables) -> dict[str, np.ndarray]:
    """Returns the item masks (bool [N + 1]) that metrics are also reported for: popularity, and what items lack."""
    lacking = {f"missing_{name}": np.append(False, mask) for name, mask in tables.catalog.missing.items()}
    return popularity_slices(tables.train_counts) | lacking
