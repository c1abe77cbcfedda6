"""Raw files to a trained, judged and exported model."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tf_keras

from mmrec.config import Config
from mmrec.jobs.build import build_model, check_classes
from mmrec.jobs.export import export_model
from mmrec.jobs.judge import judge, validation_judge
from mmrec.jobs.prepare import examples, prepare, run_identity, table_slices
from mmrec.jobs.tables import load_tables
from mmrec.training.callbacks import Refresh
from mmrec.training.embedder import Embedder
from mmrec.training.run_folder import RunFolder, writable_folder
from mmrec.training.trainer import fit


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

    Attributes:
      run_dir: the run folder: config.yaml, metrics.json, history.csv, checkpoints/, logs/.
      export_dir: the SavedModel, `saved_models/<name>/<version>`.
      metrics: the content of metrics.json.
    """

    run_dir: Path
    export_dir: Path
    metrics: dict


def train(
    config: Config | Mapping[str, Any] | str | Path = MappingProxyType({}),
    *,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
    **overrides: Any,
) -> TrainResult:
    """Trains, evaluates and exports a two-tower model.

    Args:
      config: the path of a YAML or JSON file, a dict, or a `Config`. Nothing: the built-in sample shop.
      callbacks: further Keras callbacks; they see the validation metrics in `logs` as `val_...`.
      **overrides: config values by dotted key or nested dict, e.g. `training={"epochs": 3}`.

    Returns:
      Where the run and the export are, and the metrics.

    Raises:
      InputError: config or data cannot be used; no run and no export was written.
      TrainingError: the training went astray; the message says what to change.
    """
    config = Config.load(config, **overrides)
    clock = _Clock()
    check_classes(config)
    tables = load_tables(config)
    writable_folder(Path(config.saved_models_dir).absolute() / config.name, "saved_models_dir")
    with RunFolder.open(config, run_identity(config)) as run:
        prepared = prepare(config, tables)
        model, items = build_model(config, prepared), tables.vocabulary.items
        embedder = Embedder(model.candidate_tower, model.query_tower, config.query.max_length)
        batches = examples(config, tables, prepared.features)
        _say(f"{items:,} items, {len(tables.events):,} events, {batches.queries:,} training queries; run {run.path}")
        clock.lap("prepare")

        def item_table() -> np.ndarray:
            prepared.refresh(model)
            return embedder.item_table(prepared.features, items)

        fit(
            model,
            batches,
            validation_judge(config, tables, item_table, embedder.queries),
            config,
            run,
            [Refresh(lambda: prepared.refresh(model), config.training.refresh_steps), *callbacks],
            prepared.pretrained_variables,
        )
        clock.lap("train")
        table = item_table()
        metrics = judge(config, tables, table_slices(tables), table, embedder.queries)
        metrics["skipped"]["catalog"] |= prepared.counts
        metrics["fusion"] = model.candidate_tower.fusion.report()
        clock.lap("evaluate")
        metrics["seconds"] = clock.seconds
        export_dir = export_model(config, tables, prepared, model, table, embedder.queries, metrics, run=run.key)
        clock.lap("export")
        run.write_metrics(metrics)
        _say(f"exported {export_dir}")
        return TrainResult(run.path, export_dir, metrics)


class _Clock:
    """Seconds per stage."""

    def __init__(self):
        self.seconds, self._begin = {}, time.monotonic()

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.monotonic()
        self.seconds[stage], self._begin = round(now - self._begin, 2), now


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
