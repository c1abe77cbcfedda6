"""mmrec as a contestant: judged from its export, and one training step on its own."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import by_turns
from benchmarks.peers.measured import Measured
from benchmarks.peers.problem import Problem
from benchmarks.scale import Stages

CONFIG = Path(__file__).resolve().parents[2] / "pipelines" / "configs" / "amazon_beauty.yaml"
SMALL = {
    "item.dim": 16,
    "item.text.latent_dim": 16,
    "retrieval.neighbours": 16,
    "evaluation.bootstrap_samples": 10,
}
EPOCHS = 5  # of the config's 10: chosen to fit into four times the seconds of TensorFlow Recommenders' recipe
SHORT = {"item.dim": 64, "item.text.latent_dim": 128, "retrieval.neighbours": 512}
RATE_EPOCHS = 3  # the first traces and is left out
RATE_DIM = 64
RATE_EVENTS = 1740  # of a step


def trained(problem: Problem, epochs: int = EPOCHS, **changes) -> Measured:
    """Trains pipelines/configs/amazon_beauty.yaml with item ids, titles and neighbours; judges what was exported.

    Seconds are those of reading the files, preparing and training, with validation after each epoch; peak memory is
    that of the whole call, judging and exporting included.

    Args:
      problem: the data.
      epochs: passes over the training events, instead of those of the config; quick: 1.
      **changes: further ones to the config, by dotted key; quick: left out.
    """
    import mmrec
    from mmrec.evaluation.ranking import embedding_scorer

    with tempfile.TemporaryDirectory() as folder:
        changes = {"training.epochs": 1} if problem.quick else {"training.epochs": epochs} | changes
        config = beauty_config(problem, folder, **changes)
        stages = Stages()
        with stages.stage("train"):
            result = mmrec.train(config)
        passes = len((result.run_dir / "history.csv").read_text().splitlines()) - 1
        shop = mmrec.load(result.export_dir)
        ids = [None, *pd.read_csv(problem.folder / "items.csv", dtype={"item_id": str})["item_id"]]  # by problem's row
        table = shop.item_table[np.append(0, pd.Index(shop.items["item_id"]).get_indexer(ids[1:]) + 1)]

        def scorer(queries):
            histories = [[ids[row] for row in history] for history in queries.history]
            return embedding_scorer(shop.embed_queries(histories), table)

        metrics = problem.judge(scorer)
    seconds = result.metrics["seconds"]
    return Measured(
        seconds["prepare"] + seconds["train"],
        stages.figures["train"]["peak_bytes"],
        metrics,
        targets=passes * len(problem.training.values),
        epochs=passes,
        said={"of_which_preparing": seconds["prepare"]},
    )


def in_equal_seconds(problem: Problem) -> Measured:
    """Trains one epoch of a smaller model: about what fits into the seconds of TensorFlow Recommenders' recipe."""
    return trained(problem, 1, **SHORT)


def targets_per_second(problem: Problem) -> float:
    """Returns how many events a second training asks for, after the epoch that traces, on two processor cores.

    D 64, item ids alone, a Transformer over the history, softmax over the whole catalog; input is read and validation
    is left out.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    from benchmarks.study import train  # loads TensorFlow, which counts the cores
    from mmrec.jobs.tables import load_tables

    with tempfile.TemporaryDirectory() as folder:
        changes = {"item.modalities": ["item_id"], "item.dim": RATE_DIM, "retrieval.neighbours": 0}
        config = beauty_config(problem, folder, **changes, **{"training.epochs": 2 if problem.quick else RATE_EPOCHS})
        clock = epoch_clock()
        train(config, load_tables(config), [clock])
    return len(problem.training.values) / statistics.median(clock.seconds[1:])


def epoch_clock():
    """Returns a callback whose `seconds` are those from the begin of each epoch to the end of its last step."""
    import tf_keras

    class Clock(tf_keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seconds: list[float] = []

        def on_epoch_begin(self, epoch, logs=None):
            self._begin = time.perf_counter()
            self.seconds.append(0.0)

        def on_train_batch_end(self, batch, logs=None):
            self.seconds[-1] = time.perf_counter() - self._begin

    return Clock()


def softmax_targets_per_second(problem: Problem) -> float:
    """Returns how many events a second the softmax over the catalog takes, with its gradients and nothing else.

    Vectors are drawn at random; a call has about as many events as a training step.
    """
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    import tensorflow as tf  # counts the cores

    from mmrec.models.catalog_softmax import catalog_softmax

    rng = np.random.default_rng(0)
    query, item = (tf.constant(rng.standard_normal((n, RATE_DIM), np.float32)) for n in (RATE_EVENTS, problem.items))
    answer = tf.constant(rng.integers(0, problem.items, RATE_EVENTS, np.int32))

    @tf.function
    def gradients(query, item, answer):
        with tf.GradientTape() as tape:
            tape.watch([query, item])
            loss = catalog_softmax(query, item, answer)
        return tape.gradient(loss, [query, item])

    contestants = {"softmax": lambda: gradients(query, item, answer)[0].numpy()}
    return RATE_EVENTS / by_turns(3 if problem.quick else 50, contestants)["softmax"]


def beauty_config(problem: Problem, folder: str, **changes):
    """Returns the config of Beauty with the problem's files, the folder for results, and `changes` by dotted key."""
    import mmrec

    places = {
        "runs_dir": f"{folder}/runs",
        "saved_models_dir": f"{folder}/saved_models",
        "data.cache_dir": f"{folder}/cache",
        "data.catalog.path": problem.folder / "items.csv",
        "data.interactions.path": problem.folder / "interactions.csv.gz",
    }
    return mmrec.Config.load(CONFIG, **places | (SMALL if problem.quick else {}) | changes)
