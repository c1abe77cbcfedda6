"""mmrec: multimodal recommendation and product search on TensorFlow.

The public names are those of `__all__`. Most load TensorFlow when they are first used, so `import mmrec` is quick and
changes nothing in its process. `train`, `tune` and `check` also switch the process to Keras 2 (see `mmrec.process`).
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

from mmrec.process import start_tensorflow, use_keras_2

_TRAINING = ("mmrec.checking.check", "mmrec.jobs.train", "mmrec.tuning.tune")
_WITHOUT_TENSORFLOW = ("mmrec.comparing.runs", "mmrec.config", "mmrec.errors", "mmrec.version")


def _homes() -> dict[str, str]:
    """Returns the module of each public name, read from the stub, which type checkers and editors read too.

    Source: Scientific Python SPEC 1, lazy loading of submodules and functions.
    """
    stub = ast.parse(Path(__file__).with_name("__init__.pyi").read_text(encoding="utf-8"))
    imports = (node for node in stub.body if isinstance(node, ast.ImportFrom))
    return {alias.name: str(node.module) for node in imports for alias in node.names}


_HOMES = _homes()
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mmrec' has no attribute {name!r}")
    home = _HOMES[name]
    if home in _TRAINING:
        use_keras_2()
    elif home not in _WITHOUT_TENSORFLOW:
        start_tensorflow()
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
