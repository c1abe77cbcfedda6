"""Estimates what a training would cost from a short probe with its own parts; keeps nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import resource
import sys
import tempfile
import time
from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.examples import Examples
from mmrec.data.shop_tables import Tables
from mmrec.jobs.build import build_model
from mmrec.jobs.prepare import examples, prepare
from mmrec.modalities.catalog import in_order
from mmrec.modalities.checks import Checks, spread
from mmrec.modalities.names import modality_classes
from mmrec.modalities.prepared import Prepared
from mmrec.models.two_tower import TwoTowerModel
from mmrec.training.optimizers import build_optimizer

_STEPS, _SECONDS = 10, 5.0  # most steps timed, and about how long
_WARM_UP = 3  # steps in which TensorFlow still traces and allocates


def probe(config: Config, tables: Tables, usable: Mapping[str, np.ndarray]) -> dict:
    """Measures the parts of a training on a sample, and scales them to the whole.

    Where content takes long to read, that of a few items is used for all items. A few training steps run on the real
    histories. Everything that preparing writes goes to a temporary folder.

    Args:
      config: the settings, with those left open decided (see `jobs.resolve`).
      tables: the checked data.
      usable: by modality, the positions (0-based) of items whose content can be read; a modality that is not named can
        be read for all its items.

    Returns:
      `seconds`, `memory_bytes` and `disk_bytes`, each by part, and `basis`: sentences that say what was measured.

    Raises:
      InputError: the model cannot be built, e.g. because its image weights cannot be read.
    """
    checks = {name: one.checks(one, config) for name, one in modality_classes(config).items()}
    sample = dataclasses.replace(tables, catalog=_stand_ins(tables.catalog, checks, usable))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        data = config.data.model_copy(update={"cache_dir": folder})
        begin = time.monotonic()
        prepared = prepare(config.model_copy(update={"data": data}), sample)
        preparing = time.monotonic() - begin
        model = build_model(config, prepared, tables)
        batches = examples(config, tables, prepared.features, model)
        step, timed = _step_seconds(config, model, batches, prepared)
        costs = [
            checks[one.name].cost(prepared.modalities[one.name], tables.catalog, usable.get(one.name))
            for one in in_order(map(type, prepared.modalities.values()))
        ]
    weights = sum(_bytes(variable) for variable in model.variables)
    optimizer = sum(_bytes(variable) for variable in model.optimizer.variables)
    beside = sum(cost.export_bytes for cost in costs)
    table, held = _item_bytes(config, tables.vocabulary.items, model, sum(cost.beside_dim for cost in costs))
    steps = f"{timed} training step{'s' * (timed > 1)} of {config.training.batch_size} histories"
    return {
        "seconds": {
            **{part: seconds for cost in costs for part, seconds in cost.seconds.items()},
            "step": step,
            "epoch": step * batches.steps,
            "all_epochs": step * batches.steps * config.training.epochs,
        },
        "memory_bytes": {
            "model_and_optimizer": weights + optimizer + beside,
            "item_embeddings": table,
            **{part: size for cost in costs for part, size in cost.memory_bytes.items()},
            "events": tables.events.user.nbytes + tables.events.row.nbytes + tables.events.time.nbytes,
            "this_check_at_its_peak": _peak_bytes(),
        },
        "disk_bytes": {
            **{part: size for cost in costs for part, size in cost.disk_bytes.items()},
            "checkpoints": 2 * (weights + optimizer) + weights,  # last two epochs, and best weights
            "export": weights + beside + held,
        },
        "basis": [
            f"{steps}, timed after {_WARM_UP} others",
            *(words for cost in costs for words in cost.basis),
            f"preparing a sample took {preparing:.1f} s",
            "validation, evaluation and export are not in the times",
            "sizes are computed; the peak of this check is measured, and is mostly TensorFlow itself",
        ],
    }


def _stand_ins(catalog: Catalog, checks: Mapping[str, Checks], usable: Mapping[str, np.ndarray]) -> Catalog:
    """Returns the catalog with the content of all items that have some replaced by that of a few."""
    contents = dict(catalog.content)
    for name, content in catalog.content.items():
        most = checks[name].probed
        if most is not None:
            having, source = np.flatnonzero(~content.missing), np.arange(len(catalog))
            few = usable.get(name, spread(having, most))
            source[having] = few[np.arange(len(having)) % max(1, len(few))]
            contents[name] = content.take(source)
    return dataclasses.replace(catalog, content=contents)


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


def _item_bytes(config: Config, items: int, model: TwoTowerModel, beside_dim: int) -> tuple[int, int]:
    """Returns the bytes of the item embeddings, with neighbours if there are any, in memory and in the export."""
    scored, rank = model.candidate_tower.fusion.output_dim, min(config.retrieval.neighbours, items)
    scored += beside_dim if rank else 0
    stored = {"float32": 4, "float16": 2, "int8": 1}[config.export.index_storage]
    stored *= 2 if config.export.index == "ivf" else 1  # by item and by cell
    in_export = stored * (scored + rank) + 4 * rank + 8 * rank  # for the index, for histories, and for the tower
    return 4 * (items + 1) * (scored + 2 * rank), (items + 1) * in_export


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _bytes(variable: tf.Variable) -> int:
    return int(np.prod(variable.shape)) * variable.dtype.size
