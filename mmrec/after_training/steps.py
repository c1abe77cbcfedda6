"""The steps after training, in order: each takes a fitted model and returns another, without changing the first."""

from __future__ import annotations

from collections.abc import Callable

from mmrec.after_training.feature_mapping import map_features
from mmrec.after_training.fitted import Fitted
from mmrec.after_training.neighbours import add_neighbours
from mmrec.config import Config
from mmrec.data.shop_tables import Tables

STEPS: dict[str, Callable[[Config, Tables, Fitted], Fitted]] = {"mapping": map_features, "neighbours": add_neighbours}


def fit_beside(config: Config, tables: Tables, fitted: Fitted) -> Fitted:
    """Runs every step after training.

    Args:
      config: decided (see `jobs.resolve`).
      tables: the data.
      fitted: the trained model.

    Returns:
      The model after all steps. Each has a report under its name, which is empty if the step did nothing.
    """
    for name, step in STEPS.items():
        fitted = step(config, tables, fitted)
        if name not in fitted.reports:
            fitted = fitted.with_step(name, {})
    return fitted
