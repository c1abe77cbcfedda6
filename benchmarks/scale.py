"""How do seconds and memory grow with the data?

10,000 items and 100,000 events against 100,000 and 1,000,000. Both are sample shops drawn the same way, with ready-made
features; each goes from its files to answers (ids and features, 1 epoch) in a process of its own. Of every stage:
seconds, processor seconds (of all cores; they do not depend on what else the machine does), and the peak memory of the
process, TensorFlow included. `growth` divides the large by the small: what is linear in the data grows by about 10
(fixed parts make it less, sorting and caches more), what is quadratic by 100.

    python -m benchmarks.scale [--json FILE] [--quick]

`--quick` takes 200 and 2,000 items. It shows that all stages run; fixed parts are nearly all that it measures.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)

USERS = 1000  # who ask at the end

Figures = dict[str, dict[str, float]]


class Stages:
    """Measures stage by stage; `figures` has `seconds`, `processor_seconds` and `peak_bytes` by stage."""

    def __init__(self):
        self.figures: Figures = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measures what runs inside."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.figures[name] = {
            "seconds": time.perf_counter() - wall,
            "processor_seconds": time.process_time() - processor,
            "peak_bytes": _peak_bytes(),
        }


def _peak_bytes() -> int:
    """Returns the largest memory that this process has held since the peak was started anew (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def measure(items: int, folder: str, answer: multiprocessing.Queue) -> None:
    """Goes from nothing to answers; puts `Figures` into the queue."""
    import mmrec
    from mmrec.checking.check import check
    from mmrec.data.sample_shop import world as sample_world
    from mmrec.jobs.build import build_model
    from mmrec.jobs.export import export_model
    from mmrec.jobs.judge import judge, table_slices, validation_judge
    from mmrec.jobs.prepare import examples, prepare
    from mmrec.jobs.resolve import resolve
    from mmrec.jobs.tables import load_tables
    from mmrec.training.embedder import Embedder
    from mmrec.training.run_folder import RunFolder
    from mmrec.training.trainer import fit

    stages = Stages()
    sample_world.SIZES["large"] = sample_world.Size(items, items, 10 * items, media=False)
    with stages.stage("write the shop"):
        path = mmrec.write_sample_shop(f"{folder}/shop", "large")
    config = mmrec.Config.load(
        path, runs_dir=f"{folder}/runs", saved_models_dir=f"{folder}/models", **{"training.epochs": 1}
    )
    with stages.stage("check"):
        check(config)
    with stages.stage("read and check the tables"):
        tables = load_tables(config)
        config = resolve(config, tables)
    with stages.stage("prepare features and examples"):
        prepared = prepare(config, tables)
        batches = examples(config, tables, prepared.features)
    with stages.stage("train, 1 epoch"), RunFolder.open(config, "scale") as run:
        model = build_model(config, prepared, tables)
        embedder = Embedder(model.candidate_tower, model.query_tower, config.query.max_length)

        def item_table():
            return embedder.item_table(prepared.features, tables.vocabulary.items)

        fit(model, batches, validation_judge(config, tables, item_table, embedder.queries), config, run)
    with stages.stage("evaluate"):
        table = item_table()
        metrics = judge(config, tables, table_slices(tables), table, embedder.queries)
    with stages.stage("export"):
        export = export_model(config, tables, prepared, embedder, table, metrics)
    history, ids = tables.split.test.history, tables.vocabulary.ids
    asked = [ids[history[user % len(history)]].tolist() for user in range(USERS)]
    with stages.stage(f"load and recommend to {USERS:,}"):
        mmrec.load(export).recommend(asked)
    answer.put(stages.figures)


def run(items: int) -> Figures:
    """Measures in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        child = context.Process(target=measure, args=(items, folder, answer))
        child.start()
        child.join()
        if child.exitcode:
            raise SystemExit(f"measuring {items:,} items failed (exit code {child.exitcode}).")
        return answer.get()


def main() -> None:
    rows = Rows(__doc__)
    small, large = (200, 2_000) if rows.options.quick else (10_000, 100_000)
    figures = {items: run(items) for items in (small, large)}
    for items, stages in figures.items():
        for stage, figure in stages.items():
            rows.add(f"{items:,} items/{stage}", figure["seconds"], "s")
            rows.add(f"{items:,} items/{stage}/processor", figure["processor_seconds"], "s")
            rows.add(f"{items:,} items/{stage}/peak memory", figure["peak_bytes"] / 2**20, "MiB")
        rows.add(f"{items:,} items/all", sum(figure["seconds"] for figure in stages.values()), "s")
        rows.add(f"{items:,} items/peak memory", max(figure["peak_bytes"] for figure in stages.values()) / 2**20, "MiB")
    for stage, figure in figures[large].items():
        before = figures[small][stage]
        rows.add(f"growth/{stage}/processor", figure["processor_seconds"] / before["processor_seconds"], "times")
        rows.add(f"growth/{stage}/peak memory", figure["peak_bytes"] / before["peak_bytes"], "times")
    rows.write()


if __name__ == "__main__":
    main()
