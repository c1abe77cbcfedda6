"""Trains, evaluates and exports a model from the files that a config names."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tf_keras

from mmrec.config import Config
from mmrec.data.frames import config_with_frames
from mmrec.data.split_reasons import lost_answers
from mmrec.data.splits import Queries
from mmrec.evaluation.evaluator import Evaluation
from mmrec.evaluation.query_table import encode_query_table
from mmrec.jobs.build import check_classes
from mmrec.jobs.export import export_model
from mmrec.jobs.fit import fit_model
from mmrec.jobs.judge import judge, table_slices
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.process import refuse_fork
from mmrec.progress import say
from mmrec.training.run_folder import RunFolder, writable_folder, write_bytes
from mmrec.training.trainer import require_callbacks


@dataclass(frozen=True)
class TrainResult:
    """The results of a training.

    Attributes:
      run_dir: the run folder: config.yaml, metrics.json, history.csv, test_queries.parquet, checkpoints/, learnt/ and
        logs/.
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
      config: the path of a YAML or JSON file, a dict, or a `Config`. Default: the built-in sample shop. Here and in
        overrides a DataFrame may stand for a table (`data={"catalog": frame}`); the run folder keeps a copy.
      callbacks: a list of further tf_keras callbacks. Their `logs` have `loss`, the mean over the epoch so far, and at
        the end of an epoch the validation metrics as `val_...`.
      **overrides: config values by dotted key or nested dict, e.g. `training={"epochs": 3}`.

    Returns:
      Where the run and the export are, and the metrics.

    Raises:
      InputError: config, data or callbacks cannot be used; no run and no export was written.
      TrainingError: training failed, such as by a loss that is not finite; the message says what to change.
    """
    require_callbacks(callbacks)
    with config_with_frames(config, overrides) as loaded:
        return _train(loaded, callbacks)


def _train(config: Config, callbacks: Sequence[tf_keras.callbacks.Callback]) -> TrainResult:
    clock = _Clock()
    refuse_fork()
    gc.collect()  # the previous training's model and graphs refer to each other
    check_classes(config)
    tables = load_tables(config)
    test = tables.split.test
    if lost := lost_answers(tables.events, test.dropped, len(test.relevant.values)):
        say(f"warning: {' '.join(lost)}")
    config = resolve(config, tables)
    writable_folder(Path(config.saved_models_dir).absolute() / config.name, "saved_models_dir")
    with RunFolder.open(config, run_identity(config)) as run:
        fitted = fit_model(config, tables, run, callbacks, clock.lap)
        table = fitted.item_table()

        def keep(queries: Queries, judged: Evaluation) -> None:
            users, items = tables.events.user_ids, tables.vocabulary.ids
            write_bytes(run.test_queries, encode_query_table(users, items, queries, judged.per_query))

        metrics = judge(config, tables, table_slices(tables), table, fitted.embedder.queries, keep)
        metrics["skipped"]["catalog"] |= fitted.prepared.counts
        metrics["fusion"] = fitted.model.candidate_tower.fusion.report()
        metrics |= fitted.reports
        clock.lap("evaluate")
        metrics["seconds"] = clock.seconds
        export_dir = export_model(run.config, tables, fitted.prepared, fitted.embedder, table, metrics, run=run.key)
        clock.lap("export")
        run.write_metrics(metrics)
        say(f"exported {export_dir}")
        return TrainResult(run.path, export_dir, metrics)


class _Clock:
    """Seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begin = time.monotonic()

    def lap(self, stage: str) -> None:
        """Ends a stage."""
        now = time.monotonic()
        self.seconds[stage], self._begin = round(now - self._begin, 2), now
