"""How fast does an index answer, and how much of the right answer, beside TFRS and faiss?

Items and queries are unit vectors of 64 numbers, drawn with a fixed seed from 4,000 clusters (centre plus noise half as
long). The contestants go by turns in each round; a row is the number of queries divided by the median seconds of a
call. TensorFlow's contestants are SavedModels, run by TensorFlow's C++ loader without Python where there is g++
(`native.py`), else from Python; the rows say which. faiss and TFRS `Streaming` (it reads a `tf.data.Dataset` at each
call) are called from Python.

* `exact`, `exact_float16`, `exact_int8`: ours, every item scored;
* `ivf`: ours, cells read to a recall@10 of 0.95 on 1,000 held-out queries; recall is measured on 1,000 others;
* `tfrs_brute_force`, `tfrs_streaming`;
* `faiss_flat`, `faiss_ivf`, `faiss_hnsw`: the last two with the fewest probes (smallest search list) that reach 0.95.

Ratios are of the largest catalog. The mixture is easier than real embeddings: the ten best of a query lie in its own
cluster of N / 4,000 items (250 of a million), so that few cells hold them; real ones have no such edges. `share_read`
is what a query of `ivf` reads of the catalog. `--export DIR` adds the items and queries of an export, with `real` in
the names: its item table, and the embeddings of validation (held-out) and test histories of the data that it was made
from.

    python -m benchmarks.index [--export DIR] [--json FILE] [--quick]

`--quick` takes 20,000 items in 800 clusters instead of 100,000 and 1,000,000: it shows that all parts run. Needs
faiss-cpu (extra `bench`).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import mmrec  # isort: skip  (before TensorFlow)
import faiss
import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from benchmarks import native
from benchmarks.common import Rows
from mmrec.config.export import ExportConfig
from mmrec.index.build import answer_rows, build_index, recall
from mmrec.index.exact import ExactIndex

K, DIM, CLUSTERS, RECALL = 10, 64, 4000, 0.95
BATCHES = (1, 64)
HELD_OUT = ASKED = 1000
CHECKED = 64


@dataclass
class World:
    """Items, and queries that nobody tuned on.

    Attributes:
      name: stands in the names of rows.
      table: float32 [N + 1, D]; row 0 is padding.
      held_out: float32 [Q, D], queries that approximate indexes are tuned on.
      asked: float32 [Q, D], queries that are measured.
      right: int32 [Q, 10], the answers to `asked`.
    """

    name: str
    table: np.ndarray
    held_out: np.ndarray
    asked: np.ndarray
    right: np.ndarray = field(init=False)

    def __post_init__(self):
        self.right = answer_rows(ExactIndex(self.table), self.asked, no_exclusions(self.asked))


def no_exclusions(queries: np.ndarray) -> np.ndarray:
    return np.zeros([len(queries), 0], np.int32)


def mixture(name: str, items: int) -> World:
    """Draws a world of clusters."""
    rng = np.random.default_rng(0)
    centres = unit(rng.standard_normal((min(CLUSTERS, items // 25), DIM), np.float32))

    def draw(count: int) -> np.ndarray:
        noise = rng.standard_normal((count, DIM), np.float32) * np.float32(0.5 / DIM**0.5)
        return unit(centres[rng.integers(0, len(centres), count)] + noise)

    return World(name, np.pad(draw(items), [(1, 0), (0, 0)]), draw(HELD_OUT), draw(ASKED))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def of_export(folder: str) -> World:
    """Reads a world from an export and the data it was made from."""
    from mmrec.jobs.tables import load_tables

    shop = mmrec.load(folder)
    tables = load_tables(mmrec.Config.load(shop.manifest["config"]))

    def embed(queries, count: int) -> np.ndarray:
        queries = queries.take(np.random.default_rng(0).permutation(len(queries.user))[:count])
        ids = [tables.vocabulary.ids[queries.history[one]].tolist() for one in range(len(queries.user))]
        return shop.embed_queries(ids, queries.context and tables.context_lists(queries.context))

    return World("real", shop.item_table, embed(tables.split.validation, HELD_OUT), embed(tables.split.test, ASKED))


class Saved:
    """A search function as a SavedModel, timed in the C++ loader where there is one.

    Args:
      folder: where it is written.
      module: holds its variables.
      search: float32 [B, D] -> int32 [B, 10], item rows.
    """

    def __init__(self, folder: Path, module: tf.Module, search: Callable):
        self.folder = folder
        dim = tf.TensorSpec([None, module.dim], tf.float32, name="query")
        module.call = tf.function(lambda query: {"rows": search(query)}, input_signature=[dim])
        tf.saved_model.save(module, str(folder), signatures={"search": module.call})
        self.bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        self.where = "C++ loader" if native.available() else "Python"
        self.call = None if native.available() else tf.saved_model.load(str(folder)).signatures["search"]

    def __call__(self, queries: np.ndarray) -> np.ndarray:
        """Returns the answers."""
        if self.call:
            return self.call(query=tf.constant(queries))["rows"].numpy()
        return self._run(queries, 1).outputs["rows"]

    def seconds(self, queries: np.ndarray, repeat: int) -> float:
        """Returns the median seconds of a call."""
        if self.call:
            return timed(lambda: self.call(query=tf.constant(queries)), repeat)
        return statistics.median(self._run(queries, repeat).milliseconds) / 1000

    def _run(self, queries: np.ndarray, repeat: int) -> native.Called:
        return native.run([native.Call(self.folder, "search", {"query": queries}, repeat)])[0]


class Called:
    """A search function that is called from Python: float32 [B, D] -> int [B, 10], item rows."""

    where = "Python"

    def __init__(self, search: Callable[[np.ndarray], np.ndarray], nbytes: int):
        self._search, self.bytes = search, nbytes

    def __call__(self, queries: np.ndarray) -> np.ndarray:
        return self._search(queries)

    def seconds(self, queries: np.ndarray, repeat: int) -> float:
        """Returns the median seconds of a call."""
        return timed(lambda: self._search(queries), repeat)


def timed(call: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ours(world: World, folder: Path, name: str, rows: Rows) -> Saved:
    """Builds one of our indexes."""
    kind, _, storage = name.partition("_")
    config = ExportConfig(index=kind, index_storage=storage or "float32", index_recall=RECALL)
    index, facts = build_index(world.table, config, lambda: (world.held_out, no_exclusions(world.held_out)))
    if kind == "ivf":
        share = facts["probes"] * facts["cell_size"] / (len(world.table) - 1)
        rows.add(f"share_read:{world.name}", share, "of the catalog", **facts)
    index.dim = world.table.shape[1]
    return Saved(folder, index, lambda query: index.search(query, tf.fill([tf.shape(query)[0]], K))[0])


def tfrs_brute_force(world: World, folder: Path) -> Saved:
    """Builds `tfrs.layers.factorized_top_k.BruteForce` over the same rows."""
    layer = tfrs.layers.factorized_top_k.BruteForce(k=K)
    layer.index(world.table[1:], tf.range(1, len(world.table)))
    module = tf.Module()
    module.layer, module.dim = layer, world.table.shape[1]
    return Saved(folder, module, lambda query: layer(query)[1])


def tfrs_streaming(world: World) -> Called:
    """Builds `tfrs.layers.factorized_top_k.Streaming` over the same rows."""
    layer = tfrs.layers.factorized_top_k.Streaming(k=K)
    items = tf.data.Dataset.from_tensor_slices((tf.range(1, len(world.table)), world.table[1:])).batch(4096).cache()
    layer.index_from_dataset(items)
    return Called(lambda queries: layer(tf.constant(queries))[1].numpy(), world.table.nbytes)


def with_faiss(world: World, name: str) -> Called:
    """Builds one of faiss' indexes, and tunes an approximate one on the held-out queries."""
    items, dim = len(world.table) - 1, world.table.shape[1]
    lists = max(1, min(2 ** round(np.log2(items**0.5)), items // 39))
    factory = {"flat": "Flat", "ivf": f"IVF{lists},Flat", "hnsw": "HNSW16"}[name]
    index = faiss.index_factory(dim, factory, faiss.METRIC_INNER_PRODUCT)
    index.train(world.table[1:])
    index.add(world.table[1:])
    setting = {"ivf": "nprobe", "hnsw": "efSearch"}.get(name)

    def search(queries):
        return index.search(queries, K)[1] + 1

    if setting:
        right = answer_rows(ExactIndex(world.table), world.held_out, no_exclusions(world.held_out))
        target = index if name == "ivf" else index.hnsw
        for value in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512):
            setattr(target, setting, value)
            if recall(search(world.held_out), right) >= RECALL:
                break
    return Called(search, len(faiss.serialize_index(index)))


def measure(world: World, rows: Rows, rounds: int, calls: int) -> dict[tuple[str, int], float]:
    """Adds all rows of a world; returns queries/s by contestant and batch size."""
    with tempfile.TemporaryDirectory() as folder:
        builders = {
            **{
                name: lambda name=name: ours(world, Path(folder, name), name, rows)
                for name in ("exact", "exact_float16", "exact_int8", "ivf")
            },
            "tfrs_brute_force": lambda: tfrs_brute_force(world, Path(folder, "brute_force")),
            "tfrs_streaming": lambda: tfrs_streaming(world),
            **{f"faiss_{name}": lambda name=name: with_faiss(world, name) for name in ("flat", "ivf", "hnsw")},
        }
        contestants = {}
        for name, build in builders.items():
            start = time.perf_counter()
            contestants[name] = one = build()
            rows.add(f"build:{name}_{world.name}", time.perf_counter() - start, "s")
            rows.add(f"bytes:{name}_{world.name}", one.bytes / 2**20, "MiB")
            some = CHECKED if name.startswith("tfrs") else ASKED  # all at once: those need 4 GB
            rows.add(
                f"recall:{name}_{world.name}", recall(one(world.asked[:some]), world.right[:some]), "of the ten best"
            )
        rates = {}
        for batch in BATCHES:
            seconds: dict[str, list[float]] = {name: [] for name in contestants}
            for number in range(rounds):
                queries = world.asked[number * batch : (number + 1) * batch]
                for name, one in contestants.items():
                    seconds[name].append(one.seconds(queries, calls))
            for name, median in seconds.items():
                rates[name, batch] = batch / statistics.median(median)
                where = contestants[name].where
                rows.add(f"rate:{name}_{world.name}_b{batch}", rates[name, batch], "queries/s", where=where)
    return rates


def main() -> None:
    rows = Rows(__doc__, lambda parser: parser.add_argument("--export", metavar="DIR", help="a version folder to add"))
    quick = rows.options.quick
    for name, items in (("20k", 20_000),) if quick else (("100k", 100_000), ("1m", 1_000_000)):
        rates = measure(mixture(name, items), rows, *((1, 3) if quick else (5, 9)))
    for name, of, against, batch in (
        ("exact_vs_tfrs", "exact", "tfrs_brute_force", 64),
        ("exact_vs_faiss_flat", "exact", "faiss_flat", 64),
        ("ivf_vs_tfrs", "ivf", "tfrs_brute_force", 1),
        ("ivf_vs_faiss_ivf", "ivf", "faiss_ivf", 64),
    ):
        rows.add(f"ratio:{name}_b{batch}", rates[of, batch] / rates[against, batch], "times as fast")
    if rows.options.export:
        measure(of_export(rows.options.export), rows, *((1, 3) if quick else (5, 9)))
    rows.write()


if __name__ == "__main__":
    main()
