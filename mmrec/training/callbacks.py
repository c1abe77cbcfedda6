"""Callbacks of training: validate, keep the best epoch, save, stop, report.

The logs of a training have `loss`, the mean over the epoch so far, and at the end of an epoch `val_...`.
"""

from __future__ import annotations

import csv
import io
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
import tf_keras

from mmrec.config.training import TrainingConfig
from mmrec.errors import TrainingError, writing
from mmrec.paths import literal_folder
from mmrec.training.run_folder import RunFolder, write_text

MONITORED = "val_ndcg@10"


class NumberGuard(tf_keras.callbacks.Callback):
    """Stops training at the first loss that is not a finite number.

    Args:
      config: settings that the message names.

    Raises:
      TrainingError: from within `fit`, after the step.
    """

    def __init__(self, config: TrainingConfig):
        super().__init__()
        self._config, self._epoch = config, 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if not math.isfinite(logs["loss"]):  # the epoch's mean stays not finite from that batch on
            raise TrainingError(
                f"the loss is {logs['loss']} in epoch {self._epoch + 1}, step {batch + 1}. "
                f"Lower `training.learning_rate` (now {self._config.learning_rate}), raise `retrieval.temperature`, or "
                f"set `training.clip_norm` (now {self._config.clip_norm}). The last checkpoint is intact."
            )


class Validation(tf_keras.callbacks.Callback):
    """Ranks the validation queries after each epoch and adds the metrics to the logs, as `val_...`.

    Args:
      judge: () -> metrics by name.
    """

    def __init__(self, judge: Callable[[], dict[str, float]]):
        super().__init__()
        self._judge = judge

    def on_epoch_end(self, epoch, logs=None):
        logs.update({f"val_{name}": value for name, value in self._judge().items()})


class Refresh(tf_keras.callbacks.Callback):
    """Recomputes what depends on the weights: at the start, every `steps` steps and at the end of each epoch.

    So an epoch begins the same in a resumed training and in an uninterrupted one, and validation, which comes after
    this callback, uses results of the current weights.

    Args:
      refresh: () -> None, recomputes the results.
      steps: number of steps of an epoch between two updates.
    """

    def __init__(self, refresh: Callable[[], None], steps: int):
        super().__init__()
        self._refresh, self._every = refresh, steps

    def on_train_begin(self, logs=None):
        self._refresh()  # a resumed run has other weights than the features were prepared with

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self._every == 0:
            self._refresh()

    def on_epoch_end(self, epoch, logs=None):
        self._refresh()


