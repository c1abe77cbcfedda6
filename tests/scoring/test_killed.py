"""Batch jobs that are killed, at any point and with several processes, end as undisturbed ones."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from mmrec.scoring import run as score_run
from mmrec.scoring.score import score
from tests.scoring.world import HISTORIES, answers, bad_rows, five_items, written

ROOT = Path(__file__).parents[2]

# Reads a JSON list per line: which replacement of a file is the last one and whether it happens; arguments of `score`.
SERVER = """
import json, os, signal, sys, traceback
sys.path.insert(0, {root!r})
import mmrec
from mmrec.scoring.score import score
from mmrec.scoring.run import import_beam
import_beam()

def trap(number, moment):
    good, calls = os.replace, [0]
    def trapped(*arguments, **options):
        calls[0] += 1
        if calls[0] == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        good(*arguments, **options)
        if calls[0] == number:
            os.kill(os.getpid(), signal.SIGKILL)
    os.replace = trapped

for line in sys.stdin:
    point, arguments, options = json.loads(line)
    child = os.fork()
    if child == 0:
        try:
            trap(*point)
            score(*arguments, **options)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return five_items(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def alone(monkeypatch):
    """Makes Apache Beam look as if it were not installed."""
    monkeypatch.setattr(score_run, "import_beam", lambda: None)


@pytest.fixture(scope="module")
def server():
    """Returns `kill(point, arguments, options)`: runs a job in a process that is killed at a point; its exit code."""
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    command = [sys.executable, "-c", SERVER.format(root=str(ROOT))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment, text=True, **pipes) as process:

        def kill(point, arguments, options):
            process.stdin.write(json.dumps([point, list(map(str, arguments)), options]) + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield kill
        process.stdin.close()


def check_kill(export, path, folder, server, number, moment):
    """Kills a job and runs it again; finished parts are kept, and it ends as an undisturbed one."""
    options = {"k": 3, "shard_rows": 2}
    whole, out = folder / "whole", folder / "out"
    score(export, path, whole, **options)
    assert server([number, moment], [export, path, out], options) == -9
    assert not (out / "score.json").exists() or (number, moment) == (9, "after")
    done = {part.name: part.stat().st_mtime_ns for part in out.glob("rows/part-*")}
    score(export, path, out, **options)
    after = {part.name: part.stat().st_mtime_ns for part in out.glob("rows/*")}
    assert {name: after[name] for name in done} == done
    assert answers(out) == answers(whole)
    assert bad_rows(out) == bad_rows(whole)
    assert sorted(child.name for child in out.iterdir()) == sorted(child.name for child in whole.iterdir())
    return len(done)


# Renamed are: job.json, plan.json, part 0, bad rows and rows of part 1, part 2, part 3, bad rows, score.json.
SHORT = [(5, "before", 1), (8, "after", 4)]
LONG = [*((number, "before") for number in (1, 2, 3, 4, 6, 7, 8, 9)), (4, "after"), (9, "after")]


@pytest.mark.parametrize(("number", "moment", "shards"), SHORT)
def test_a_killed_job_does_only_what_is_left_and_ends_as_an_undisturbed_one(
    export, tmp_path, server, alone, number, moment, shards
):
    assert check_kill(export, written(tmp_path / "h.csv", HISTORIES), tmp_path, server, number, moment) == shards


@pytest.mark.slow
@pytest.mark.parametrize(("number", "moment"), LONG)
def test_a_job_killed_anywhere_ends_as_an_undisturbed_one(export, tmp_path, server, alone, number, moment):
    check_kill(export, written(tmp_path / "h.csv", HISTORIES), tmp_path, server, number, moment)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "moment"), [(2, "before"), (4, "before")])  # while events are staged, and later
def test_a_killed_job_of_events_ends_as_an_undisturbed_one(export, tmp_path, server, alone, number, moment):
    lines = [f"u{user},{'abcde'[(user + time) % 5]},{time}" for time in range(3) for user in range(40)]
    path = written(tmp_path / "e.csv", "\n".join(["user_id,item_id,timestamp", *lines, "u1,a,soon"]))
    assert check_kill(export, path, tmp_path, server, number, moment) == max(0, number - 3)


@pytest.mark.slow
def test_a_killed_job_of_two_processes_ends_as_an_undisturbed_one(export, tmp_path):
    pytest.importorskip("apache_beam")
    histories = [[*"abcde"][user % 5 :] for user in range(600)]
    users = [f"u{user}" if user % 100 else "" for user in range(600)]
    path, whole, out = tmp_path / "h.parquet", tmp_path / "whole", tmp_path / "out"
    pd.DataFrame({"user_id": users, "history": histories}).to_parquet(path)
    options = {"k": 3, "shard_rows": 2, "workers": 2}
    score(export, path, whole, **options)
    command = [sys.executable, "-m", "mmrec", "score", export, "--input", path, "--output", out, "-k", "3",
               "--shard-rows", "2", "--workers", "2"]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True) as process:
        while process.poll() is None and not [*out.glob("rows/part-*")]:
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)  # its two workers too
    assert process.returncode == -signal.SIGKILL
    done = {part.name: part.stat().st_mtime_ns for part in out.glob("rows/part-*")}
    assert 0 < len(done) < 300
    score(export, path, out, **options)
    assert {name: (out / "rows" / name).stat().st_mtime_ns for name in done} == done
    assert answers(out) == answers(whole)
    assert bad_rows(out) == bad_rows(whole)
    assert len(answers(out)) + len(bad_rows(out)) == 600
