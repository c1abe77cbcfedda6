"""`mmrec check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.cli.options import AsJson, Assignments, ConfigFile, start_tensorflow


def check(
    config: ConfigFile,
    assignments: Assignments = None,
    deep: Annotated[bool, typer.Option("--deep", help="Open every photo and read every text, not a sample.")] = False,
    export_dir: Annotated[
        Path | None,
        typer.Option("--export", help="With --deep: version folder; lists items whose photo and texts disagree."),
    ] = None,
    probe: Annotated[bool, typer.Option(help="Measure a few steps for an estimate of time, memory and disk.")] = True,
    as_json: AsJson = False,
) -> None:
    """Say what a training would see, cost and stumble over. Trains and writes nothing.

    Example: mmrec check config.yaml --deep
    """
    checked = mmrec.Config.load(config, **parse_assignments(assignments))
    start_tensorflow()
    report = mmrec.check(checked, deep, export_dir=export_dir, probe=probe)
    if as_json:
        print(json.dumps(report.to_dict()))
    else:
        from mmrec.reports.check import report_text

        print(report_text(report))
    if report.errors:
        sys.stdout.flush()
        raise mmrec.InputError(*report.errors)
