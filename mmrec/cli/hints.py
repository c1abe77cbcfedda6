"""Adds option names to library messages that speak of arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import typer
import typer.main

from mmrec.errors import InputError


def with_option_names(command: Callable[..., None]) -> Callable[..., None]:
    """Returns a command whose `InputError`s also say by which option an argument is set.

    The library speaks of its arguments; a parameter of a command is called as the argument that it sets. Options that
    are called like their argument need no word.
    """

    @functools.wraps(command)
    def run(*arguments: Any, **named: Any) -> None:
        try:
            command(*arguments, **named)
        except InputError as error:
            options = _options(command)
            raise InputError(*(message + _hint(message, options) for message in error.messages)) from None

    return run


def _options(command: Callable[..., None]) -> dict[str, str]:
    """Returns argument -> option, for the options that are called otherwise."""
    alone = typer.Typer(add_completion=False)
    alone.command()(command)
    longest = {str(one.name): max(one.opts, key=len) for one in typer.main.get_command(alone).params}
    return {name: option for name, option in longest.items() if option.startswith("-") and option.lstrip("-") != name}


def _hint(message: str, options: dict[str, str]) -> str:
    named = [f"`{name}` is `{option}`" for name, option in options.items() if f"`{name}`" in message]
    return f" (Here {', '.join(named)}.)" if named else ""
