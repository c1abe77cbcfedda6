"""All commands, and how each ends: with an exit code, and with one message where something is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.check import check
from mmrec.cli.compare import compare
from mmrec.cli.evaluate import evaluate
from mmrec.cli.hints import with_option_names
from mmrec.cli.options import importable
from mmrec.cli.recommend import recommend
from mmrec.cli.refresh import refresh
from mmrec.cli.sample import sample
from mmrec.cli.schema import schema
from mmrec.cli.score import score
from mmrec.cli.train import train
from mmrec.cli.tune import tune

app = typer.Typer(
    name="mmrec",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Recommend products by what they show and say, and by what shoppers took before.\n\n"
    "To begin: mmrec sample shop --size tiny, then mmrec train shop/config.yaml",
)
for command in (train, tune, evaluate, check, compare, refresh, recommend, score, sample, schema):
    app.command()(with_option_names(command))


@app.callback(invoke_without_command=True)
def _before_any(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    app_dir: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Folder of your own modules, which configs name as package.module:Class.",
        ),
    ] = Path(),
) -> None:
    if version:
        print(mmrec.__version__)
        raise typer.Exit
    context.with_resource(importable(app_dir))


def main() -> None:
    """Runs the command line. Exit code 0: done; 2: bad usage, config or data; 130: interrupted; 1: anything else."""
    try:
        app()
    except mmrec.InputError as error:
        print("\n".join(f"error: {message}" for message in error.messages), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except mmrec.TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
