"""Makes features and training examples of the tables, and the digest that identifies a run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from mmrec.config import Config
from mmrec.data.examples import Examples, OwnExamples
from mmrec.data.feature_store import digest
from mmrec.data.features import JoinedFeatures
from mmrec.data.frames import frame_paths
from mmrec.data.shop_tables import Tables
from mmrec.errors import InputError
from mmrec.modalities.names import modality_classes
from mmrec.modalities.prepared import Prepared
from mmrec.models.two_tower import TwoTowerModel
from mmrec.version import __version__

_COMPARED = 32  # items compared at once, until two differ: mostly the first two


def prepare(config: Config, tables: Tables) -> Prepared:
    """Computes the features of every modality in use, except those that are already in the cache.

    Args:
      config: decided (see `jobs.resolve`).
      tables: the data.
    """
    modalities = {name: modality(config, tables) for name, modality in modality_classes(config).items()}
    return Prepared(modalities, JoinedFeatures({name: modality.source for name, modality in modalities.items()}))


def require_difference(prepared: Prepared, items: int) -> None:
    """Raises InputError if all items have the same features, so that no model could tell them apart.

    Args:
      prepared: the features of the items.
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


def examples(config: Config, tables: Tables, features: JoinedFeatures, model: TwoTowerModel | None = None) -> Examples:
    """Returns the training examples that the config asks for.

    Args:
      config: decided (see `jobs.resolve`).
      tables: the data.
      features: the features of the items.
      model: the model whose objectives add to the examples; None: nothing is added.
    """
    own: list[OwnExamples] = []
    for objective in model.objectives if model else ():
        part = objective.examples(config, tables)
        own += [] if part is None else [part]
    return Examples(
        tables.split.train,
        features,
        tables.vocabulary.items,
        config.query.max_length,
        config.training.batch_size,
        config.seed,
        config.retrieval,
        tables.user_features(),
        own,
    )


def run_identity(config: Config) -> str:
    """Returns a digest of the config (except where results go) and of the files that it names: equal for the same run.

    Photos and recordings count only by their names in the catalog, tables that were DataFrames by their content.

    Args:
      config: decided (see `jobs.resolve`), so that both the first command and the run's own config.yaml continue a run.
    """
    data = config.data
    elsewhere = {"cache_dir": True, "tfds_dir": True, **{table: {"path"} for table in frame_paths(config)}}
    settings = config.model_dump_json(
        exclude={"runs_dir": True, "saved_models_dir": True, "training": {"resume"}, "data": elsewhere}
    )
    tables = [section.path for section in (data.catalog, data.interactions, data.users) if section]
    named = [path for modality in modality_classes(config).values() for path in modality.identity_files(config)]
    paths = [Path(name) for name in (*tables, *named)]
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return digest(__version__, settings, *(_content(path) for path in files if path.is_file())).hex()


def _content(path: Path) -> bytes:
    """Returns the SHA-256 of a file of any size."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
