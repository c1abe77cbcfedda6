"""Messages of the library, as the command line completes them."""

from pathlib import Path
from typing import Annotated

import pytest
import typer

from mmrec.cli.hints import with_option_names
from mmrec.errors import InputError


def command(
    export: Annotated[Path, typer.Argument()],
    export_dir: Annotated[Path | None, typer.Option("--export")] = None,
    k: Annotated[int, typer.Option("-k", "--k")] = 10,
    max_delisted: Annotated[float, typer.Option(help="A share.")] = 0.3,
) -> None:
    """Fails with what it is given."""
    raise InputError(str(export), f"`k` is {k}, beside `max_delisted`")


def test_a_message_that_names_an_argument_says_by_which_option_it_is_set():
    with pytest.raises(InputError) as error:
        with_option_names(command)("`export_dir` needs `deep`. Set `max_delisted` to 1.")
    assert error.value.messages == (
        "`export_dir` needs `deep`. Set `max_delisted` to 1. (Here `export_dir` is `--export`, `max_delisted` is "
        "`--max-delisted`.)",
        "`k` is 10, beside `max_delisted` (Here `max_delisted` is `--max-delisted`.)",
    )


def test_a_message_without_such_a_name_stays_as_it_is():
    with pytest.raises(InputError) as error:
        with_option_names(command)("catalog.csv: no export_dir.", k=3)
    assert error.value.messages[0] == "catalog.csv: no export_dir."


def test_the_limit_of_a_refresh_is_set_by_its_option(command, tmp_path, tiny_export):
    arguments = ["refresh", tiny_export.result.export_dir, "--catalog", tiny_export.shop / "catalog.csv"]
    code, out, errors = command(*arguments, "--max-delisted", 2)
    assert (code, out) == (2, "")
    assert errors.splitlines()[-1] == (
        "error: `max_delisted` must be a number from 0 to 1. Received: 2.0. (Here `max_delisted` is `--max-delisted`.)"
    )
