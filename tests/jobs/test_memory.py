"""Trainings in one process, one after the other."""

import sys

import pytest

TRAININGS = """
from pathlib import Path

import mmrec
from tests.jobs.worlds import write_groups

config = write_groups(Path({folder!r}), users=24, epochs=1)
config["item"]["modalities"] = ["text", "item_id"]
for seed in range(10):
    mmrec.train(config, seed=seed)
    status = Path("/proc/self/status").read_text()
    print(status.split("VmRSS:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_trainings_in_one_process_take_no_more_memory_than_a_few(python, tmp_path):
    code, out, errors = python(TRAININGS.format(folder=str(tmp_path)))
    assert code == 0, errors
    resident = [int(line) / 1024 for line in out.split()]  # MiB
    assert len(resident) == 10
    # The first ones trace graphs and fill pools. A training that stayed in memory would take 15 MiB or more.
    assert max(resident[5:]) - max(resident[1:5]) < 60


GRAPHS = """
import gc
from pathlib import Path

import mmrec
mmrec.use_keras_2()
from tensorflow.python.framework.func_graph import FuncGraph
from tests.jobs.worlds import write_groups

config = write_groups(Path({folder!r}), users=24, epochs=1)
config["item"] |= {{"modalities": ["text", "item_id"], "text": {{"encoder": "latent", "latent_dim": 4}}}}
for seed in range(4):
    mmrec.train(config, seed=seed)
    gc.collect()
    print(sum(isinstance(one, FuncGraph) for one in gc.get_objects()))
"""


@pytest.mark.slow
def test_trainings_leave_no_graphs_behind(python, tmp_path):
    code, out, errors = python(GRAPHS.format(folder=str(tmp_path)))
    assert code == 0, errors
    live = [int(line) for line in out.split()]
    # The first training traces what all share, such as the normalisation of texts.
    assert len(live) == 4
    assert live[1] == live[2] == live[3]
