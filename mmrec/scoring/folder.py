"""The output folder of a batch job: which job it belongs to, what is done, and how the job ends."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mmrec.errors import InputError, writing
from mmrec.locks import locked
from mmrec.scoring.shards import ROWS, STAGED_BAD_ROWS, UNREAD, WORK, Shard

JOB, SUMMARY, BAD_ROWS = "job.json", "score.json", "bad_rows.jsonl"
_LOCK, _PLAN, _STAGED = ".lock", "plan.json", "staged"
_ENDS = 65_536  # bytes at the begin and the end of a file that go into its fingerprint


def fingerprint(path: str) -> dict[str, Any]:
    """Returns what identifies a file: its path, size and time, and a hash of its begin and end."""
    with open(path, "rb") as file:
        status, ends = os.fstat(file.fileno()), hashlib.sha256(file.read(_ENDS))
        file.seek(max(0, status.st_size - _ENDS))
        ends.update(file.read())
    return {"path": path, "bytes": status.st_size, "time_ns": status.st_mtime_ns, "sha256_of_ends": ends.hexdigest()}


class ScoreFolder:
    """The folder of one job. Get one with `open_folder`.

    Args:
      path: the folder.
    """

    def __init__(self, path: Path):
        self.path = path

    def summary(self) -> dict[str, Any] | None:
        """Returns the content of score.json; None while the job is not done."""
        return _read(self.path / SUMMARY)

    def plan(self, make: Callable[[Path], Sequence[Shard]]) -> list[Shard]:
        """Returns the shards of the job.

        Args:
          make: cuts the shards and writes their files into the empty folder that it gets; not called if an earlier
            process has done that.
        """
        work = self.path / WORK
        plan = _read(work / _PLAN)
        if plan is None or plan["folder"] != str(self.path):
            shutil.rmtree(work / _STAGED, ignore_errors=True)  # of a process that was killed
            (work / _STAGED).mkdir(parents=True)
            plan = {"folder": str(self.path), "shards": make(work / _STAGED)}
            _write(work / _PLAN, plan)
        (self.path / ROWS).mkdir(exist_ok=True)
        for path in [*(self.path / ROWS).glob(".part-*"), *work.glob(".part-*")]:
            path.unlink(missing_ok=True)  # of a process that was killed
        return [Shard(*shard)._replace(columns=tuple(shard[4])) for shard in plan["shards"]]

    def is_done(self, shard: Shard) -> bool:
        """Returns whether the answers of a shard are written."""
        return (self.path / ROWS / f"{shard.name}.parquet").exists()

    def done(self) -> int:
        """Returns how many shards have been answered."""
        return sum(name.startswith("part-") for name in os.listdir(self.path / ROWS))

    def gather(self, shards: Sequence[Shard], task: str) -> dict[str, int]:
        """Counts the answers and collects the bad rows in one file.

        Args:
          shards: all shards of the job, each answered.
          task: see `SIGNATURES`.

        Returns:
          The numbers of `rows`, `bad_rows`, answered rows of which the model read nothing (see `UNREAD`), and `shards`.

        Raises:
          RuntimeError: there are fewer or more answers and bad rows than rows that were read.
        """
        work, aside = self.path / WORK, self.path / f".{BAD_ROWS}"
        staged = work / _STAGED / STAGED_BAD_ROWS
        rows, bad, unread = 0, 0, 0
        with open(aside, "wb") as bad_rows:
            bad += _copy(staged, bad_rows)
            for shard in shards:
                written = pq.read_metadata(self.path / ROWS / f"{shard.name}.parquet")
                answered = written.num_rows
                unread += int(written.metadata.get(UNREAD[task].encode(), 0))
                refused = _copy(work / f"{shard.name}.jsonl", bad_rows)
                if not shard.events and answered + refused != shard.stop - shard.start:
                    raise RuntimeError(
                        f"{shard.source}, rows from {shard.start + 1:,}: {shard.stop - shard.start:,} were read, "
                        f"{answered:,} answered and {refused:,} refused."
                    )
                rows, bad = rows + answered, bad + refused
        if bad:
            aside.replace(self.path / BAD_ROWS)
        aside.unlink(missing_ok=True)
        return {"rows": rows, "bad_rows": bad, UNREAD[task]: unread, "shards": len(shards)}

    def first_bad_row(self) -> dict[str, Any]:
        """Returns the first of the collected bad rows."""
        with open(self.path / BAD_ROWS, encoding="utf-8") as file:
            return json.loads(next(file))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Writes score.json, and removes the files that only the work needed."""
        _write(self.path / SUMMARY, summary)
        self.clean()

    def discard(self) -> None:
        """Removes the answers; the bad rows stay."""
        shutil.rmtree(self.path / ROWS, ignore_errors=True)

    def forget(self) -> None:
        """Frees the folder for another job, unless it holds answers."""
        if not any((self.path / ROWS).glob("part-*")):
            self.discard()
            self.clean()
            (self.path / JOB).unlink()

    def clean(self) -> None:
        """Removes the files that only the work needed."""
        shutil.rmtree(self.path / WORK, ignore_errors=True)


@contextmanager
def open_folder(output: str | os.PathLike[str], job: Mapping[str, Any]) -> Iterator[ScoreFolder]:
    """Opens the folder of a job and locks it for the block.

    Args:
      output: the folder; made when absent.
      job: everything that determines the answers, as plain values that JSON can hold.

    Raises:
      InputError: `output` is a file; or the folder belongs to another job, holds other things, is in use by another
        process, or cannot be written.
    """
    path = Path(output).absolute()
    if path.exists() and not path.is_dir():
        raise InputError(f"`output` must be a folder. Received a file: {path}. Give another path, or remove it.")
    with writing(path, "output"):
        path.mkdir(parents=True, exist_ok=True)
        ignored = {_LOCK, f".{JOB}"} | ({BAD_ROWS} if (path / _LOCK).exists() else set())  # left by a refused job
        busy = f"{path}: another process scores into it. Wait for its end, or give another `output`."
        with locked(path / _LOCK, busy):
            earlier = _read(path / JOB)
            if earlier is None and any(child.name not in ignored for child in path.iterdir()):
                raise InputError(
                    f"`output` must be absent, empty, or of the same job. Received: {path}. Give another folder."
                )
            if earlier is not None and earlier != job:
                differs = ", ".join(f"`{key}`" for key in sorted({*earlier, *job}) if earlier.get(key) != job.get(key))
                raise InputError(
                    f"{path}: holds the answers of another job: not the same {differs}. Give another `output`, or "
                    "remove the folder."
                )
            if earlier is None:
                (path / BAD_ROWS).unlink(missing_ok=True)
            _write(path / JOB, job)
            folder = ScoreFolder(path)
            try:
                yield folder
            except InputError:
                folder.forget()  # the corrected call may count as another job
                raise


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    aside = path.with_name(f".{path.name}")
    aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)


def _copy(path: Path, target: Any) -> int:
    """Appends a file to an open one; returns its number of lines, 0 if it does not exist."""
    lines = 0
    if path.exists():
        with open(path, "rb") as file:
            for line in file:
                target.write(line)
                lines += 1
    return lines
