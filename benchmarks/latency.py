"""How long does each signature of an export take to answer?

At batch 1, 8 and 64, in TensorFlow's C++ loader, without Python (`native.cc`; needs g++). An export is asked as a
server asks it, one request after the other. Requests are those that
the export carries for warm-up (k 10), with histories and ids drawn anew from its items; `embed_item` repeats one item.
The floor is the plain ranking alone, in the same process: a query times the item table, and `top_k` of it, without ids,
exclusions or a tower. (An index may be faster than that over a large catalog.) The signatures and the floor go by
turns, in rounds.

* `latency:SIGNATURE_bBATCH_p50`, `_p99`: milliseconds of a call after a first one that is not counted; `calls` behind
  them (a p99 of fewer than 100 is the slowest).
* `ratio:SIGNATURE_bBATCH_vs_floor`: medians, of the signatures that rank.
* `latency:SIGNATURE_first_before_warm_up`, `_after_warm_up`: milliseconds of the first call of a process, and of the
  first call of one that has replayed the requests that the export carries, as TensorFlow Serving does when it loads it.
  The call that is measured is none of them.

    python -m benchmarks.latency [--export DIR] [--json FILE] [--quick]

Without `--export`, the small sample shop is trained for an epoch: 1,200 items with photos and texts. `--quick` takes
the tiny one (150 items, no photos, means for LSTMs) and fewer calls. Pin it to what a server would have, such as
`taskset -c 0`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)

import mmrec  # isort: skip  (before TensorFlow)
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from benchmarks import native
from benchmarks.native import Call

BATCHES = (1, 8, 64)
K = 10
WARM_UP = "assets.extra/tf_serving_warmup_requests"
RANKING = ("recommend", "serving_default", "similar", "search", "search_advanced")

Requests = Mapping[str, Mapping[str, np.ndarray]]


def trained(folder: Path, quick: bool) -> Path:
    """Trains on the sample shop, and returns the export."""
    config = mmrec.write_sample_shop(folder / "shop", "tiny" if quick else "small")
    places = {
        "runs_dir": folder / "runs",
        "saved_models_dir": folder / "saved_models",
        "data.cache_dir": folder / "cache",
    }
    less = (
        {"item.modalities": ["text", "item_id"], "item.text.encoder": "mean", "query.history": "mean"} if quick else {}
    )
    return mmrec.train(
        config, **places, **less, training={"epochs": 1}, evaluation={"bootstrap_samples": 10}
    ).export_dir


def warm_up_requests(export: Path) -> Requests:
    """Reads the requests that the export carries, one row for each signature."""
    requests = {}
    for record in tf.data.TFRecordDataset(str(export / WARM_UP)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        requests[request.model_spec.signature_name] = {
            name: tf.make_ndarray(value) for name, value in request.inputs.items()
        }
    return requests


def batch_of(request: Mapping[str, np.ndarray], batch: int, ids: np.ndarray, rng: np.random.Generator) -> dict:
    """Repeats a request for a batch, with histories and ids of its own in each row."""
    inputs = {name: np.repeat(value, batch, axis=0) for name, value in request.items()}
    if "history" in inputs:
        inputs["history"] = rng.choice(ids, inputs["history"].shape)
        if "exclude" in inputs:
            inputs["exclude"] = rng.choice(ids, inputs["exclude"].shape)
    elif set(inputs) == {"item_id", "k"}:
        inputs["item_id"] = rng.choice(ids, batch)
    return inputs


def save_floor(table: np.ndarray, folder: Path) -> Path:
    """Writes the model of the floor: float32 [B, D] -> the rows of the 10 best."""
    module = tf.Module()
    module.table = tf.Variable(table, trainable=False)
    best = min(K, len(table))
    module.call = tf.function(
        lambda query: {"rows": tf.math.top_k(tf.matmul(query, module.table, transpose_b=True), best).indices},
        input_signature=[tf.TensorSpec([None, table.shape[1]], tf.float32, name="query")],
    )
    tf.saved_model.save(module, str(folder), signatures={"floor": module.call})
    return folder


def measure_calls(export: Path, requests: Requests, rows: Rows, rounds: int, seconds: float) -> None:
    """Adds rows for all signatures and batches; each gets `seconds` in each round."""
    shop = mmrec.load(export)
    ids, rng = shop.items["item_id"].to_numpy(object), np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        floor = save_floor(shop.item_table[1:], Path(folder))
        calls = {}
        for batch in BATCHES:
            vectors = rng.standard_normal((batch, shop.item_table.shape[1]), np.float32)
            calls["floor", batch] = Call(floor, "floor", {"query": vectors}, 1000, seconds)
            for name, request in requests.items():
                calls[name, batch] = Call(export, name, batch_of(request, batch, ids, rng), 1000, seconds)
        once = [Call(call.model, call.signature, call.inputs) for call in calls.values()]
        answers = native.run([*once, *list(calls.values()) * rounds])[len(once) :]
    taken = {
        one: np.concatenate([part.milliseconds for part in answers[place :: len(calls)]])
        for place, one in enumerate(calls)
    }
    for (name, batch), times in taken.items():
        for percent in (50, 99):
            value = np.percentile(times, percent, method="higher")
            rows.add(f"latency:{name}_b{batch}_p{percent}", value, "ms", calls=len(times))
    for name, batch in taken:
        if name in RANKING:
            ratio = np.median(taken[name, batch]) / np.median(taken["floor", batch])
            rows.add(f"ratio:{name}_b{batch}_vs_floor", ratio, "times the floor")
    print(table_text(taken))


def measure_first(export: Path, requests: Requests, rows: Rows, rounds: int) -> None:
    """Adds rows of first calls: medians over `rounds` fresh processes."""
    ids, rng = mmrec.load(export).items["item_id"].to_numpy(object), np.random.default_rng(1)
    replayed = [Call(export, name, request) for name, request in requests.items()]
    firsts = [Call(export, name, batch_of(request, 1, ids, rng)) for name, request in requests.items()]
    cold = [[native.run([first])[0] for first in firsts] for _ in range(rounds)]
    warm = [native.run([*replayed, *firsts])[len(replayed) :] for _ in range(rounds)]
    for when, parts in (("before", cold), ("after", warm)):
        times = np.array([[one.milliseconds[0] for one in part] for part in parts])  # [rounds, signatures]
        for name, value in zip(requests, np.median(times, axis=0), strict=True):
            rows.add(f"latency:{name}_first_{when}_warm_up", value, "ms", processes=rounds)


def table_text(taken: Mapping[tuple[str, int], np.ndarray]) -> str:
    """Returns medians and 99th percentiles by signature and batch, as lines of Markdown."""
    heads = [f"batch {batch}: p50 / p99 ms" for batch in BATCHES]
    lines = [f"| signature | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    for name in dict.fromkeys(name for name, _ in taken):
        times = [np.percentile(taken[name, batch], (50, 99), method="higher") for batch in BATCHES]
        lines.append(f"| `{name}` | " + " | ".join(f"{p50:.2f} / {p99:.2f}" for p50, p99 in times) + " |")
    return "\n" + "\n".join(lines).replace("`floor`", "matmul + top-k alone") + "\n"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--export", metavar="DIR", type=Path, help="a version folder; by default a sample shop's")


def main() -> None:
    rows = Rows(__doc__, add_options)
    if not native.available():
        raise SystemExit("g++ not found: it compiles native.cc, which calls the export without Python.")
    quick = rows.options.quick
    with tempfile.TemporaryDirectory() as folder:
        export = rows.options.export or trained(Path(folder), quick)
        requests = warm_up_requests(export)
        measure_calls(export, requests, rows, *((2, 0.05) if quick else (5, 2.0)))
        measure_first(export, requests, rows, 1 if quick else 5)
    rows.write()


if __name__ == "__main__":
    main()
