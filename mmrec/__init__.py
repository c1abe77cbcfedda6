"""mmrec: multimodal recommendation and product search on TensorFlow.

The public names are those of `__all__`; they load TensorFlow when first used, so that `import mmrec` stays quick and
changes nothing of its process. `train`, `tune` and `check` choose Keras 2 then (see `mmrec.process`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mmrec.errors import InputError, TrainingError
from mmrec.process import start_tensorflow, use_keras_2
from mmrec.version import __version__

if TYPE_CHECKING:  # what type checkers and editors see of the names that load on first use
    from mmrec.checking.check import CheckReport, check
    from mmrec.comparing.compare import compare
    from mmrec.config import Config
    from mmrec.data.sample_shop.shop import write_sample_shop
    from mmrec.jobs.evaluate import evaluate
    from mmrec.jobs.refresh import refresh
    from mmrec.jobs.train import TrainResult, train
    from mmrec.scoring.score import score
    from mmrec.serving.recommender import Answers, Recommender, load
    from mmrec.tuning.tune import TuneResult, tune

_HOMES = {
    "Config": "mmrec.config.config",
    "train": "mmrec.jobs.train",
    "TrainResult": "mmrec.jobs.train",
    "evaluate": "mmrec.jobs.evaluate",
    "compare": "mmrec.comparing.compare",
    "tune": "mmrec.tuning.tune",
    "TuneResult": "mmrec.tuning.tune",
    "refresh": "mmrec.jobs.refresh",
    "score": "mmrec.scoring.score",
    "check": "mmrec.checking.check",
    "CheckReport": "mmrec.checking.check",
    "load": "mmrec.serving.recommender",
    "Recommender": "mmrec.serving.recommender",
    "Answers": "mmrec.serving.recommender",
    "write_sample_shop": "mmrec.data.sample_shop.shop",
}
_BEFORE = {  # what must be done before a module loads; `compare` needs TensorFlow for exports only
    "mmrec.jobs.train": use_keras_2,
    "mmrec.tuning.tune": use_keras_2,
    "mmrec.checking.check": use_keras_2,
    "mmrec.jobs.evaluate": start_tensorflow,
    "mmrec.jobs.refresh": start_tensorflow,
    "mmrec.scoring.score": start_tensorflow,
    "mmrec.serving.recommender": start_tensorflow,
    "mmrec.data.sample_shop.shop": start_tensorflow,
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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mmrec' has no attribute {name!r}")
    home = _HOMES[name]
    if home in _BEFORE:
        _BEFORE[home]()
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