class Progress(tf_keras.callbacks.Callback):
    """Reports progress on stderr: a line per epoch, with an estimate of the longest time left.

    Args:
      config: `epochs` is read.
      steps: number of steps per epoch.
    """

    def __init__(self, config: TrainingConfig, steps: int):
        super().__init__()
        self._config, self._steps, self._seconds = config, steps, []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = self._said = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._said > 1:
            self._said = now
            print(
                f"\r  step {batch + 1}/{self._steps}  loss {logs['loss']:.4f} ",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def on_epoch_end(self, epoch, logs=None):
        self._seconds.append(time.monotonic() - self._begin)
        left = (self._config.epochs - epoch - 1) * sum(self._seconds[-3:]) / len(self._seconds[-3:])
        start = "\r" if sys.stderr.isatty() else ""
        print(
            f"{start}epoch {epoch + 1}/{self._config.epochs}  loss {logs['loss']:.4f}  "
            f"validation ndcg@10 {logs[MONITORED]:.4f}  {self._seconds[-1]:.1f} s  at most {_duration(left)} left",
            file=sys.stderr,
            flush=True,
        )


class HistoryFile(tf_keras.callbacks.Callback):
    """Writes `history.csv`, a row per epoch.

    Args:
      path: the file.
      first_epoch: number of epochs that a resumed run has finished; rows of later ones are dropped.
    """

    def __init__(self, path: Path, first_epoch: int):
        super().__init__()
        self._path, self._rows = path, []
        if path.exists():
            with open(path, newline="") as file:
                self._rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= first_epoch]

    def on_epoch_end(self, epoch, logs=None):
        metrics = {name: float(value) for name, value in logs.items() if not name.endswith("loss")}
        self._rows.append({"epoch": epoch + 1, "loss": float(logs["loss"]), **metrics})
        table = io.StringIO()
        writer = csv.DictWriter(table, fieldnames=list(self._rows[-1]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        write_text(self._path, table.getvalue())


class Summaries(tf_keras.callbacks.Callback):
    """Writes the history as TensorBoard summaries; unlike Keras's callback, without the package tensorboard."""

    def __init__(self, folder: Path):
        super().__init__()
        self._writer = tf.summary.create_file_writer(str(folder))

    def on_epoch_end(self, epoch, logs=None):
        values = [tf.compat.v1.Summary.Value(tag=name, simple_value=float(value)) for name, value in logs.items()]
        with self._writer.as_default():
            tf.summary.experimental.write_raw_pb(tf.compat.v1.Summary(value=values).SerializeToString(), step=epoch + 1)
        self._writer.flush()


class Checkpoints(tf_keras.callbacks.Callback):
    """Saves the best epoch and the latest; stops when the best is `patience` epochs old or another callback says so.

    Args:
      run: where they are saved.
      model: the model whose weights and optimiser are saved.
      patience: number of epochs.
    """

    def __init__(self, run: RunFolder, model: tf_keras.Model, patience: int):
        super().__init__()
        self._patience, self._folder = patience, run.checkpoints
        self.epoch = tf.Variable(0, dtype=tf.int64)  # number of finished epochs
        self.best_epoch = tf.Variable(0, dtype=tf.int64)
        self.best = tf.Variable(-1.0, dtype=tf.float64)
        self.done = tf.Variable(False)
        state = {"epoch": self.epoch, "best_epoch": self.best_epoch, "best": self.best, "done": self.done}
        self._last = _Kept("last", tf.train.Checkpoint(model=model, optimizer=model.optimizer, **state), 2)
        self._best = _Kept("best", tf.train.Checkpoint(model=model), 1)

    def resume(self) -> bool:
        """Restores the latest state, if there is one; returns whether there was."""
        with self._manager(self._last) as last:
            return last.restore_or_initialize() is not None

    def restore_best(self) -> None:
        """Puts the best epoch's weights into the model."""
        with self._manager(self._best) as best:
            best.checkpoint.restore(best.latest_checkpoint).expect_partial()

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.assign(epoch + 1)
        if logs[MONITORED] > float(self.best):
            self.best.assign(logs[MONITORED])
            self.best_epoch.assign(epoch + 1)
            self._save(self._best)
        stop = self.model.stop_training or epoch + 1 - int(self.best_epoch) >= self._patience
        self.done.assign(stop or epoch + 1 >= self.params["epochs"])
        self._save(self._last)
        self.model.stop_training = stop

    def _save(self, kept: _Kept) -> None:
        # Numbered by epoch: a resumed run that counted from 1 again would overwrite the best checkpoint that it needs.
        with writing(self._folder, "runs_dir"), self._manager(kept) as manager:
            manager.save(checkpoint_number=int(self.epoch))

    @contextmanager
    def _manager(self, kept: _Kept) -> Iterator[tf.train.CheckpointManager]:
        """Yields a manager that saves to the folder and restores from it."""
        with literal_folder(self._folder) as folder:
            yield tf.train.CheckpointManager(kept.checkpoint, str(folder / kept.name), max_to_keep=kept.count)


class _Kept(NamedTuple):
    """What is saved in a subfolder, and how many of the latest states stay there."""

    name: str
    checkpoint: tf.train.Checkpoint
    count: int


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
