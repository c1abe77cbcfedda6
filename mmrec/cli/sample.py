"""`mmrec sample`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.options import start_tensorflow


class Size(StrEnum):
    """Sizes of the sample shop."""

    tiny = "tiny"
    small = "small"
    medium = "medium"
    large = "large"


class TableFormat(StrEnum):
    """File formats of the sample shop."""

    csv = "csv"
    parquet = "parquet"


def sample(
    directory: Annotated[Path, typer.Argument(help="Folder to write; must not exist, or be empty.")],
    size: Annotated[Size, typer.Option(help="How much of everything.")] = Size.small,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another shop.")] = 0,
    table_format: Annotated[TableFormat, typer.Option("--format", help="Of the tables.")] = TableFormat.csv,
) -> None:
    """Write a sample shop and a ready config: something to try the other commands on.

    Example: mmrec sample shop --size tiny
    """
    start_tensorflow()
    path = mmrec.write_sample_shop(directory, size.value, seed, table_format.value)
    print(f"wrote {directory}; now: mmrec train {directory / path.name}")
