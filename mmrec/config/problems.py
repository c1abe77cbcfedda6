"""Turns pydantic's problems with a config into messages for its user."""

from __future__ import annotations

import datetime
import difflib
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def explain(root: type[BaseModel], where: str, problems: Sequence[Mapping], prefix: str = "") -> list[str]:
    """Returns one line for each problem of a config, or of a section of it.

    A line names the file, the key, the rule, what was received, and for an unknown key the nearest known one.

    Args:
      root: the class that was checked.
      where: what lines start with: the path of the file, or `config`.
      problems: pydantic's list, see `ValidationError.errors`.
      prefix: dotted prefix of the section's keys in the whole config.
    """
    lines: dict[str, str] = {}
    for problem in problems:
        if problem["type"] == "default_factory_not_called":  # follows from another one
            continue
        key, annotation, alternative = _locate(root, problem["loc"])
        if problem["type"] == "extra_forbidden":
            line = _unknown_key(root, [str(part) for part in problem["loc"]], prefix)
        elif not key:  # sections that do not fit each other: the rule itself names keys and values
            line = f"{_rule(problem, annotation)}."
        else:
            rule = f"must be {_name(annotation)}" if alternative else _rule(problem, annotation)
            line = f"`{prefix}{key}`: {rule}. Received: {_shown(problem['input'])}.{_remedy(problem)}"
        # Each alternative of a type has a problem of its own; the first one's input is the whole value.
        lines.setdefault(key if alternative else line, f"{where}: {line}")
    return [*lines.values()]


def _rule(problem: Mapping, annotation: Any) -> str:
    kind, value = problem["type"], problem["input"]
    if kind == "missing":
        return "must be given"
    if kind in ("model_type", "model_attributes_type"):
        named = isinstance(value, str) and any("path" in option.model_fields for option in _options(annotation))
        return "must be a section of keys and values" + (f", for example {{path: {value}}}" if named else "")
    if kind == "tuple_type" and isinstance(value, str | int | float):
        return f"must be {_name(annotation)}, for example [{value}]"
    if kind in ("tuple_type", "dict_type", "mapping_type") or (kind == "too_long" and _length(annotation)):
        return f"must be {_name(annotation)}"
    return problem["msg"].removeprefix("Value error, ")


def _remedy(problem: Mapping) -> str:
    value = problem["input"]
    if type(value).__name__ == "DataFrame":
        return " Give it to `mmrec.train`, `tune`, `check` or `evaluate` itself; a config names files."
    if problem["type"] != "string_type" or not isinstance(value, bool | int | float | datetime.date):
        return ""
    why = ": YAML reads yes, no, on and off as true and false" if isinstance(value, bool) else ""
    return f" Put it in quotes{why}."


def _shown(value: Any) -> str:
    """Returns a value on one line of bounded length."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}..."


def _unknown_key(root: type[BaseModel], path: Sequence[str], prefix: str) -> str:
    section: Any = root
    for part in path[:-1]:
        section = _section(section.model_fields[part].annotation)
    key, every = ".".join(path), _all_keys(root)
    if key in every:
        nested = "{".join(f"{part}: " for part in path[-1].split("."))
        return f"`{path[-1]}`: a key of a section stands inside it: {nested}...{'}' * path[-1].count('.')}."
    same = [name for name in every if name.rsplit(".", 1)[-1] == path[-1]]
    inside = difflib.get_close_matches(path[-1], section.model_fields, n=1, cutoff=0.6)
    if same:  # the right word in the wrong place: the nearest of its places
        guess = max(same, key=lambda name: difflib.SequenceMatcher(None, name, key).ratio())
    elif inside:
        guess = ".".join([*path[:-1], inside[0]])
    else:
        guess = next(iter(difflib.get_close_matches(key, every, n=1, cutoff=0.0)), "")
    mean = f" Did you mean `{prefix}{guess}`?" if guess else ""
    siblings = ", ".join(section.model_fields) or "none"
    return f"`{prefix}{key}`: no such key.{mean} Known here: {siblings}."


def _locate(root: type[BaseModel], place: Sequence[str | int]) -> tuple[str, Any, bool]:
    """Returns the dotted key of a problem, the type of its value, and whether it is a problem of one alternative."""
    annotation: Any = root
    parts: list[str] = []
    for part in place:
        options = _options(annotation)
        if len(options) > 1:  # pydantic goes on with the alternative that it tried
            return ".".join(parts), annotation, True
        if part == "[key]":
            break
        if _is_section(options[0]):
            field = options[0].model_fields.get(part)
            annotation = field.annotation if field else Any
        else:
            inner = [each for each in get_args(options[0]) if each is not Ellipsis]
            annotation = inner[-1] if inner else Any
        parts.append(str(part))
    return ".".join(parts), annotation, False


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _section(annotation: Any) -> type[BaseModel]:
    return next(option for option in _options(annotation) if _is_section(option))


def _all_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in section.model_fields.items():
        keys.append(prefix + name)
        try:
            keys += _all_keys(_section(field.annotation), f"{prefix}{name}.")
        except StopIteration:
            continue
    return keys


def _options(annotation: Any) -> list[Any]:
    """Returns the alternatives of a type without null; most types have only one, themselves."""
    if get_origin(annotation) is Annotated:
        return _options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [option for each in get_args(annotation) if each is not type(None) for option in _options(each)]
    return [annotation]


def _length(annotation: Any) -> int:
    """Returns the length of a list if that is fixed; else 0."""
    option = _options(annotation)[0]
    return len(get_args(option)) if get_origin(option) is tuple and Ellipsis not in get_args(option) else 0


def _name(annotation: Any) -> str:
    """Returns a type in words."""
    options = _options(annotation)
    return " or ".join(_name_of(option) for option in options if option is not int or float not in options)


def _name_of(option: Any) -> str:
    origin = get_origin(option)
    if origin is tuple:
        return f"a list of {_length(option)} values" if _length(option) else "a list"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping of names to {_name(get_args(option)[1]).removeprefix('a ')}s"
    return _NAMES.get(option, "a value")
