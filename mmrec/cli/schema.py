"""`mmrec schema`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mmrec.config import Config
from mmrec.config.reference import config_reference


def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page to read.")] = False,
) -> None:
    """Print the JSON schema of the config, for editors, or a page about all keys.

    Example: mmrec schema > mmrec.schema.json
    """
    print(config_reference() if markdown else json.dumps(Config.json_schema(), indent=2), end="" if markdown else "\n")
