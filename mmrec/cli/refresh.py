"""`mmrec refresh`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.cli.options import AsJson, Assignments, Export, start_tensorflow


def refresh(
    export: Export,
    catalog: Annotated[
        Path,
        typer.Option(help="Table of all items; --set data.catalog.text=[name] where columns are called otherwise."),
    ],
    max_delisted: Annotated[
        float, typer.Option(help="Largest share of the export's items that the table may lack, 0 to 1.")
    ] = 0.3,
    histories: Annotated[
        Path | None,
        typer.Option(help="Recent histories, as for compare: the share also counts in what these name."),
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Bring an export up to date with a new catalog, without training.

    Example: mmrec refresh saved_models/shop/1 --catalog products.parquet
    """
    overrides = parse_assignments(assignments)
    start_tensorflow()
    result = mmrec.refresh(export, catalog, max_delisted=max_delisted, histories=histories, **overrides)
    if as_json:
        print(json.dumps({"export_dir": str(result.export_dir), **result.changes}))
    else:
        counts = (f"{name:11}{count:,}" for name, count in result.changes.items())
        print("\n".join([f"export     {result.export_dir}", *counts]))
