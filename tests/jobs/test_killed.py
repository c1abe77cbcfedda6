"""A training killed at any point: the same command ends with one complete run and one version, as if undisturbed.

All processes are forked from one that has TensorFlow loaded. A child sets its trap, trains, and is killed by it.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmrec.data.feature_store import FeatureStore
from mmrec.export.saved_model import checksums
from tests.jobs.worlds import add_photos, write_groups

ROOT = Path(__file__).parents[2]

# Reads a JSON list per line: the trap and the config; writes how the child ended and the NDCG@10 that it found.
SERVER = """
import contextlib, json, os, signal, sys, traceback
sys.path.insert(0, {root!r})
import mmrec
import pandas, tensorflow as tf
from mmrec.data.feature_store import FeatureStore
from mmrec.modalities.image.photos import Photos
from mmrec.export import saved_model
import mmrec.jobs.evaluate, mmrec.jobs.fit, mmrec.jobs.train
from mmrec.modalities.image import tower as image
from mmrec.training import callbacks, run_folder
from tests.jobs.worlds import MeanColour
from pathlib import Path

evaluate_job, fit, train = (sys.modules["mmrec.jobs." + name] for name in ("evaluate", "fit", "train"))
image.Backbone = MeanColour
Photos.fill.__defaults__ = (5,)  # photos at once, which makes five parts
PLACES = {{
    "append": (FeatureStore, "append"), "fsync": (os, "fsync"), "epoch": (callbacks.Checkpoints, "on_epoch_end"),
    "checkpoint": (tf.train.CheckpointManager, "save"), "judge": (train, "judge"), "export": (train, "export_model"),
    "save": (tf.saved_model, "save"), "parquet": (pandas.DataFrame, "to_parquet"), "rename": (Path, "rename"),
    "replace": (Path, "replace"), "metrics": (run_folder.RunFolder, "write_metrics"), "prepare": (fit, "prepare"),
    "compare": (saved_model, "_compare"), "evaluate": (evaluate_job, "judge"),
}}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def trap(place, number, moment):
    if place == "seconds":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, number)
        return
    owner, name = PLACES[place]
    good, calls = getattr(owner, name), [0]
    def trapped(*arguments, **options):
        calls[0] += 1
        if calls[0] == number and moment == "before":
            die()
        found = good(*arguments, **options)
        if calls[0] == number:
            die()
        return found
    setattr(owner, name, trapped)

def work(spring, config):
    if spring:
        trap(*spring)
    if "evaluate" in config:
        return mmrec.evaluate(config["evaluate"])
    return mmrec.train(config).metrics

