"""Where a config comes from: files, dicts and assignments to plain values; pydantic's problems to one clear line."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from mmrec.errors import InputError


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Turns `["a.b=c", ...]` into overrides for `Config.load`; each value is read as YAML.

    Raises:
      InputError: when an assignment has no "=" or its value is not YAML.

    >>> parse_assignments(["training.epochs=3", "item.modalities=[text]"])
    {'training.epochs': 3, 'item.modalities': ['text']}
    """
    found = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(f"`--set` takes KEY=VALUE, such as training.epochs=3. Received: {text!r}.")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"`--set {key}`: the value is not YAML ({error}). Received: {value!r}.") from None
    return found


def read_values(
    source: BaseModel | Mapping | str | os.PathLike, overrides: Mapping[str, Any], paths: Sequence[str]
) -> dict:
    """Reads the values of a config.

    Args:
      source: a config, a dict, or the path of a YAML or JSON file.
      overrides: values by dotted key or nested dict, which win.
      paths: dotted keys of the values that are paths; relative ones become absolute, from the file's own folder when
        they stand in a file, else from the working directory.

    Raises:
      InputError: the file cannot be read, or is no YAML or JSON of keys and values.
    """
    if isinstance(source, BaseModel):
        values = source.model_dump(mode="json")
    elif isinstance(source, str | os.PathLike):
        values = _read_file(Path(source), paths)
    else:
        values = _plain(dict(source))
    for key, value in overrides.items():
        _merge(values, _nested(key, value))
    _resolve_paths(values, paths, Path.cwd())
    return values


def _read_file(path: Path, paths: Sequence[str]) -> dict:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read as a config file: {error.strerror}. Give the path of a YAML or JSON file."
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: must be UTF-8. Received byte {error.object[error.start]:#x} at {error.start}. "
            "Re-save it as UTF-8."
        ) from None
    kind, read = ("JSON", json.loads) if path.suffix.lower() == ".json" else ("plain YAML", yaml.safe_load)
    try:
        values = read(_expand(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path}: is not {kind}: {said}. Use keys, lists, texts and numbers only.") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise InputError(f"{path}: must hold keys and values. Received: {type(values).__name__}.")
    _resolve_paths(values, paths, path.parent.resolve())
    return values


def _expand(text: str) -> str:
    return re.sub(
        r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: os.environ.get(m[1], m[2] if m[2] is not None else m[0]), text
    )


def _resolve_paths(values: dict, paths: Sequence[str], folder: Path) -> None:
    for key in paths:
        *sections, name = key.split(".")
        section: Any = values
        for part in sections:
            section = section.get(part) if isinstance(section, dict) else None
        value = section.get(name) if isinstance(section, dict) else None
        bundled = (value == "imagenet" and name == "weights") or (name == "preset" and "/" not in str(value))
        if isinstance(value, str) and not bundled and not value.startswith("tfds:") and "://" not in value:
            section[name] = os.path.normpath(folder / value)


def _nested(key: str, value: Any) -> dict:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def _merge(into: dict, values: Mapping) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def explain(root: type[BaseModel], where: str, problem: Mapping) -> str:
    """Returns one line for one pydantic problem of the config `root`.

    It names the file (`where`), the key, the rule, what was received and the nearest known key.
    """
    path = [str(part) for part in problem["loc"]]
    key = ".".join(path)
    if problem["type"] != "extra_forbidden":
        rule = problem["msg"].removeprefix("Value error, ")
        if not path:  # sections that do not fit each other: the rule names the keys, and all was received
            return f"{where}: {rule}."
        return f"{where}: `{key}`: {rule}. Received: {problem['input']!r}."
    section: Any = root
    for part in path[:-1]:
        section = _section(section.model_fields[part].annotation)
    every = _all_keys(root)
    same = [known for known in every if known.rsplit(".", 1)[-1] == path[-1]]
    inside = difflib.get_close_matches(path[-1], section.model_fields, n=1, cutoff=0.6)
    if same:  # the right word in the wrong place: the nearest of its places
        guess = max(same, key=lambda known: difflib.SequenceMatcher(None, known, key).ratio())
    elif inside:
        guess = ".".join([*path[:-1], inside[0]])
    else:
        guess = next(iter(difflib.get_close_matches(key, every, n=1, cutoff=0.0)), "")
    return f"{where}: `{key}`: no such key. Did you mean `{guess}`? Known here: {', '.join(section.model_fields)}."


def _section(annotation: Any) -> type[BaseModel]:
    options = getattr(annotation, "__args__", (annotation,))
    return next(option for option in options if isinstance(option, type) and issubclass(option, BaseModel))


def _all_keys(section: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in section.model_fields.items():
        keys.append(prefix + name)
        try:
            keys += _all_keys(_section(field.annotation), f"{prefix}{name}.")
        except StopIteration:
            continue
    return keys
