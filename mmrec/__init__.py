"""mmrec: multimodal recommendation and product search on TensorFlow.

The public names are those of `__all__`; they load TensorFlow when first used, so that `import mmrec` stays quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from mmrec.errors import InputError, TrainingError
from mmrec.version import __version__

if TYPE_CHECKING:  # what type checkers and editors see of the names that load on first use
    from mmrec.config import Config
    from mmrec.data.sample_shop import write_sample_shop
    from mmrec.jobs.check import CheckReport, check
    from mmrec.jobs.compare import compare
    from mmrec.jobs.evaluate import evaluate
    from mmrec.jobs.refresh import refresh
    from mmrec.jobs.score import score
    from mmrec.jobs.train import TrainResult, train
    from mmrec.jobs.tune import TuneResult, tune
    from mmrec.serving.recommender import Answers, Recommender, load

_HOMES = {
    "Config": "mmrec.config",
    "train": "mmrec.jobs.train",
    "TrainResult": "mmrec.jobs.train",
    "evaluate": "mmrec.jobs.evaluate",
    "compare": "mmrec.jobs.compare",
    "tune": "mmrec.jobs.tune",
    "TuneResult": "mmrec.jobs.tune",
    "refresh": "mmrec.jobs.refresh",
    "score": "mmrec.jobs.score",
    "check": "mmrec.jobs.check",
    "CheckReport": "mmrec.jobs.check",
    "load": "mmrec.serving.recommender",
    "Recommender": "mmrec.serving.recommender",
    "Answers": "mmrec.serving.recommender",
    "write_sample_shop": "mmrec.data.sample_shop",
}
__all__ = [
    "Answers",
    "CheckReport",
    "Config",
    "InputError",
    "Recommender",
    "TrainResult",
    "TrainingError",
    "TuneResult",
    "__version__",
    "check",
    "compare",
    "evaluate",
    "load",
    "refresh",
    "score",
    "train",
    "tune",
    "write_sample_shop",
]


def _require_keras_2() -> None:
    """TensorFlow Recommenders runs on Keras 2, which TensorFlow takes up only if told before it is imported."""
    loaded = sys.modules.get("tensorflow")
    if loaded is not None and os.environ.get("TF_USE_LEGACY_KERAS") not in ("1", "true", "True"):
        raise ImportError(
            "TensorFlow was imported before mmrec, with Keras 3; TensorFlow Recommenders needs Keras 2. "
            "Import mmrec first, or set the environment variable TF_USE_LEGACY_KERAS=1."
        )
    os.environ["TF_USE_LEGACY_KERAS"] = "1"


_require_keras_2()


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mmrec' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
