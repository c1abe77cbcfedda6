"""`mmrec compare`: two runs, or two exports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.options import Answers, AsJson, start_tensorflow
from mmrec.comparing.folders import is_export


def compare(
    run_a: Annotated[
        str, typer.Argument(help="Run folder, runs/<name>/<number>, several seeds joined by commas; or an export.")
    ],
    run_b: Annotated[str, typer.Argument(help="The same of the other model.")],
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Of runs: such as ndcg@10; may be given again. By default: all."),
    ] = None,
    histories: Annotated[
        Path | None,
        typer.Option(help="Of exports: parquet (lists) or csv (ids with a space between) of user_id, history."),
    ] = None,
    segments: Annotated[
        list[str] | None,
        typer.Option("--segment", help="Of exports: further column of the histories; may be given again."),
    ] = None,
    k: Answers = 10,
    as_json: AsJson = False,
) -> None:
    """Say which of two models ranks better, or what a new version would change for users.

    Example: mmrec compare runs/shop/1 runs/shop/2
    """
    sides = run_a.split(","), run_b.split(",")
    folders = [Path(name) for side in sides for name in side if name]
    if folders and all(map(is_export, folders)):
        _require_two(folders, metrics, histories)
        start_tensorflow()
        from mmrec.reports.drift import drift_text

        drift = mmrec.compare_exports(*folders, histories, segments=segments or None, k=k)
        print(json.dumps(drift) if as_json else drift_text(drift))
        return
    for option, value in (("--histories", histories), ("--segment", segments)):
        if value:
            raise mmrec.InputError(
                f"`{option}` applies to exports, and {run_a} is a run. Leave it out, or give exports."
            )
    from mmrec.reports.runs import comparison_text

    comparison = mmrec.compare_runs(*sides, metrics=metrics or None)
    print(json.dumps(comparison) if as_json else comparison_text(comparison))


def _require_two(exports: Sequence[Path], metrics: Sequence[str] | None, histories: Path | None) -> None:
    """Checks what is given beside exports."""
    if len(exports) != 2:
        raise mmrec.InputError(
            f"exports are compared one with one. Received: {', '.join(map(str, exports))}. Give two."
        )
    if metrics:
        raise mmrec.InputError(
            f"`--metric` applies to runs, and {exports[0]} is an export. Leave it out, or give run folders."
        )
    if histories is None:
        raise mmrec.InputError(
            "`--histories` must be given to compare exports: a parquet or csv file with the columns `user_id` and "
            "`history`. Received: none."
        )
