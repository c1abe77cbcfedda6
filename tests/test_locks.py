"""Locks between processes."""

import subprocess
import sys

import pytest

from mmrec.errors import InputError
from mmrec.locks import locked

HOLDER = """
import sys
from pathlib import Path
from mmrec.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_that_another_process_holds_is_refused_with_the_message_until_that_process_ends(tmp_path):
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match=r"^in use\. Wait\.$"), locked(path, "in use. Wait."):
            pass
        holder.kill()
        with locked(path):  # waits for its end
            pass
    with locked(path, "in use. Wait."):
        assert path.exists()


def test_what_is_raised_inside_frees_the_lock(tmp_path):
    with pytest.raises(KeyError), locked(tmp_path / "lock", "in use"):
        raise KeyError
    with locked(tmp_path / "lock", "in use"):
        pass
