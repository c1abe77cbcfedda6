"""Stops a trial of a hyperparameter search that does worse than earlier ones."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import tf_keras

from mmrec.training.callbacks import MONITORED


class PrunedError(Exception):
    """The trial is stopped: it does worse than earlier ones."""


class Pruning(tf_keras.callbacks.Callback):
    """Reports each epoch's validation NDCG@10 to a trial, and ends the training when the trial should stop.

    Args:
      trial: has `report(value, step)` and `should_prune()`, as Optuna's trials.
      history: the run's history.csv. In a resumed training, the epochs in it are reported first.

    Raises:
      PrunedError: from within `fit`, at the end of an epoch.
    """

    def __init__(self, trial: Any, history: Path):
        super().__init__()
        self._trial, self._history, self._begun = trial, history, False

    def on_epoch_begin(self, epoch, logs=None):
        if not self._begun:
            for step, value in enumerate(validation_values(self._history)[:epoch], start=1):
                self._trial.report(value, step)
        self._begun = True

    def on_epoch_end(self, epoch, logs=None):
        self._trial.report(float(logs[MONITORED]), epoch + 1)
        if self._trial.should_prune():
            raise PrunedError


def validation_values(history: Path) -> list[float]:
    """Returns the validation NDCG@10 of each epoch in a history.csv; none if there is no file."""
    if not history.exists():
        return []
    with open(history, newline="") as file:
        return [float(row[MONITORED]) for row in csv.DictReader(file)]
