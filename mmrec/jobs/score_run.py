"""Scores the shards of a batch job: on a runner of Apache Beam, or one after the other."""

from __future__ import annotations

import logging
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mmrec.errors import InputError
from mmrec.serving.batch_score import score_shard
from mmrec.serving.score_shards import WORK, Job, Shard

_INSTALL = "Install it: pip install mmrec[beam]"
_LINES = 30  # seconds between lines of progress where stderr is no terminal


def run(shards: Sequence[Shard], job: Job, workers: int, beam_options: Sequence[str]) -> None:
    """Scores all shards.

    Args:
      shards: those that are left.
      job: what they have in common.
      workers: processes.
      beam_options: options of Beam's pipeline, such as `--runner=FlinkRunner`.

    Raises:
      InputError: workers or options are given, and Beam is not installed; or a shard cannot be read or written.
    """
    beam = import_beam()
    if beam is None:
        require_beam_for(workers, beam_options)
        for shard in shards:
            score_shard(shard, job)
        return
    fault = Path(job.output, WORK, "fault")
    fault.unlink(missing_ok=True)
    if any(option.startswith("--runner") for option in beam_options):
        _run_pipeline(beam, None, shards, job, beam_options)
    else:
        with _only_errors():
            _run_pipeline(beam, _direct_runner(job, workers), shards, *_for_workers(job, workers, beam_options))
    if fault.exists():
        raise InputError(fault.read_text(encoding="utf-8"))


def require_beam_for(workers: int, beam_options: Sequence[str]) -> None:
    """Raises `InputError` where something is asked that only Apache Beam can do, and it is not installed."""
    if (workers > 1 or beam_options) and import_beam() is None:
        what = "workers" if workers > 1 else "beam_options"
        raise InputError(f"`{what}` needs the package apache-beam. {_INSTALL}, or leave it out.")


def _for_workers(job: Job, workers: int, options: Sequence[str]) -> tuple[Job, list[str]]:
    """Returns the job with its share of the cores, and the options of a runner here."""
    if workers > 1:
        job = job._replace(threads=max(1, len(os.sched_getaffinity(0)) // workers))
    return job, [f"--direct_num_workers={workers}", *options]


def _direct_runner(job: Job, workers: int) -> Any:
    """Makes the runner that `DirectRunner` ends with; it is named itself, as that tries one first that it downloads.

    Several workers are processes, which note what they do in `.work/workers.log`.
    """
    from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

    if workers == 1:
        return FnApiRunner()
    log = Path(job.output, WORK, "workers.log")
    command = f"{shlex.quote(sys.executable)} -m apache_beam.runners.worker.sdk_worker_main 2>> {shlex.quote(str(log))}"
    return FnApiRunner(default_environment=SubprocessSDKEnvironment.from_command_string(command))


def _run_pipeline(beam: Any, runner: Any, shards: Sequence[Shard], job: Job, options: Sequence[str]) -> None:
    settings = beam.options.pipeline_options.PipelineOptions(list(options))
    pipeline = beam.Pipeline(runner=runner, options=settings)
    (
        pipeline
        | "Shards" >> beam.Create(list(map(tuple, shards)))
        | "Spread" >> beam.Reshuffle()
        | "Score" >> beam.Map(partial(_score, job=tuple(job)))
    )
    pipeline.run().wait_until_finish()


def _score(shard: tuple, job: tuple) -> int:
    """Scores a shard; leaves a note of a fault, which runners would wrap into their own."""
    try:
        return score_shard(Shard(*shard), Job(*job)).rows
    except InputError as error:
        Path(Job(*job).output, WORK, "fault").write_text(str(error), encoding="utf-8")
        return 0


@contextmanager
def _only_errors() -> Iterator[None]:
    """Keeps what Beam notes of its own work from stderr."""
    logger = logging.getLogger("apache_beam")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def import_beam() -> Any:
    """Returns Apache Beam without its notes on clouds that are not installed; None where it is not there."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        import apache_beam
        import apache_beam.options.pipeline_options
    except ImportError:
        return None
    finally:
        logging.disable(before)
    return apache_beam


@contextmanager
def watching(total: int, done: Callable[[], int]) -> Iterator[None]:
    """Says on stderr how many of `total` shards are done, whoever does them.

    Args:
      total: their number.
      done: counts.
    """
    ended, terminal = threading.Event(), sys.stderr.isatty()
    begin = "\r" if terminal else ""

    def say(end: str) -> None:
        print(f"{begin}shards: {done():,} of {total:,} scored", end=end, file=sys.stderr, flush=True)

    def watch() -> None:
        while not ended.wait(1 if terminal else _LINES):
            say("" if terminal else "\n")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        say("\n")
