"""The sample shop: a generated catalog with photos, texts, sounds and shoppers, for the quick start and the tests.

It comes as a TFDS data set (importing this module registers it) or as files (`write_sample_shop`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow_datasets as tfds

from mmrec.data.sample_shop.media import FEATURES, image_features, photo, sound
from mmrec.data.sample_shop.world import SIZES, World, draw_world
from mmrec.errors import InputError, writing

TABLE_FORMATS = ("csv", "parquet")


class MmrecSampleShop(tfds.core.GeneratorBasedBuilder):
    """The sample shop, seed 0, as TFDS data sets `mmrec_sample_shop/{tiny,small,medium,large}-{items,interactions}`.

    Items have `item_id`, `title`, `description`, `category`, `price`, and the encoded `image` and `audio` (b"" where
    missing); the medium and large ones have `image_features` (float32 [32]) instead. Interactions have `user_id`,
    `item_id` and `timestamp` (seconds since the epoch), sorted by time. The one split is `train`. Nothing is
    downloaded.
    """

    VERSION = tfds.core.Version("1.0.0")  # raise it when anything drawn changes: prepared folders are found by it
    BUILDER_CONFIGS = tuple(
        tfds.core.BuilderConfig(name=f"{size}-{table}", description=f"The {table} of the {size} shop.")
        for size in SIZES
        for table in ("items", "interactions")
    )

    def _info(self) -> tfds.core.DatasetInfo:
        text = tfds.features.Text()
        size, table = self.builder_config.name.split("-")
        if table == "interactions":
            features = {"user_id": text, "item_id": text, "timestamp": np.int64}
        else:
            features = {"item_id": text, "title": text, "description": text, "category": text, "price": np.float32}
            if SIZES[size].media:
                features |= {"image": text, "audio": text}  # encoded files, not pixels or samples
            else:
                features["image_features"] = tfds.features.Tensor(shape=(FEATURES,), dtype=np.float32)
        return self.dataset_info_from_configs(
            description="A generated shop whose shoppers choose by look, theme and sound.",
            features=tfds.features.FeaturesDict(features),
            disable_shuffling=True,  # the order is the table's
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict:
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[int, dict]]:
        size, table = self.builder_config.name.split("-")
        world = draw_world(size, 0)
        rows = _interactions(world) if table == "interactions" else _items(world)
        columns = {column: rows[column].tolist() for column in rows}
        if "image" in self.info.features:
            columns |= {
                "image": (photo(world, row) for row in rows.index),
                "audio": (sound(world, row) for row in rows.index),
            }
        for row, values in enumerate(zip(*columns.values(), strict=True)):
            yield row, dict(zip(columns, values, strict=True))


def write_sample_shop(
    directory: str | os.PathLike, size: str = "small", seed: int = 0, table_format: str = "csv"
) -> Path:
    """Writes the shop as files: a catalog, interactions, `images/`, `sounds/` and a config that trains on them.

    Everything is written to a folder beside `directory` and moved into place when it is complete.

    Args:
      directory: absent or empty.
      size: `tiny` (150 items), `small` (1,200), `medium` (10,000, with image features in place of files) or `large`
        (100,000, like medium).
      seed: int >= 0; another seed is another shop.
      table_format: `csv` or `parquet`; `medium` and `large` are always parquet.

    Returns:
      Path of the written `config.yaml`.

    Raises:
      InputError: when the directory is not empty, or there is no such size or format.
    """
    directory = Path(directory).absolute()
    if table_format not in TABLE_FORMATS:
        raise InputError(f"`table_format` must be one of {', '.join(TABLE_FORMATS)}. Received: {table_format!r}.")
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"`directory` must be absent or empty. Received: {directory}. Name another, or empty it.")
    world = draw_world(size, seed)
    with writing(directory, "directory"):
        directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as beside:
        complete = Path(beside) / directory.name
        complete.mkdir()
        _write(complete, world, table_format if SIZES[size].media else "parquet")
        if directory.exists():  # keep the folder itself: it may be where the caller stands
            for path in sorted(complete.iterdir()):
                shutil.move(path, directory / path.name)
        else:
            complete.rename(directory)
    return directory / "config.yaml"


def _write(folder: Path, world: World, table_format: str) -> None:
    items = _items(world)
    if SIZES[world.size].media:
        for column, subfolder, suffix, draw in (("image", "images", "png", photo), ("audio", "sounds", "wav", sound)):
            (folder / subfolder).mkdir()
            paths = []
            for row, item_id in enumerate(items["item_id"]):
                content = draw(world, row)
                paths.append(f"{subfolder}/{item_id}.{suffix}" if content else "")
                if content:
                    (folder / paths[-1]).write_bytes(content)
            items[column] = paths
    for name, table in (("catalog", items), ("interactions", _interactions(world))):
        if table_format == "csv":
            table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        else:
            table.to_parquet(folder / f"{name}.parquet", index=False)
    (folder / "config.yaml").write_text(_config(world.size, table_format), encoding="utf-8")


def _items(world: World) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "item_id": world.item_id,
            "title": world.title,
            "description": world.description,
            "category": world.category,
            "price": world.price,
        }
    )
    if not SIZES[world.size].media:
        table["image_features"] = list(image_features(world))
    return table


def _interactions(world: World) -> pd.DataFrame:
    item_id = np.array(world.item_id, dtype=object)
    user_id = np.array([f"u{user:06d}" for user in range(len(world.kind))], dtype=object)
    return pd.DataFrame(
        {
            "user_id": user_id[world.event_user],
            "item_id": item_id[world.event_item],
            "timestamp": world.event_time,
        }
    )


def _config(size: str, table_format: str) -> str:
    head = f"""\
# The sample shop ({size}): every key that is not here has its default.
name: sample_shop
data:
  catalog:
    path: catalog.{table_format}
    text: [title, description]
    payload: [title, category]  # shown beside an answer
    filters: [category]  # answers can be restricted to category=...
"""
    interactions = f"""\
  interactions:
    path: interactions.{table_format}
"""
    if not SIZES[size].media:
        return f"""\
{head}    features: image_features  # this size has no photos
    image: null
{interactions}item:
  modalities: [features, item_id]
evaluation:  # a sample of the queries: otherwise judging grows with items times queries
  max_validation_queries: 2000
  max_test_queries: 4000
"""
    return f"""\
{head}{interactions}item:
  image:
    weights: null  # random: these photos are drawn, so weights learnt on real ones are not needed
    size: 64
training:
  batch_size: {32 if size == "tiny" else 128}  # few shoppers: smaller batches for enough steps
  epochs: 15
"""
