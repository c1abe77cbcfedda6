"""How fast is a ranking of the whole catalog judged, and what does validation add to an epoch?

Speed: the leave-one-out test of Amazon Beauty, 22,363 queries against 12,101 items. The embeddings (64 numbers each)
are drawn at random with a fixed seed: they say nothing about quality, and speed does not depend on their values. The
contestants go by turns in one process; a row is the number of queries divided by the median seconds:

* `evaluation`: what validation calls, ranks with the seen items excluded and all metrics at 5, 10, 20 and 50;
* `rank`, and `rank with lists of 50`: its counting alone, and with the best items of each query;
* `matmul`: only the scores, in the same batches; nobody can rank without them;
* `factorized_top_k`: that metric of TensorFlow Recommenders at the same four lengths, in a graph, candidates in batches
  of 4,096, queries in batches of the size that was fastest when it was tried just before. It cannot exclude items, and
  gives only hit rates.

Memory: what evaluating 300 queries against 1,000,000 items of 64 numbers adds to the memory of a process of its own at
its peak, lists and intervals included, beyond the embeddings themselves (256 MB).

Validation: seconds of the judge that training calls after each epoch, embedding items and queries included, over those
of an epoch without it; item ids only, default settings.

    python -m benchmarks.evaluation [--json FILE] [--quick]

Reads `amazon_beauty` from the folder MMREC_DATA, by default ../shared/data beside the checkout. `--quick` judges 4,000
users, 100,000 items, and compares validation with an epoch of the tiny sample shop: it shows that all parts run.
"""

from __future__ import annotations

import multiprocessing
import tempfile

from benchmarks.common import Rows, by_turns, data  # isort: skip  (before TensorFlow)
import numpy as np

from benchmarks.baselines import first, leave_one_out, read
from benchmarks.scale import Stages
from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import batch_size, embedding_scorer, rank

DIM = 64
LENGTHS = (5, 10, 20, 50)
CANDIDATES = 4096  # per batch of `FactorizedTopK`
QUERIES = (1024, 2048, 4096, 8192)  # its batches of queries that are tried


