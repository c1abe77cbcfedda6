"""Searches a space of configs on validation, then trains the best one in full."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from mmrec.config import Config
from mmrec.data.feature_store import digest
from mmrec.data.frames import config_with_frames
from mmrec.data.shop_tables import Tables
from mmrec.errors import InputError, TrainingError
from mmrec.jobs.build import check_classes
from mmrec.jobs.fit import fit_model
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.jobs.train import TrainResult, train
from mmrec.locks import locked
from mmrec.process import refuse_fork
from mmrec.training.pruning import PrunedError, Pruning, validation_values
from mmrec.training.run_folder import RunFolder, in_use, keep_frames, writable_folder, write_text
from mmrec.tuning.space import Space, read_space
from mmrec.tuning.study import Study, import_optuna


@dataclass(frozen=True)
class TuneResult:
    """The result of a search.

    Attributes:
      best_config: the config of the best trial; `best.yaml` beside `trials` holds it.
      trials: trials.csv, one row per trial.
      train_result: the full training of the best config.
    """

    best_config: Config
    trials: Path
    train_result: TrainResult


def tune(
    config: Config | Mapping[str, Any] | str | Path = MappingProxyType({}),
    space: Mapping[str, Any] | str | os.PathLike[str] = MappingProxyType({}),
    trials: int = 20,
    *,
    seed: int = 0,
    **overrides: Any,
) -> TuneResult:
    """Searches for the config with the best validation NDCG@10, and trains it in full.

    Trials are compared on validation only, and a trial is stopped when it is worse than the median of the others. The
    test part is read once, when `train` trains the best config at the end. All files are kept below
    `<runs_dir>/<name>-tune/`. The same call continues an interrupted search, a call with more trials adds to it, and a
    call for a search that is complete returns its result.

    Args:
      config: as for `train`; it gives the value of each key that is not in the space.
      space: a YAML or JSON file, or a dict: dotted config keys to a list of values, or to a range
        {low, high, log, step}.
      trials: int, at least 1: the number of trials in all, including those of an earlier call.
      seed: the seed of the draws, which are made by Optuna's TPE sampler.
      **overrides: config values, as for `train`.

    Returns:
      The best config, the table of trials, and the training of the best config.

    Raises:
      InputError: config, space or data cannot be used, or Optuna is not installed; nothing was trained.
      TrainingError: the training of the best config failed. (A trial that fails is stopped and counted.)

    Source: Bergstra et al., NeurIPS 2011 (TPE).
    """
    import_optuna()
    if trials < 1:
        raise InputError(f"`trials` must be at least 1. Received: {trials}.")
    with config_with_frames(config, overrides) as loaded:
        return _tune(loaded, space, trials, seed)


def _tune(config: Config, space: Mapping[str, Any] | str | os.PathLike[str], trials: int, seed: int) -> TuneResult:
    refuse_fork()
    check_classes(config)
    checked = read_space(space, config)
    tables_of = _tables_without_test(config)
    for modalities in checked.modalities:
        tables_of(modalities, config.query.context)  # a missing column is reported before the first trial
    writable_folder(Path(config.saved_models_dir).absolute() / config.name, "saved_models_dir")
    with _open_folder(config, checked, seed) as folder:
        config = keep_frames(config, folder)
        write_text(folder / "config.yaml", config.to_yaml())
        study = Study(folder, checked, seed)
        while len(study.done) < trials:
            _run_trial(config, study, folder, trials, tables_of)
            gc.collect()  # models and their graphs refer to each other
        del tables_of  # the training below reads them again, with the test
        best = Config.load(config, **study.best())
        write_text(folder / "best.yaml", best.to_yaml())
        return TuneResult(best, study.table, _train_once(best, folder / "result.json"))


def _run_trial(
    config: Config,
    study: Study,
    folder: Path,
    trials: int,
    tables_of: Callable[[tuple[str, ...], tuple[str, ...]], Tables],
) -> None:
    number = len(study.done) + 1
    trial, values = study.ask()
    print(f"trial {number} of {trials}: {values}", file=sys.stderr, flush=True)
    same = study.finished_with(values)
    if same is not None:
        study.tell(trial, validation_values(_run(folder, same).history), reached=study.reached(same))
        return
    try:
        tried = Config.load(config, **values)
        check_classes(tried)
    except InputError as error:  # each value is allowed, but not all of them together
        study.tell(trial, [], str(error))
        return
    run, stopped, reached = _run(folder, number), "", None
    tables = tables_of(tried.item.modalities, tried.query.context)
    tried = resolve(tried, tables)
    _begin(run, tried)
    try:
        reached = fit_model(tried, tables, run, [Pruning(trial, run.history)]).ndcg
    except PrunedError:
        stopped = "worse than the median"
    except (
        InputError,
        TrainingError,
        tf.errors.ResourceExhaustedError,
    ) as error:
        stopped = " ".join(str(error).split())[:300]
    study.tell(trial, validation_values(run.history), stopped, reached)
    shutil.rmtree(run.checkpoints)
    shutil.rmtree(run.learnt, ignore_errors=True)  # it does not exist when preparing failed


def _run(folder: Path, number: int) -> RunFolder:
    return RunFolder(folder / "trials" / str(number))


def _begin(run: RunFolder, config: Config) -> None:
    """Makes the folder of a trial; one with the same config was left by a killed process and is continued."""
    written, content = run.path / "config.yaml", config.to_yaml()
    if written.exists() and written.read_text(encoding="utf-8") != content:  # another version of Optuna drew it
        shutil.rmtree(run.path)
    for path in (run.path, run.checkpoints, run.logs):
        writable_folder(path, "runs_dir")
    write_text(written, content)


def _tables_without_test(config: Config) -> Callable[[tuple[str, ...], tuple[str, ...]], Tables]:
    """Returns a function that reads the tables for some modalities and context, once, and drops the test queries."""

    @cache
    def tables_of(modalities: tuple[str, ...], context: tuple[str, ...]) -> Tables:
        reads = {"item.modalities": list(modalities), "query.context": list(context)}
        tables = load_tables(Config.load(config, **reads))
        return replace(tables, split=replace(tables.split, test=None))

    return tables_of


@contextmanager
def _open_folder(config: Config, space: Space, seed: int) -> Iterator[Path]:
    """Makes and locks the folder of a search; the same config, data, space and seed give the same folder."""
    dimensions = [[key, repr(dimension)] for key, dimension in space.dimensions.items()]
    name = digest(run_identity(config), json.dumps(dimensions), str(seed)).hex()[:12]
    parent = writable_folder(Path(config.runs_dir).absolute() / f"{config.name}-tune", "runs_dir")
    folder = writable_folder(parent / name, "runs_dir")
    with locked(folder / "lock", in_use(folder)):
        yield folder


def _train_once(config: Config, note: Path) -> TrainResult:
    """Trains a config, unless the file `note` names a finished run of it."""
    if note.exists():
        *folders, of = json.loads(note.read_text(encoding="utf-8"))
        run_dir, export_dir = map(Path, folders)
        run = RunFolder(run_dir)
        if run.finished and export_dir.exists() and of == run_identity(config):
            return TrainResult(run_dir, export_dir, json.loads(run.metrics.read_text(encoding="utf-8")))
    result = train(config)
    write_text(note, json.dumps([str(result.run_dir), str(result.export_dir), run_identity(config)]))
    return result
