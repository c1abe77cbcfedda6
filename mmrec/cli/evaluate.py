"""`mmrec evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.cli.options import AsJson, Assignments, Export, start_tensorflow
from mmrec.reports.metrics import metrics_table


def evaluate(
    export: Export,
    config: Annotated[Path | None, typer.Argument(help="YAML or JSON config; by default the export's own.")] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Judge an export as training judged its model.

    Example: mmrec evaluate saved_models/shop/1 config.yaml
    """
    overrides = parse_assignments(assignments)
    start_tensorflow()
    metrics = mmrec.evaluate(export, config, **overrides)
    print(json.dumps({"export_dir": str(export), "metrics": metrics}) if as_json else metrics_table(metrics))
