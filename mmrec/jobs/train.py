"""Raw files to a trained, judged and exported model."""

from __future__ import annotations

import dataclasses
import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tf_keras

from mmrec.after_training.feature_mapping import map_features
from mmrec.after_training.neighbours import with_neighbours
from mmrec.config import Config
from mmrec.data.frames import config_with_frames
from mmrec.data.shop_tables import Tables
from mmrec.data.similarity import mean_cosine
from mmrec.data.split_reasons import lost_answers
from mmrec.data.splits import Queries
from mmrec.evaluation.evaluator import Evaluation
from mmrec.evaluation.query_table import encode_query_table
from mmrec.index.item_table import ItemTable
from mmrec.jobs.build import build_model, check_classes
from mmrec.jobs.export import export_model
from mmrec.jobs.judge import judge, table_slices, validation_judge
from mmrec.jobs.prepare import Prepared, examples, prepare, require_difference, retrieval_task, run_identity
from mmrec.jobs.tables import load_tables
from mmrec.modalities.catalog import masked_files
from mmrec.models.two_tower import TwoTowerModel
from mmrec.process import refuse_fork
from mmrec.training.callbacks import Refresh
from mmrec.training.embedder import Embedder
from mmrec.training.run_folder import RunFolder, writable_folder, write_bytes
from mmrec.training.trainer import fit, require_callbacks


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

    Attributes:
      run_dir: the run folder: config.yaml, metrics.json, history.csv, test_queries.parquet, checkpoints/, logs/.
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
      config: the path of a YAML or JSON file, a dict, or a `Config`. Nothing: the built-in sample shop. Here and in
        overrides a DataFrame may stand for a table (`data={"catalog": frame}`); it is kept in the run folder.
      callbacks: a list of further callbacks of tf_keras. Their `logs` hold `loss`, the mean over the epoch so far, and
        at the end of an epoch the validation metrics as `val_...`.
      **overrides: config values by dotted key or nested dict, e.g. `training={"epochs": 3}`.

    Returns:
      Where the run and the export are, and the metrics.

    Raises:
      InputError: config, data or callbacks cannot be used; no run and no export was written.
      TrainingError: the training went astray; the message says what to change.
    """
    require_callbacks(callbacks)
    with config_with_frames(config, overrides) as loaded:
        return _train(loaded, callbacks)


def _train(config: Config, callbacks: Sequence[tf_keras.callbacks.Callback]) -> TrainResult:
    clock = _Clock()
    refuse_fork()
    gc.collect()  # the last training's model and its graphs refer to each other
    check_classes(config)
    tables = load_tables(config)
    test = tables.split.test
    if lost := lost_answers(tables.events, test.dropped, len(test.relevant.values)):
        _say(f"warning: {' '.join(lost)}")
    writable_folder(Path(config.saved_models_dir).absolute() / config.name, "saved_models_dir")
    with RunFolder.open(config, run_identity(config)) as run:
        fitted = fit_model(config, tables, run, callbacks, clock.lap)
        prepared, embed_queries, table = fitted.prepared, fitted.embedder.queries, fitted.item_table()

        def keep(queries: Queries, found: Evaluation) -> None:
            users, items = tables.events.user_ids, tables.vocabulary.ids
            write_bytes(run.test_queries, encode_query_table(users, items, queries, found.per_query))

        metrics = judge(config, tables, table_slices(tables), table, embed_queries, keep)
        metrics["skipped"]["catalog"] |= prepared.counts
        metrics["fusion"] = fitted.model.candidate_tower.fusion.report()
        metrics["mapping"], metrics["neighbours"] = fitted.mapping, fitted.neighbours
        clock.lap("evaluate")
        metrics["seconds"] = clock.seconds
        export_dir = export_model(run.config, tables, prepared, fitted.embedder, table, metrics, run=run.key)
        clock.lap("export")
        run.write_metrics(metrics)
        _say(f"exported {export_dir}")
        return TrainResult(run.path, export_dir, metrics)


@dataclass(frozen=True)
class Fitted:
    """A trained model, neither judged on test nor exported.

    Attributes:
      prepared: the features that it was trained on.
      model: with the weights of its best epoch.
      embedder: embeds with them, and with the neighbours that were put beside them.
      items: N, the number of items.
      mapping: what `after_training.feature_mapping` found.
      neighbours: what is known of those; empty without.
      ndcg: on validation, of towers and neighbours together; None without neighbours.
    """

    prepared: Prepared
    model: TwoTowerModel
    embedder: Embedder
    items: int
    mapping: dict[str, float] = field(default_factory=dict)
    neighbours: dict[str, float] = field(default_factory=dict)
    ndcg: float | None = None

    def item_table(self) -> ItemTable:
        """Returns the item embeddings by the weights as they are."""
        self.prepared.refresh(self.model)
        return self.embedder.item_table(self.prepared.features, self.items)


def fit_model(
    config: Config,
    tables: Tables,
    run: RunFolder,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
    lap: Callable[[str], None] = lambda stage: None,
) -> Fitted:
    """Trains a model and chooses its epoch on validation; never reads `tables.split.test`, exports nothing.

    Args:
      config: what to train.
      tables: the data.
      run: where checkpoints and history go; continues from the checkpoint in it.
      callbacks: as for `train`.
      lap: is told when the stages `prepare` and `train` end.

    Raises:
      InputError, TrainingError: as `train`.
    """
    prepared = prepare(config, tables)
    require_difference(prepared, tables.vocabulary.items)
    model = build_model(config, prepared)
    towers = model.candidate_tower, model.query_tower
    embedder = Embedder(*towers, config.query.max_length, tables.user_features())
    fitted = Fitted(prepared, model, embedder, tables.vocabulary.items)
    batches = examples(config, tables, prepared.features)
    task = retrieval_task(config, int(prepared.competing.sum()))
    size = f"{fitted.items:,} items, {len(tables.events):,} events, {batches.queries:,} training queries"
    _say(f"{size}; negatives: {task.negatives}; run {run.path}")
    if masked := masked_files(config, {**tables.catalog.counts, **prepared.counts}):
        _say(f"masked: {masked}")
    if tables.users is not None:
        _say(f"attributes of {tables.users.covered:,} of {len(tables.events.user_ids):,} users")
    lap("prepare")
    hard_negatives = model.task.hard_negatives

    def item_table() -> ItemTable:
        table = fitted.item_table()
        if hard_negatives:
            hard_negatives.follow(table.scored)
        return table

    @cache
    def alike_before() -> float:
        if prepared.pretrained_variables:  # these have moved since
            return 0.0
        begun = build_model(config, prepared)  # made anew from the seed: seldom asked for
        embed = Embedder(begun.candidate_tower, begun.query_tower, config.query.max_length)
        table = dataclasses.replace(fitted, model=begun, embedder=embed).item_table()
        prepared.refresh(model)
        return mean_cosine(table.scored[1:])

    refresh = item_table if hard_negatives else lambda: prepared.refresh(model)
    fit(
        model,
        batches,
        validation_judge(config, tables, item_table, embedder.queries, alike_before),
        config,
        run,
        [Refresh(refresh, config.training.refresh_steps), *callbacks],
        prepared.pretrained_variables,
    )
    prepared.refresh(model)
    mapping = map_features(config, tables, embedder, prepared.features)
    if mapping.get("strength"):  # what was traced is without it
        embedder = Embedder(*towers, config.query.max_length, tables.user_features())
    fitted = dataclasses.replace(fitted, embedder=embedder, mapping=mapping)
    if config.retrieval.neighbours:
        embedder, found = with_neighbours(config, tables, embedder, prepared.features)
        fitted = dataclasses.replace(fitted, embedder=embedder, neighbours=found)
        judging = validation_judge(config, tables, fitted.item_table, embedder.queries, alike_before)
        fitted = dataclasses.replace(fitted, ndcg=judging()["ndcg@10"])
    lap("train")
    return fitted


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
