"""Scores the shards of a batch job, on a runner of Apache Beam or one after the other."""

from __future__ import annotations

import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from mmrec.errors import InputError, nearest
from mmrec.process import usable_cores
from mmrec.scoring.scorer import score_shard
from mmrec.scoring.shards import WORK, Job, Shard

_INSTALL = "Install it: pip install mmrec[beam]"
_ARGUMENTS = ("task", "k", "batch_size", "shard_rows", "media_dir", "workers")  # if misspelt, taken for Beam's options


def run(shards: Sequence[Shard], job: Job, workers: int, beam_options: Sequence[str]) -> None:
    """Scores all shards.

    Args:
      shards: the shards that are not scored yet.
      job: what all shards have in common.
      workers: number of processes.
      beam_options: options of Beam's pipeline, such as `--runner=FlinkRunner`.

    Raises:
      InputError: several workers or options are wanted without Beam, or a shard cannot be read or written.
    """
    beam = import_beam()
    if beam is None:
        require_beam_for(workers, beam_options)
        for shard in shards:
            score_shard(shard, job)
        return
    fault = Path(job.output, WORK, "fault")
    fault.unlink(missing_ok=True)
    if _name_runner(beam_options):
        _run_pipeline(beam, None, shards, job, beam_options)
    else:
        with _only_errors():
            _run_pipeline(beam, _direct_runner(job, workers), shards, *_for_workers(job, workers, beam_options))
    if fault.exists():
        raise InputError(fault.read_text(encoding="utf-8"))


def require_beam_for(workers: int, beam_options: Sequence[str]) -> None:
    """Raises `InputError` if Apache Beam is needed and not installed, or does not know one of the options."""
    if workers == 1 and not beam_options:
        return
    beam = import_beam()
    if beam is None:
        what = "workers" if workers > 1 else "beam_options"
        raise InputError(f"`{what}` needs the package apache-beam. {_INSTALL}, or leave it out.")
    if workers > 1 and _name_runner(beam_options):
        raise InputError(
            f"`workers` sets up the local runner, and `beam_options` name another one. Received: {workers}, and "
            f"{' '.join(beam_options)}. Leave one of them out; runners have options of their own for it."
        )
    options, unknown = _read_options(beam, beam_options)
    if unknown:
        name = unknown[0].partition("=")[0].lstrip("-")
        raise InputError(
            f"`beam_options` must be options that Apache Beam knows.{nearest(name, [*options, *_ARGUMENTS])} Received: "
            f"{unknown[0]!r}. Correct it, or leave it out."
        )


def _name_runner(options: Sequence[str]) -> bool:
    return any(option.startswith("--runner") for option in options)


def _read_options(beam: Any, options: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the names of all options that Beam knows, and the given ones that it would ignore."""
    parsers: list[Any] = []
    with _only_errors():
        settings = beam.options.pipeline_options.PipelineOptions(list(options))
        names = settings.get_all_options(add_extra_args_fn=parsers.append)
    return [*names], parsers[0].parse_known_args(list(options))[1]


def _for_workers(job: Job, workers: int, options: Sequence[str]) -> tuple[Job, list[str]]:
    """Returns the job with its share of the cores, and the options for a runner on this machine."""
    if workers > 1:
        job = job._replace(threads=max(1, usable_cores() // workers))
    return job, [f"--direct_num_workers={workers}", *options]


def _direct_runner(job: Job, workers: int) -> Any:
    """Makes the runner that `DirectRunner` falls back to; `DirectRunner` itself would first try to download another.

    Several workers are processes, which write their log to `.work/workers.log`.
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
    """Scores a shard; writes an `InputError` to a file, as runners would wrap it into errors of their own."""
    try:
        return score_shard(Shard(*shard), Job(*job)).rows
    except InputError as error:
        Path(Job(*job).output, WORK, "fault").write_text(str(error), encoding="utf-8")
        return 0


@contextmanager
def _only_errors() -> Iterator[None]:
    """Keeps Beam's notes about its own work off stderr."""
    logger = logging.getLogger("apache_beam")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def import_beam() -> Any:
    """Imports Apache Beam without its notes about missing cloud packages; returns None if it is not installed."""
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
