"""Makes the part of metrics.json about the test."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mmrec.evaluation.evaluator import Evaluation
from mmrec.evaluation.intervals import difference_ci95
from mmrec.evaluation.slices import METRICS


def report(model: Evaluation, baselines: Mapping[str, Evaluation], samples: int = 1000, seed: int = 0) -> dict:
    """Compares a model with its baselines.

    Args:
      model: the model's evaluation, with 10 among its list lengths.
      baselines: name -> evaluation of a baseline on the same queries.
      samples: number of resamples of users for the intervals of the differences.
      seed: seed of the resamples.

    Returns:
      The parts `test`, `baselines`, `versus_baselines` (model minus baseline, paired over users; if the interval lies
      above 0, the model is better), `slices`, `candidates`, `queries` and `dropped`, in plain numbers for JSON.

    Raises:
      ValueError: a baseline was evaluated on other queries.
    """
    versus = {}
    for name, baseline in baselines.items():
        if not np.array_equal(model.user, baseline.user):
            raise ValueError(f"baseline {name!r} must be evaluated on the queries of the model. Received: others.")
        ours = np.stack([model.per_query[metric] for metric in METRICS])  # [metrics, Q]
        theirs = np.stack([baseline.per_query[metric] for metric in METRICS])
        low, high = difference_ci95(ours, theirs, samples, seed)
        versus[name] = {}
        for row, metric in enumerate(METRICS):
            versus[name][f"{metric}_difference"] = float((ours[row] - theirs[row]).mean())
            versus[name][f"{metric}_difference_ci95"] = [float(low[row]), float(high[row])]
    return {
        "test": dict(model.metrics),
        "baselines": {name: {"test": dict(baseline.metrics)} for name, baseline in baselines.items()},
        "versus_baselines": versus,
        "slices": model.slices,
        "candidates": model.candidates,
        "queries": model.queries,
        "dropped": model.dropped,
    }
