"""`mmrec tune`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.cli.options import AsJson, Assignments, ConfigFile, continued, start_tensorflow
from mmrec.reports.metrics import metrics_table


def tune(
    config: ConfigFile,
    space: Annotated[Path, typer.Option(help="YAML or JSON: config keys to values or {low, high, log, step}.")],
    trials: Annotated[int, typer.Option(min=1, help="Total trials, counting finished ones.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other trials.")] = 0,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Search for the best config on validation, then train it in full.

    Example: mmrec tune config.yaml --space space.yaml --trials 30
    """
    checked = mmrec.Config.load(config, **parse_assignments(assignments))
    start_tensorflow()
    with continued("search"):
        result = mmrec.tune(checked, space, trials, seed=seed)
    best, trained = result.trials.with_name("best.yaml"), result.train_result
    if as_json:
        paths = {"trials": result.trials, "best": best, "run_dir": trained.run_dir, "export_dir": trained.export_dir}
        print(json.dumps({name: str(path) for name, path in paths.items()} | {"metrics": trained.metrics}))
    else:
        from mmrec.reports.trials import trials_text

        print(f"{trials_text(result.trials)}\n\ntrials  {result.trials}\nbest    {best}")
        print(f"run     {trained.run_dir}\nexport  {trained.export_dir}\n\n{metrics_table(trained.metrics)}")