def draw(queries: int, items: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns random embeddings of queries, float32 [Q, 64], and of items, float32 [N + 1, 64]."""
    generator = np.random.default_rng(0)
    return tuple(generator.standard_normal((rows, DIM), np.float32) for rows in (queries, items + 1))


def factorized_top_k(query: np.ndarray, table: np.ndarray, relevant: np.ndarray, batch: int):
    """Returns a function that gives the hit rates of all queries, by `FactorizedTopK`.

    Args:
      query: float32 [Q, D].
      table: float32 [N + 1, D], by item row.
      relevant: int [Q], the item row that is right for each query.
      batch: queries per call.
    """
    import tensorflow as tf
    import tensorflow_recommenders as tfrs

    candidates = tf.data.Dataset.from_tensor_slices(table[1:]).batch(CANDIDATES).cache()
    metric, right = tfrs.metrics.FactorizedTopK(candidates, ks=LENGTHS), table[relevant]

    @tf.function(input_signature=[tf.TensorSpec([None, DIM])] * 2)
    def update(queries, answers):
        metric.update_state(queries, answers)
        return 0

    def run():
        metric.reset_states()
        for start in range(0, len(query), batch):
            update(query[start : start + batch], right[start : start + batch])
        return metric.result()

    return run


def speed(rows: Rows) -> None:
    """Adds queries/s of each contestant, and the two ratios."""
    events, items = read("amazon_beauty")
    test = first(leave_one_out(events, 1), 4000 if rows.options.quick else None)
    query, table = draw(len(test.user), items)
    scorer, batch, relevant = embedding_scorer(query, table), batch_size(items), test.relevant.values

    def matmul():
        for start in range(0, len(query), batch):
            query[start : start + batch] @ table.T

    tried = {size: factorized_top_k(query[:8192], table, relevant[:8192], size) for size in QUERIES}
    seconds = by_turns(1, tried)
    fastest = min(seconds, key=seconds.__getitem__)
    contestants = {
        "matmul": matmul,
        "evaluation": lambda: evaluate(scorer, test, items, LENGTHS, bootstrap_samples=0, top_k=0),
        "rank": lambda: rank(scorer, test, items),
        "rank with lists of 50": lambda: rank(scorer, test, items, 50),
        "factorized_top_k": factorized_top_k(query, table, relevant, fastest),
    }
    seconds = by_turns(2 if rows.options.quick else 7, contestants)
    for name, median in seconds.items():
        more = {"query_batch": fastest} if name == "factorized_top_k" else {}
        rows.add(f"rate:{name}", len(query) / median, "queries/s", **more)
    rows.add(
        "ratio:evaluation_vs_factorized_top_k", seconds["factorized_top_k"] / seconds["evaluation"], "times as fast"
    )
    rows.add("ratio:matmul_vs_evaluation", seconds["matmul"] / seconds["evaluation"], "of the speed of a bare matmul")


def measure_memory(items: int, answer: multiprocessing.Queue) -> None:
    """Puts into the queue by how many bytes an evaluation of 300 queries raises the peak memory of this process."""
    count, generator = 300, np.random.default_rng(1)
    query, table = draw(count, items)
    drawn = [generator.choice(items, 21, replace=False) + 1 for _ in range(count)]
    seen = Ragged.of([np.sort(rows[1:]) for rows in drawn])
    asked = Queries(np.arange(count, dtype=np.int32), seen, seen, Ragged.of([rows[:1] for rows in drawn]), {})
    stages = Stages()
    with stages.stage("before"):
        pass
    with stages.stage("evaluation"):
        evaluate(embedding_scorer(query, table), asked, items, LENGTHS)
    answer.put(stages.figures["evaluation"]["peak_bytes"] - stages.figures["before"]["peak_bytes"])


def memory(rows: Rows) -> None:
    """Adds the memory of evaluating against a large catalog, measured in a process of its own."""
    name, items = ("memory:100k_items", 100_000) if rows.options.quick else ("memory:1m_items", 1_000_000)
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    child = context.Process(target=measure_memory, args=(items, answer))
    child.start()
    child.join()
    if child.exitcode:
        raise SystemExit(f"measuring {items:,} items failed (exit code {child.exitcode}).")
    rows.add(name, answer.get() / 2**20, "MiB beyond the embeddings")


def validation_cost(rows: Rows) -> None:
    """Adds the seconds of an epoch and of validation, and their ratio."""
    import mmrec
    from benchmarks.peers.ours import epoch_clock
    from benchmarks.study import train
    from mmrec.jobs.judge import validation_judge
    from mmrec.jobs.tables import load_tables

    with tempfile.TemporaryDirectory() as folder:
        changes: dict = {"item.modalities": ["item_id"], "training.epochs": 2}
        if rows.options.quick:
            config = mmrec.Config.load(mmrec.write_sample_shop(folder, "tiny"), **changes)
        else:
            changes |= {
                "data.catalog.path": str(data("amazon_beauty", "items.csv")),
                "data.catalog.payload": ["title"],
                "data.interactions.path": str(data("amazon_beauty", "interactions.csv.gz")),
                "data.split.kind": "leave_last_out",
                "data.cache_dir": folder,
            }
            config = mmrec.Config.load(**changes)
        tables, clock = load_tables(config), epoch_clock()
        fitted = train(config, tables, [clock])
        judge = validation_judge(config, tables, fitted.item_table, fitted.embedder.queries)
        validation = by_turns(5, {"validation": judge})["validation"]
    epoch = clock.seconds[-1]  # the first one traces
    rows.add("seconds:epoch", epoch, "s without validation")
    rows.add("seconds:validation", validation, "s")
    rows.add("ratio:validation_vs_epoch", validation / epoch, "of an epoch")


def main() -> None:
    rows = Rows(__doc__)
    speed(rows)
    memory(rows)
    validation_cost(rows)
    rows.write()


if __name__ == "__main__":
    main()