for line in sys.stdin:
    spring, config = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            metrics = work(spring, config)
            os.write(writing, json.dumps(metrics["test"]["ndcg@10"]).encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    status = os.waitpid(child, 0)[1]
    with os.fdopen(reading) as answer:
        print(json.dumps([os.waitstatus_to_exitcode(status), answer.read()]), flush=True)
"""

# The place, the number of its call, and whether the process dies before or after it.
SHORT = [
    ("rename", 1, "after"),  # the version is there, the metrics are not: this once led to a second version
]
LONG = [
    ("checkpoint", 3, "after"),  # the best of the second epoch is saved, the latest is not
    ("append", 1, "before"),
    ("append", 3, "before"),
    ("save", 1, "after"),
    ("append", 5, "after"),
    ("fsync", 1, "before"),
    ("fsync", 4, "after"),
    ("epoch", 1, "before"),
    ("epoch", 2, "after"),
    ("epoch", 3, "after"),
    ("checkpoint", 1, "after"),
    ("checkpoint", 2, "before"),
    ("checkpoint", 4, "after"),
    *[(place, 1, "before") for place in ("prepare", "judge", "export", "save", "parquet", "compare", "rename")],
    ("metrics", 1, "before"),
    ("replace", 1, "before"),
    ("replace", 3, "after"),
    ("replace", 5, "before"),
    *[("seconds", random.Random(seed).uniform(0.1, 1.5), "") for seed in range(4)],
]


class Shop:
    """A planted shop with photos, and the process that trains on it."""

    def __init__(self, folder, photo, server):
        self.folder, self._server = folder, server
        self.config = write_groups(folder, users=40, epochs=3)
        add_photos(folder, self.config, photo)
        self.config["item"]["modalities"] = ["image", "item_id"]
        # Dropout depends on how much a process has drawn before: without it, both end alike.
        self.config["query"]["dropout"] = self.config["item"]["image"]["dropout"] = 0.0
        self.config["item"]["item_id"] = {"dropout": 0.0}

    def run(self, trap=None, **instead):
        """Trains, or does what `instead` says; returns (exit code, negative for a signal; test NDCG@10)."""
        self._server.stdin.write(json.dumps([trap, instead or self.config]) + "\n")
        self._server.stdin.flush()
        code, answer = json.loads(self._server.stdout.readline())
        return code, json.loads(answer) if answer else None

    def runs(self):
        """Returns the names of the runs that have their metrics, and of those that have begun and have not."""
        paths = list((self.folder / "runs" / "groups").iterdir())
        done = {path.name for path in paths if (path / "metrics.json").exists()}
        return done, {path.name for path in paths} - done

    def versions(self):
        """Returns the checksums of each version, all of which are whole."""
        digests = {}
        for path in (self.folder / "models" / "groups").glob("[!.]*"):
            digests[path.name] = checksums(path)
            assert json.loads((path / "mmrec" / "manifest.json").read_text())["sha256"] == digests[path.name]
        return digests

    def cached(self):
        """Returns how many photos the cache holds, all of which are whole."""
        (folder,) = (self.folder / "cache").iterdir()
        store = FeatureStore(folder, (1, 3))
        assert (store.values.min(axis=(1, 2)) >= 0).all()
        assert (store.values.max(axis=(1, 2)) > 0.9).all()  # every photo is reddish or bluish
        return len(store)


@pytest.fixture(scope="module")
def shop(tmp_path_factory, photo):
    """A shop whose model was trained once, undisturbed."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    command = [sys.executable, "-c", SERVER.format(root=str(ROOT))]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        made = Shop(tmp_path_factory.mktemp("shop"), photo, server)
        code, made.expected = made.run()
        assert code == 0
        yield made
        server.stdin.close()


def check_kill(shop, place, number, moment):
    shutil.rmtree(shop.folder / "cache")  # so that photos are computed again
    runs, versions = shop.runs()[0], shop.versions()
    code, _ = shop.run((place, number, moment))
    assert code == (-14 if place == "seconds" else -9)
    after = shop.versions()
    assert {name: after[name] for name in versions} == versions
    code, output = shop.run()
    assert code == 0
    assert output == pytest.approx(shop.expected, abs=0.02)
    done, unfinished = shop.runs()
    assert done > runs
    assert len(done) == len(runs) + 1
    assert not unfinished
    after = shop.versions()
    assert len(after) == len(versions) + 1
    assert {name: after[name] for name in versions} == versions
    assert shop.cached() == 24


def name(point):
    place, number, moment = point
    return f"{place} {number:.2g} {moment}".strip()


@pytest.mark.parametrize("point", SHORT, ids=name)
def test_a_killed_training_ends_as_an_undisturbed_one_when_it_is_run_again(shop, point):
    check_kill(shop, *point)


def test_a_killed_evaluation_changes_nothing(shop):
    versions, export = shop.versions(), str(shop.folder / "models" / "groups" / "1")
    assert shop.run(("evaluate", 1, "after"), evaluate=export)[0] == -9
    code, output = shop.run(evaluate=export)
    assert code == 0
    assert output == pytest.approx(shop.expected, abs=0.02)
    assert shop.versions() == versions
    assert not shop.runs()[1]


@pytest.mark.slow
@pytest.mark.parametrize("point", LONG, ids=name)
def test_a_training_killed_anywhere_ends_as_an_undisturbed_one_when_it_is_run_again(shop, point):
    check_kill(shop, *point)
