"""How fast does a batch job answer, beside a plain loop over the signature?

An export of item ids alone, trained for one epoch on the sample shop, answers histories that are drawn with a fixed
seed (1 to 60 items, short ones more often), ten items each. Every contestant is a process of its own with its libraries
loaded, reads the same parquet file, loads the export, writes parquet, and is timed from before the load to the end:

* `loop`: pandas reads the file; batches of 256 are padded in Python and go through the signature `recommend`; pandas
  writes. Pinned to one core;
* `one_worker`: `mmrec.score` on Beam's runner in the process, pinned to one core;
* `two_workers`: `mmrec.score(workers=2)` on all cores. Its time holds the start of the two processes, each of which
  loads TensorFlow: `seconds:start_of_two_workers`, a job of two rows, says how much that is.

    python -m benchmarks.batch_score [--export DIR] [--json FILE] [--quick]

`--export` takes another export. `--quick` answers 3,000 rows of the tiny shop instead of 300,000 of the medium one: it
shows that all parts run; its ratios are of starting up. Needs apache-beam (extra `beam`).
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np
import pandas as pd

K, BATCH = 10, 256
LIBRARIES = ["mmrec.scoring.score", "tensorflow_text", "apache_beam.runners.portability.fn_api_runner.fn_runner"]


def draw_histories(path: Path, item_ids: np.ndarray, rows: int) -> None:
    """Writes histories of random items, a million ids at a time."""
    generator = np.random.default_rng(0)
    lengths = np.minimum(generator.geometric(0.08, rows), 60)
    ids = np.split(item_ids[generator.integers(0, len(item_ids), lengths.sum())], np.cumsum(lengths)[:-1])
    pd.DataFrame({"user_id": [f"u{row}" for row in range(rows)], "history": ids}).to_parquet(path)


def loop(export: str, source: str, output: str) -> None:
    """Answers as a short script would."""
    import tensorflow as tf

    answer = tf.saved_model.load(export).signatures["recommend"]
    extra = [name for name in answer.structured_input_signature[1] if name in ("exclude", "include", "filter")]
    table, ids, scores = pd.read_parquet(source), [], []
    for start in range(0, len(table), BATCH):
        histories = table["history"].iloc[start : start + BATCH].tolist()
        width = max(map(len, histories))
        padded = [[*history, *[""] * (width - len(history))] for history in histories]
        nothing = {name: tf.zeros([len(padded), 0], tf.string) for name in extra}
        answers = answer(history=tf.constant(padded), k=tf.fill([len(padded)], K), **nothing)
        ids += [[item.decode() for item in row if item] for row in answers["item_ids"].numpy()]
        scores += list(answers["scores"].numpy())
    table.drop(columns="history").assign(item_ids=ids, scores=scores, model_version="1").to_parquet(output)


def contend(name: str, export: str, source: str, output: str, answer: multiprocessing.Queue) -> None:
    """Runs a contestant in this process; puts its seconds into the queue."""
    if name != "two_workers":
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import tensorflow as tf

    tf.constant(0)
    start = time.perf_counter()
    if name == "loop":
        loop(export, source, output)
    else:
        workers = 2 if name == "two_workers" else 1
        with contextlib.redirect_stderr(io.StringIO()):
            summary = mmrec.score(export, source, output, k=K, batch_size=BATCH, workers=workers)
        assert summary["bad_rows"] == 0
    answer.put(time.perf_counter() - start)


def seconds_of(name: str, export: str, source: Path, folder: Path) -> float:
    """Runs a contestant in a process of its own, forked from one that has the libraries and no thread of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    answer, output = context.Queue(), folder / f"{name}.parquet"
    child = context.Process(target=contend, args=(name, export, str(source), str(output), answer))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"{name} failed (exit code {child.exitcode}).")
    return answer.get()


def same_answers(one: Path, other: Path) -> float:
    """Returns the share of rows with the same items in two outputs."""
    answers = [pd.read_parquet(path)["item_ids"].map(tuple) for path in (one, other)]
    return float((answers[0].to_numpy() == answers[1].to_numpy()).mean())


def main() -> None:
    rows = Rows(__doc__, lambda parser: parser.add_argument("--export", metavar="DIR", help="another version folder"))
    quick = rows.options.quick
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = rows.options.export
        if not export:
            config = mmrec.write_sample_shop(folder / "shop", "tiny" if quick else "medium")
            places = {
                "runs_dir": folder / "runs",
                "saved_models_dir": folder / "models",
                "data.cache_dir": folder / "c",
            }
            changes = {"item.modalities": ["item_id"], "training.epochs": 1, "evaluation.bootstrap_samples": 10}
            with contextlib.redirect_stderr(io.StringIO()):
                export = str(mmrec.train(config, **places, **changes).export_dir)
        items = pd.read_parquet(Path(export) / "mmrec" / "items.parquet", columns=["item_id"])["item_id"].to_numpy()
        count = 3_000 if quick else 300_000
        draw_histories(folder / "histories.parquet", items, count)
        draw_histories(folder / "two.parquet", items, 2)
        contestants = ("loop", "one_worker", "two_workers")
        times: dict[str, list[float]] = {contestant: [] for contestant in contestants}
        for _ in range(1 if quick else 3):
            for contestant in contestants:
                shutil.rmtree(folder / f"{contestant}.parquet", ignore_errors=True)
                times[contestant].append(seconds_of(contestant, export, folder / "histories.parquet", folder))
        seconds = {contestant: statistics.median(taken) for contestant, taken in times.items()}
        for contestant, taken in seconds.items():
            rows.add(f"rate:{contestant}", count / taken, "rows/s", items=len(items))
        rows.add("ratio:batch_vs_loop", seconds["loop"] / seconds["one_worker"], "of the speed of the loop")
        rows.add("ratio:two_workers_vs_one", seconds["one_worker"] / seconds["two_workers"], "times as fast")
        loops, one = folder / "loop.parquet", folder / "one_worker.parquet" / "rows"
        rows.add("share:same_answers", same_answers(loops, one), "of the rows, job and loop")
        if not quick:
            shutil.rmtree(folder / "two_workers.parquet")
            start = seconds_of("two_workers", export, folder / "two.parquet", folder)
            rows.add("seconds:start_of_two_workers", start, "s")
            least = max(seconds["two_workers"] - start, 1e-9)
            rows.add("ratio:two_workers_vs_one_without_start", seconds["one_worker"] / least, "times as fast")
    rows.write()


if __name__ == "__main__":
    main()
