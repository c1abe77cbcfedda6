"""Names of options beside the names of arguments that messages of the library use."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from typer.models import OptionInfo

from mmrec.errors import InputError


def with_option_names(command: Callable[..., None]) -> Callable[..., None]:
    """Returns a command whose `InputError`s also say by which option an argument is set.

    The library speaks of its arguments; a parameter of a command is called as the argument that it sets. Options that
    are called like their argument need no word.
    """
    options = _options(command)

    @functools.wraps(command)
    def run(*arguments: Any, **named: Any) -> None:
        try:
            command(*arguments, **named)
        except InputError as error:
            raise InputError(*(message + _hint(message, options) for message in error.messages)) from None

    return run


def _options(command: Callable[..., None]) -> dict[str, str]:
    """Returns argument -> option, for the options that are called otherwise."""
    types = get_type_hints(command, include_extras=True)
    options = {}
    for name in inspect.signature(command).parameters:
        option = next((one for one in get_args(types[name]) if isinstance(one, OptionInfo)), None)
        if option is not None:
            longest = max(option.param_decls or [f"--{name.replace('_', '-')}"], key=len)
            if longest.lstrip("-") != name:
                options[name] = longest
    return options


def _hint(message: str, options: dict[str, str]) -> str:
    named = [f"`{name}` is `{option}`" for name, option in options.items() if f"`{name}`" in message]
    return f" (Here {', '.join(named)}.)" if named else ""
