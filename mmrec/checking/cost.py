"""What a training would cost, from a short probe with the parts that it would use; nothing of it is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import resource
import sys
import tempfile
import time

import numpy as np
import tensorflow as tf

from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.examples import Examples
from mmrec.data.shop_tables import Tables
from mmrec.jobs.build import build_model
from mmrec.jobs.prepare import examples, prepare
from mmrec.modalities.image.modality import ImageModality
from mmrec.modalities.prepared import Prepared
from mmrec.models.two_tower import TwoTowerModel
from mmrec.preprocess.images import decode_photos
from mmrec.traced import traced
from mmrec.training.optimizers import build_optimizer

PHOTOS = 32  # photos that the probe decodes and encodes
_TEXTS = 5000  # items on whose texts the probe learns its vocabulary
_STEPS, _SECONDS = 10, 5.0  # most steps timed, and about how long
_WARM_UP = 3  # steps in which TensorFlow still traces and allocates


def spread(places: np.ndarray, most: int) -> np.ndarray:
    """Returns at most `most` of some places (int64 [P]), at equal distances.

    >>> spread(np.array([4, 5, 6, 7, 8]), 3).tolist()
    [4, 6, 8]
    """
    return places[np.unique(np.linspace(0, len(places) - 1, most).astype(int))] if len(places) else places


def probe(config: Config, tables: Tables, photos: np.ndarray) -> dict:
    """Measures a training's parts on a sample, and multiplies.

    The text vocabulary is learnt on at most 5,000 items, photos are a few that stand in for all, and a few training
    steps run on the real histories. Everything that preparing writes goes to a temporary folder.

    Args:
      config: the settings, decided.
      tables: the checked data.
      photos: positions (0-based) of readable photos of the catalog; unused without the image modality.

    Returns:
      `seconds`, `memory_bytes` and `disk_bytes` by part, and `basis`: what was measured, in words.

    Raises:
      InputError: the model cannot be built, e.g. because its image weights cannot be read.
    """
    sample = dataclasses.replace(tables, catalog=_stand_ins(tables.catalog, photos))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        data = config.data.model_copy(update={"cache_dir": folder})
        begin = time.monotonic()
        prepared = prepare(config.model_copy(update={"data": data}), sample)
        preparing = time.monotonic() - begin
        model = build_model(config, prepared, tables)
        batches = examples(config, tables, prepared.features, model)
        step, timed = _step_seconds(config, model, batches, prepared)
        images = prepared.modalities.get("image")
        per_photo = _photo_seconds(config, sample.catalog, images, photos) if images else 0.0
    catalog, most = tables.catalog, config.item.image.max_photos
    named = sum(len(catalog.photo_files(item)[:most]) for item in range(len(catalog))) if images else 0
    views = _views(config)
    weights = sum(_bytes(variable) for variable in model.variables)
    optimizer = sum(_bytes(variable) for variable in model.optimizer.variables)
    backbone = sum(_bytes(variable) for variable in images.backbone.variables) if images else 0
    photo_bytes = _photo_bytes(config, images)
    table, held = _item_bytes(config, tables.vocabulary.items, model, prepared)
    frozen = config.item.image.trainable == "none"
    steps = f"{timed} training step{'s' * (timed > 1)} of {config.training.batch_size} histories"
    basis = [f"{steps}, timed after {_WARM_UP} others"]
    if images:
        times = f"{named:,} photos{f' x {views} views' * (views > 1)}"
        basis.append(f"{len(photos)} photos, decoded and encoded once warm; times {times}")
    basis += [
        f"preparing a sample took {preparing:.1f} s",
        "validation, evaluation and export are not in the times",
        "sizes are computed; the peak of this check is measured, and is mostly TensorFlow itself",
    ]
    return {
        "seconds": {
            "photos": per_photo * named * views,
            "step": step,
            "epoch": step * batches.steps,
            "all_epochs": step * batches.steps * config.training.epochs,
        },
        "memory_bytes": {
            "model_and_optimizer": weights + optimizer + (backbone if frozen else 0),
            "item_embeddings": table,
            "text_tokens": _token_bytes(config, tables),
            "features": 0 if tables.catalog.features is None else tables.catalog.features.nbytes,
            "events": tables.events.user.nbytes + tables.events.row.nbytes + tables.events.time.nbytes,
            "this_check_at_its_peak": _peak_bytes(),
        },
        "disk_bytes": {
            "photo_cache": photo_bytes * named,
            "checkpoints": 2 * (weights + optimizer) + weights,  # the last two epochs, and the best one's weights
            "export": weights + (backbone if frozen else 0) + held,
        },
        "basis": basis,
    }


def _stand_ins(catalog: Catalog, photos: np.ndarray) -> Catalog:
    """Returns the catalog with the photos of a few items for all that have one, and the texts of the first 5,000."""
    stand_in = np.full(len(catalog), None, dtype=object)
    if len(photos):
        named = np.flatnonzero([photo is not None for photo in catalog.photos])
        stand_in[named] = catalog.photos[photos[np.arange(len(named)) % len(photos)]]
    text = {column: values[np.arange(len(values)) % _TEXTS] for column, values in catalog.text.items()}
    sounds = catalog.sounds.copy()
    heard = np.flatnonzero([sound is not None for sound in sounds])
    sounds[heard] = sounds[heard[np.arange(len(heard)) % PHOTOS]]
    return dataclasses.replace(catalog, photos=stand_in, text=text, sounds=sounds)


def _step_seconds(config: Config, model: TwoTowerModel, examples: Examples, prepared: Prepared) -> tuple[float, int]:
    """Returns the seconds of a training step, and how many steps were timed."""
    model.compute_loss(next(examples.epoch(0)))
    model.compile(optimizer=build_optimizer(config.training, examples.steps, prepared.pretrained_variables))
    model.optimizer.build(model.trainable_variables)

    def run(steps: int) -> float:
        begin = time.monotonic()
        model.fit(examples.dataset(), steps_per_epoch=steps, epochs=1, verbose=0)
        return (time.monotonic() - begin) / steps

    run(_WARM_UP)
    steps = int(np.clip(_SECONDS / run(1), 1, _STEPS))
    return run(steps), steps


def _photo_seconds(config: Config, catalog: Catalog, images: ImageModality, photos: np.ndarray) -> float:
    """Returns the seconds that decoding and encoding a photo takes."""
    image = config.item.image
    encoded = tf.constant([catalog.photo_bytes(item, max_pixels=image.max_pixels) for item in photos])
    pixels = tf.TensorSpec([None, config.item.image.size, config.item.image.size, 3])
    encode = traced(lambda pixels: images.backbone(pixels, training=False), [pixels])

    def run() -> float:
        begin = time.monotonic()
        encode(tf.cast(decode_photos(encoded, image.size, image.max_pixels)[0], tf.float32)).numpy()
        return (time.monotonic() - begin) / len(photos)

    run()
    return run()


def _views(config: Config) -> int:
    image = config.item.image
    return 1 + (image.views if image.augmentation and image.trainable == "none" else 0)


def _photo_bytes(config: Config, images: ImageModality | None) -> int:
    if images is None:
        return 0
    image = config.item.image
    return 4 * images.backbone.feature_dim * _views(config) if image.trainable == "none" else 3 * image.size**2


def _item_bytes(config: Config, items: int, model: TwoTowerModel, prepared: Prepared) -> tuple[int, int]:
    """Returns the bytes of the item embeddings, with neighbours if there are any, in memory and in the export."""
    scored, rank = model.candidate_tower.fusion.output_dim, min(config.retrieval.neighbours, items)
    if rank and config.item.text.encoder == "latent":
        scored += prepared.features.rows(np.array([0])).get("text_features", np.zeros((1, 0))).shape[1]
    stored = {"float32": 4, "float16": 2, "int8": 1}[config.export.index_storage]
    stored *= 2 if config.export.index == "ivf" else 1  # by item and by cell
    in_export = stored * (scored + rank) + 4 * rank + 8 * rank  # what is searched, what histories read, and the tower's
    return 4 * (items + 1) * (scored + 2 * rank), (items + 1) * in_export


def _token_bytes(config: Config, tables: Tables) -> int:
    return 4 * (tables.vocabulary.items + 1) * sum(config.item.text.limits(list(tables.catalog.text)))


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _bytes(variable: tf.Variable) -> int:
    return int(np.prod(variable.shape)) * variable.dtype.size
