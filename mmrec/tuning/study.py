"""Keeps the trials of a search on disk, as Optuna's journal and as a table."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmrec.errors import InputError
from mmrec.training.run_folder import write_text
from mmrec.tuning.space import Space

_FIRST_TRIALS = 4  # never stopped early: a median needs some trials first
_FIRST_EPOCH = 2  # the first that is compared: the learning rate still warms up in epoch 1


def import_optuna() -> Any:
    """Imports Optuna and returns it; it logs only warnings and errors.

    Raises:
      InputError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise InputError("`mmrec tune` needs the package optuna. Install it: pip install mmrec[tune]") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class Study:
    """A search that can be continued. One process at a time may open it.

    The values of a trial depend only on the seed and on the trials that have ended. A trial whose process was killed
    therefore draws the same values again, and an interrupted search makes the same trials as an uninterrupted one.

    Args:
      folder: the folder of the journal and the table.
      space: the values to draw from.
      seed: the seed of the draws.

    Attributes:
      table: trials.csv, one row per trial that has ended.
    """

    def __init__(self, folder: Path, space: Space, seed: int):
        self._optuna, self._space, self._seed = import_optuna(), space, seed
        self.table = folder / "trials.csv"
        journal = folder / "journal"
        _mend(journal)
        backend = self._optuna.storages.journal.JournalFileBackend(str(journal))
        self._study = self._optuna.create_study(
            storage=self._optuna.storages.JournalStorage(backend),
            study_name="tune",
            direction="maximize",
            load_if_exists=True,
            pruner=self._optuna.pruners.MedianPruner(_FIRST_TRIALS, _FIRST_EPOCH),
        )
        states = self._optuna.trial.TrialState
        self._done, self._pruned, self._complete = (states.COMPLETE, states.PRUNED), states.PRUNED, states.COMPLETE
        for trial in self._study.get_trials(deepcopy=False, states=(states.RUNNING,)):  # left by a killed process
            self._study.tell(trial.number, state=states.FAIL)
        self._write_table()

    @property
    def done(self) -> Sequence[Any]:
        """The trials that have ended, oldest first."""
        return self._study.get_trials(deepcopy=False, states=self._done)

    def ask(self) -> tuple[Any, dict[str, Any]]:
        """Starts a trial; returns the trial, and its values by config key."""
        seed = np.random.SeedSequence([self._seed, len(self.done)]).generate_state(1)
        self._study.sampler = self._optuna.samplers.TPESampler(seed=int(seed[0]))
        trial = self._study.ask()
        values = self._space.draw(trial)
        trial.set_user_attr("values", values)
        return trial, values

    def finished_with(self, values: Mapping[str, Any]) -> int | None:
        """Returns the number, from 1, of a trial of the same values that ran to its end; None when there is none."""
        numbers = (number for number, trial in enumerate(self.done, 1) if self._ended_with(trial) == values)
        return next(numbers, None)

    def _ended_with(self, trial: Any) -> dict[str, Any] | None:
        return trial.user_attrs["values"] if trial.state == self._complete else None

    def reached(self, number: int) -> float:
        """Returns the validation NDCG@10 of a trial that ran to its end, by its number from 1."""
        return self.done[number - 1].value

    def tell(self, trial: Any, values: Sequence[float], stopped: str = "", reached: float | None = None) -> None:
        """Ends a trial.

        Args:
          trial: a trial that `ask` returned.
          values: validation NDCG@10 of each epoch.
          stopped: why the trial was stopped; "" when it ran to its end.
          reached: validation NDCG@10 of the model that would be exported; None: that of the best epoch.
        """
        reached = max(values, default=None) if reached is None else reached
        trial.set_user_attr("ndcg@10", reached)
        trial.set_user_attr("epochs", len(values))
        trial.set_user_attr("stopped", stopped)
        if stopped:
            self._study.tell(trial, state=self._pruned)
        else:
            self._study.tell(trial, reached)
        self._write_table()

    def best(self) -> dict[str, Any]:
        """Returns the values of the best trial.

        Raises:
          InputError: no trial ran to its end.
        """
        complete = [trial for trial in self.done if trial.state == self._complete]
        if not complete:
            why = "; ".join(dict.fromkeys(trial.user_attrs["stopped"] for trial in self.done))
            raise InputError(f"{self.table}: no trial ran to its end ({why}). Change the space, or add trials.")
        return max(complete, key=lambda trial: trial.value).user_attrs["values"]  # the first of equals

    def _write_table(self) -> None:
        rows = io.StringIO()
        writer = csv.writer(rows, lineterminator="\n")
        writer.writerow(["trial", "state", "ndcg@10", "epochs", "seconds", *self._space.dimensions, "stopped"])
        for number, trial in enumerate(self.done, start=1):
            attributes, seconds = trial.user_attrs, trial.duration.total_seconds()
            state = "complete" if trial.state == self._complete else "stopped"
            values = attributes["values"].values()
            writer.writerow(
                [
                    number,
                    state,
                    attributes["ndcg@10"],
                    attributes["epochs"],
                    f"{seconds:.1f}",
                    *values,
                    attributes["stopped"],
                ]
            )
        write_text(self.table, rows.getvalue())


def _mend(journal: Path) -> None:
    """Removes the lock and the unfinished last line that a killed process can leave."""
    for lock in journal.parent.glob("journal.lock*"):
        lock.unlink()
    if journal.exists():
        content = journal.read_bytes()
        if not content.endswith(b"\n"):
            print(f"{journal}: the last line was cut off and is left out", file=sys.stderr, flush=True)
            journal.write_bytes(content[: content.rfind(b"\n") + 1])
