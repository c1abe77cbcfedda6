"""`mmrec train`."""

from __future__ import annotations

import json

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.cli.options import AsJson, Assignments, ConfigFile, continued, start_tensorflow
from mmrec.reports.metrics import metrics_table


def train(config: ConfigFile, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Train a model, judge it beside two baselines, and export it.

    Example: mmrec train config.yaml --set training.epochs=5
    """
    checked = mmrec.Config.load(config, **parse_assignments(assignments))
    start_tensorflow()
    with continued("run"):
        result = mmrec.train(checked)
    if as_json:
        paths = {"run_dir": str(result.run_dir), "export_dir": str(result.export_dir)}
        print(json.dumps({**paths, "metrics": result.metrics}))
    else:
        print(f"run     {result.run_dir}\nexport  {result.export_dir}\n\n{metrics_table(result.metrics)}")
