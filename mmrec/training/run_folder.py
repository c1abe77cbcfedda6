"""The folder of one run: its config, state and results; locked while a process works in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mmrec.config import Config
from mmrec.data.frames import SUFFIX, frame_paths
from mmrec.errors import InputError, writing
from mmrec.locks import locked

_BEFORE_IDENTITY = {"lock", "checkpoints", "logs", "config.yaml", "key"}


class RunFolder:
    """The folder `<runs_dir>/<name>/<number>`. The run is unfinished while there is no `metrics.json`.

    Args:
      path: the folder.
    """

    def __init__(self, path: Path):
        self.path = path
        self.checkpoints, self.logs, self.learnt = path / "checkpoints", path / "logs", path / "learnt"
        self.history, self.metrics = path / "history.csv", path / "metrics.json"
        self.test_queries = path / "test_queries.parquet"
        self._config, self._identity, self._key = path / "config.yaml", path / "identity", path / "key"

    @property
    def config(self) -> Config:
        """The config that the run was opened with; tables that were DataFrames are read from the folder."""
        return Config.load(self._config)

    @property
    def finished(self) -> bool:
        """Whether the run has its results."""
        return self.metrics.exists()

    def write_metrics(self, metrics: dict) -> None:
        """Writes `metrics.json`, whole or not at all, which finishes the run."""
        write_text(self.metrics, json.dumps(metrics, indent=2) + "\n")

    def keep_learnt(self, files: Mapping[str, bytes]) -> None:
        """Writes files of what was learnt from the data before training, by name, to `learnt/`."""
        writable_folder(self.learnt, "runs_dir")
        for name, content in files.items():
            write_bytes(self.learnt / name, content)

    @property
    def resumable(self) -> bool:
        """Whether the run has a complete checkpoint to continue from."""
        return (self.checkpoints / "last" / "checkpoint").exists()

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits, unique to this run, by which an export names the run that wrote it."""
        return self._key.read_text(encoding="utf-8")

    def belongs_to(self, identity: str) -> bool:
        """Whether the run was started with this config and data."""
        return self._identity.exists() and self._identity.read_text() == identity

    @property
    def _abandoned(self) -> bool:
        """Whether a process was killed here before it had written the run's identity: the next run takes the folder."""
        names = {child.name for child in self.path.iterdir()}
        return all(name in _BEFORE_IDENTITY or name.startswith(".") or name.endswith(SUFFIX) for name in names)

    @classmethod
    @contextmanager
    def open(cls, config: Config, identity: str) -> Iterator[RunFolder]:
        """Opens a run to work in: the latest unfinished one with this identity, else a new one.

        A new run that is refused (`InputError`) before its first checkpoint leaves no folder behind.

        Args:
          config: written to `config.yaml`; its `training.resume` allows continuing. Tables that were DataFrames are
            copied into the folder.
          identity: digest of config and data.

        Raises:
          InputError: the folder cannot be written, or another process works on the same run.
        """
        parent = writable_folder(Path(config.runs_dir).absolute() / config.name, "runs_dir")
        numbers = sorted((int(child.name) for child in parent.iterdir() if child.name.isdecimal()), reverse=True)
        runs = [cls(parent / str(number)) for number in numbers]
        unfinished = (run for run in runs if run.belongs_to(identity) and not run.finished)
        run = next(unfinished, None) if config.training.resume else None
        run = run or next((run for run in runs[:1] if run._abandoned), None)
        run = run or cls(parent / str(max(numbers, default=0) + 1))
        for folder in (run.path, run.checkpoints, run.logs):
            writable_folder(folder, "runs_dir")
        with locked(run.path / "lock", in_use(run.path)):
            write_text(run._config, keep_frames(config, run.path).to_yaml())
            if not run._key.exists():
                write_text(run._key, secrets.token_hex(8))
            write_text(run._identity, identity)
            try:
                yield run
            except InputError:
                if not run.resumable:
                    shutil.rmtree(run.path)
                raise


def keep_frames(config: Config, folder: Path) -> Config:
    """Copies the tables that were DataFrames into a folder of results.

    Args:
      config: names the files.
      folder: where to copy them to.

    Returns:
      The config that names the copies.

    Raises:
      InputError: the disk is full, or the folder may not be written.
    """
    copies = {}
    for table, path in frame_paths(config).items():
        copies[table] = {"path": str(folder / f"{table}{SUFFIX}")}
        if path != folder / f"{table}{SUFFIX}":
            with _whole(folder / f"{table}{SUFFIX}") as aside:
                shutil.copyfile(path, aside)
    return Config.load(config, data=copies) if copies else config


def in_use(folder: Path) -> str:
    """Returns the message about a folder that another process works in."""
    return f"{folder}: is in use by another process. Wait for it, or set another `name`."


def writable_folder(path: Path, key: str) -> Path:
    """Creates a folder where there is none yet.

    Args:
      path: the folder.
      key: the config key that determines it, for the message.

    Raises:
      InputError: it cannot be created or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        writable = os.access(path, os.W_OK | os.X_OK)
    except (OSError, ValueError):  # a name with a null character is a ValueError
        writable = False
    if not writable:
        raise InputError(f"{path}: cannot be written. Set `{key}` to a folder you may write to.")
    return path


def write_text(path: Path, text: str) -> None:
    """Writes a file of a run, whole or not at all.

    Raises:
      InputError: the disk is full, or the folder may not be written.
    """
    with _whole(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file of a run, whole or not at all; raises as `write_text`."""
    with _whole(path) as aside:
        aside.write_bytes(content)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """Yields another path to write to; the complete file is then renamed to its own."""
    aside = path.with_name(f".{path.name}.writing")  # always the same: what a killed process left is overwritten
    try:
        with writing(path, "runs_dir"):
            yield aside
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
