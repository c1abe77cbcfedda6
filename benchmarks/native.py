"""Calls signatures of SavedModels through TensorFlow's C++ loader, without Python in the process.

`native.cc` is compiled against the library of the installed TensorFlow, once per version; that needs g++. Import
`common` before it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mmrec  # isort: skip  # noqa: F401  (before TensorFlow)
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

SOURCE = Path(__file__).with_name("native.cc")


@dataclass(frozen=True)
class Call:
    """A signature that is called again and again with the same inputs, until one of both limits is reached.

    Attributes:
      model: folder of a SavedModel.
      signature: its name.
      inputs: by name; str objects are text.
      times: most calls.
      seconds: no call begins after that.
    """

    model: Path
    signature: str
    inputs: Mapping[str, np.ndarray]
    times: int = 1
    seconds: float = 600.0


@dataclass(frozen=True)
class Called:
    """What came of a `Call`.

    Attributes:
      milliseconds: float64 [calls], of each call.
      outputs: by name, of the last call.
    """

    milliseconds: np.ndarray
    outputs: Mapping[str, np.ndarray]


def available() -> bool:
    """Returns whether there is a compiler."""
    return shutil.which("g++") is not None


@functools.cache
def program() -> Path:
    """Compiles `native.cc`, unless it was, and returns the program."""
    wheel = Path(tf.sysconfig.get_lib())
    flags = ["-O2", "-w", *tf.sysconfig.get_compile_flags(), f"-L{wheel}", f"-Wl,-rpath,{wheel}"]
    flags += ["-Wl,--no-as-needed", "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    key = hashlib.sha256(SOURCE.read_bytes() + repr((tf.__version__, flags)).encode()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"mmrec_native_{key}"
    if not built.exists():
        aside = built.with_suffix(f".{os.getpid()}")
        subprocess.run(["g++", str(SOURCE), "-o", str(aside), *flags], check=True)
        aside.rename(built)
    return built


def run(calls: Sequence[Call]) -> list[Called]:
    """Makes calls one after the other in a process of its own, which loads each model before the first of them."""
    models = list(dict.fromkeys(call.model for call in calls))
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"ops\t{library}" for library in _text_operations()] + [f"model\t{model}" for model in models]
        outs = []
        for number, call in enumerate(calls):
            inputs, out = Path(folder, f"in_{number}"), Path(folder, f"out_{number}")
            inputs.mkdir()
            out.mkdir()
            for name, value in call.inputs.items():
                text = value.dtype == object
                proto = tf.make_tensor_proto(
                    value.tolist() if text else value, tf.string if text else None, value.shape
                )
                (inputs / f"{name}.pb").write_bytes(proto.SerializeToString())
            limits = f"{call.times}\t{call.seconds}"
            lines.append(f"call\t{call.model}\t{call.signature}\t{inputs}\t{out}\t{limits}")
            outs.append(out)
        done = subprocess.run([program()], input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{program()}: {done.stderr.strip()[-2000:]}")
        taken = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("call")]
        return [Called(np.array(times, float), _outputs(out)) for times, out in zip(taken, outs, strict=True)]


def _outputs(folder: Path) -> dict[str, np.ndarray]:
    return {
        file.stem: tf.make_ndarray(tensor_pb2.TensorProto.FromString(file.read_bytes())) for file in folder.glob("*.pb")
    }


def _text_operations() -> list[Path]:
    """Returns the libraries of tensorflow_text: exports with texts need them, and a server has them built in."""
    place = importlib.util.find_spec("tensorflow_text").submodule_search_locations[0]
    return sorted(Path(place, "python", "ops").glob("_*.so"))
