"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mmrec import process
from mmrec.allocator import keep_freed_memory

ConfigFile = Annotated[Path, typer.Argument(help="YAML or JSON config.")]
Export = Annotated[Path, typer.Argument(help="Version folder, saved_models/<name>/<version>.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config value; may be given again. Relative paths of data start at the config file's folder, "
        "as they do in the file.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
Answers = Annotated[int, typer.Option("-k", "--k", min=1, help="Answers for each user.")]


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Lets modules in a folder be imported, by `package.module:Class` in a config, for as long as a command runs."""
    place = str(folder.resolve())
    sys.path.append(place)  # last, so that a file of a common name there hides no package
    try:
        yield
    finally:
        sys.path.remove(place)


@contextmanager
def continued(what: str) -> Iterator[None]:
    """Says of a job that is interrupted how to go on with it."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"interrupted; the same command continues the {what}", file=sys.stderr)
        raise


def start_tensorflow() -> None:
    """Starts TensorFlow with Keras 2, of which a user's own classes are made too: a command has its process alone."""
    os.environ[process.LEGACY_KERAS] = "1"
    process.start_tensorflow()
    keep_freed_memory()
