"""Answers every row of a file of any size with an export."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrec import schema
from mmrec.errors import InputError
from mmrec.progress import watching
from mmrec.scoring.folder import BAD_ROWS, SUMMARY, ScoreFolder, fingerprint, open_folder
from mmrec.scoring.inputs import Plan, input_files
from mmrec.scoring.run import require_beam_for, run
from mmrec.scoring.shards import EMPTY, SIGNATURES, UNKNOWN, Job, model_version
from mmrec.serving.verify import read_manifest, verify_files


def score(
    export_dir: str | os.PathLike[str],
    input: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    task: str = "recommend",
    k: int = 10,
    batch_size: int = 256,
    shard_rows: int = 20_000,
    media_dir: str | os.PathLike[str] | None = None,
    workers: int = 1,
    beam_options: Sequence[str] = (),
) -> dict[str, Any]:
    """Answers every row of a file, or reports the row and the reason; an interrupted job continues where it stopped.

    The answers are parquet files in `output/rows`. Bad rows are listed in `output/bad_rows.jsonl` (`file`, `row` from 1
    and `reason`). `output/score.json` is written last. The same call continues an interrupted job, and does nothing if
    the job is done. A job that cannot answer any row is refused, and leaves only `bad_rows.jsonl`. Memory does not grow
    with the input.

    Example:
      ```python
      summary = mmrec.score("saved_models/shop/1", "users.parquet", "answers", k=10)
      print(summary["rows"], summary["bad_rows"])
      ```

    Args:
      export_dir: the version folder, `saved_models/<name>/<version>`.
      input: a file, a folder of files, or a pattern of file names; .parquet, .csv or .csv.gz. For `recommend`, rows
        with `user_id` and `history` (a list of item ids, oldest first; in csv the ids with a single space between each
        two). They may also have `exclude` and the inputs in `Recommender.context_inputs`, written the same way. Or
        events, which are grouped into histories: the user, the item and the time, in the columns of training's config
        or in `user_id`, `item_id` and `timestamp`. For the other tasks, a catalog as for `Recommender.embed_items`,
        with the column of item ids.
      output: the folder of the answers; absent, empty, or of the same job.
      task: `recommend` writes `user_id`, `item_ids` and `scores`; `embed` writes `item_id`, `embedding` and `status`;
        `label` writes `item_id` and the outputs of the signature `attributes`. Each also writes `model_version`.
      k: number of answers per history, at least 1.
      batch_size: rows per call of the model.
      shard_rows: rows per file of answers. A process that is killed loses the file that it is working on.
      media_dir: the folder that relative paths of photos and recordings start from. None: training's
        `data.catalog.image_dir` and `audio_dir` if they exist here, else the folder of the file. An item whose file is
        absent is embedded without it if training's `on_missing_image` or `on_missing_audio` was `mask`; otherwise it is
        a bad row.
      workers: number of processes; more than one needs Apache Beam (the extra `beam`).
      beam_options: options of Beam's pipeline, such as `--runner=FlinkRunner`. Every machine must find the export, the
        input and the output under the same paths.

    Returns:
      The content of score.json, with the keys

      * `rows`, `bad_rows`: how many rows were answered, and how many were not.
      * `unknown_histories` (only for `recommend`): answered rows whose history holds ids, but none of the export.
      * `items_without_content` (for the other tasks): answered rows of which the model can read nothing.
      * `shards`, `seconds`, `task`, `model_version`: what was done, how long it took, and by which model.

    Raises:
      InputError: an argument, the export, the input or the output folder cannot be used; or no row can be answered, no
        history holds an item of the export, or no item has anything that the model reads.
    """
    began = time.perf_counter()
    for name, value in (("k", k), ("batch_size", batch_size), ("shard_rows", shard_rows), ("workers", workers)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"`{name}` must be an integer >= 1. Received: {value!r}.")
    if task not in SIGNATURES:
        raise InputError(f"`task` must be one of {', '.join(SIGNATURES)}. Received: {task!r}.")
    require_beam_for(workers, beam_options)  # before a folder is made
    export = Path(export_dir).absolute()
    manifest = read_manifest(export)
    paths = input_files(input)
    plan = Plan(paths, task, export, manifest)
    version = model_version(export)
    arguments = {"task": task, "batch_size": batch_size, "shard_rows": shard_rows}
    folder_of_files = os.path.abspath(media_dir) if media_dir and task != "recommend" else None
    arguments |= {"k": k} if task == "recommend" else {"media_dir": folder_of_files}
    model = {"version": version, "sha256": hashlib.sha256((export / schema.MANIFEST).read_bytes()).hexdigest()}
    with open_folder(output, {**arguments, "model": model, "input": [fingerprint(path) for path in paths]}) as folder:
        summary = folder.summary()
        if summary is not None:
            print(f"{folder.path / SUMMARY}: the job is done", file=sys.stderr)
            folder.clean()
            return summary
        verify_files(export, manifest["sha256"])
        shards = folder.plan(lambda staged: plan.shards(staged, shard_rows))
        left = [shard for shard in shards if not folder.is_done(shard)]
        if task == "recommend" and len(left) == len(shards):
            plan.require_some_item(input, shards)
        job = Job(str(export), str(folder.path), task, k, batch_size, folder_of_files)
        with watching("shards", len(shards), folder.done, "scored"):
            run(left, job, workers, beam_options)
        counts = folder.gather(shards, task)
        _require_answers(input, folder, counts)
        seconds = round(time.perf_counter() - began, 3)
        summary = {**counts, "seconds": seconds, "task": task, "model_version": version}
        folder.finish(summary)
        _say(folder, counts)
        return summary


def _require_answers(input: str | os.PathLike[str], folder: ScoreFolder, counts: Mapping[str, int]) -> None:
    """Refuses a job without any useful answer; its answers are removed, its bad rows stay.

    Raises:
      InputError: there is no useful answer; the message holds the first bad row, if there is one.
    """
    rows, bad = counts["rows"], counts["bad_rows"]
    if rows and counts.get(EMPTY) != rows:
        return
    folder.discard()
    if rows:
        raise InputError(
            f"{input}: none of {rows:,} items has anything that the model reads. Fill in the columns that it was "
            "trained on, or correct `media_dir`."
        )
    if not bad:
        raise InputError(f"{input}: holds no rows. Give `input` a file with at least one.")
    first = folder.first_bad_row()
    raise InputError(
        f"{first['file']}, row {first['row']:,}: {first['reason']}. Not one of {bad:,} rows can be used: "
        f"{folder.path / BAD_ROWS} says why. Correct the input."
    )


def _say(folder: ScoreFolder, counts: Mapping[str, int]) -> None:
    """Prints to stderr how many rows were not answered, or only answered without any knowledge of them."""
    rows, bad = counts["rows"], counts["bad_rows"]
    if bad:
        print(f"{bad:,} bad rows are left out; {folder.path / BAD_ROWS} says why", file=sys.stderr)
    if counts.get(UNKNOWN):
        print(f"{counts[UNKNOWN]:,} of {rows:,} histories hold no item of the export", file=sys.stderr)
    if counts.get(EMPTY):
        print(f"{counts[EMPTY]:,} of {rows:,} items have nothing that the model reads", file=sys.stderr)
