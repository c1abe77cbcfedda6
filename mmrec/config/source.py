"""Reads the values of a config from files, dicts and overrides."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from mmrec.config.section import PathMark
from mmrec.errors import InputError

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def read_values(
    source: BaseModel | Mapping | str | os.PathLike,
    overrides: Mapping[str, Any],
    paths: Callable[[Mapping[str, Any]], Iterable[tuple[str, PathMark]]] = lambda values: (),
) -> dict:
    """Reads the values of a config.

    Args:
      source: a config (only the values that were set, not the defaults), a dict, or the path of a YAML or JSON file.
      overrides: values by dotted key or nested dict; they win over the source.
      paths: values -> the dotted keys of the paths among them, with their marks. Relative paths of data, in the file
        and in `overrides`, become absolute: they start at the file's folder, or without a file at the working
        directory. In all paths, `~` becomes the home folder and `${NAME:-default}` the environment variable NAME.

    Raises:
      InputError: the file cannot be read, is not YAML or JSON of keys and values, or repeats a key; or a path names an
        environment variable that is not set.
    """
    folder = Path.cwd()
    if isinstance(source, str | os.PathLike):
        path = Path(os.path.expanduser(source))
        values, folder = _read_file(path), path.parent.resolve()
    elif isinstance(source, BaseModel):
        values = _plain(source)
    else:
        try:
            values = _plain(dict(source))
        except (TypeError, ValueError):
            raise InputError(f"a config must be a path, a dict or a `Config`. Received: {source!r:.80}.") from None
    for key, value in overrides.items():
        _merge(values, _nested(key, value))
    for key, mark in paths(values):
        _resolve_path(values, key, mark, folder)
    return values


def _read_file(path: Path) -> dict:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: must be UTF-8. Received byte {error.object[error.start]:#x} at {error.start}. "
            "Re-save it as UTF-8."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        said = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: cannot be read as a config file: {said}. Give the path of a YAML or JSON file."
        ) from None
    kind, read = ("JSON", _read_json) if path.suffix.lower() == ".json" else ("plain YAML", read_yaml)
    try:
        values = read(_expand(text))
    except RepeatedKeyError as error:
        raise InputError(f"{path}: {error}. Merge them into one, or remove one of them.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path}: is not {kind}: {said}. Use keys, lists, texts and numbers only.") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise InputError(f"{path}: must hold keys and values. Received: {type(values).__name__}.")
    return values


def _expand(text: str) -> str:
    """Replaces `${NAME:-default}` by the environment variable NAME; without a value and a default the text stays."""
    return _VARIABLE.sub(lambda m: os.environ.get(m[1], m[2] if m[2] is not None else m[0]), text)


class RepeatedKeyError(Exception):
    """A section has the same key twice; most readers would silently take the last one."""


def read_yaml(text: str) -> Any:
    """Parses a YAML text into plain values.

    Raises:
      yaml.YAMLError: the text is not plain YAML.
      RecursionError: it is nested too deeply.
      RepeatedKeyError: a section has the same key twice.
    """
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _require_single_keys(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _require_single_keys(root: yaml.Node) -> None:
    """Raises RepeatedKeyError for the first repeated key, naming its sections and both of its lines."""
    pending, seen = [(root, "")], set()
    while pending:
        node, prefix = pending.pop(0)
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            pending += [(item, f"{prefix}{place}.") for place, item in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in lines and name != "<<":  # each << merges further keys, which those of the section override
                    where = f"line {line}" if line == lines[name] else f"lines {lines[name]} and {line}"
                    raise RepeatedKeyError(f"`{prefix}{name}` appears twice: {where}")
                lines[name] = line
                pending.append((value, f"{prefix}{name}."))


def _read_json(text: str) -> Any:
    def section(pairs: list[tuple[str, Any]]) -> dict:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            raise RepeatedKeyError(f"`{next(key for key in keys if keys.count(key) > 1)}` appears twice in one object")
        return values

    return json.loads(text, object_pairs_hook=section)


def _resolve_path(values: dict, key: str, mark: PathMark, folder: Path) -> None:
    *sections, name = key.split(".")
    section: Any = values
    for part in sections:
        section = section.get(part) if isinstance(section, dict) else None
    value = section.get(name) if isinstance(section, dict) else None
    if not isinstance(value, str):
        return
    value = _expand(value)
    unset = _VARIABLE.search(value)
    if unset:
        raise InputError(
            f"`{key}`: the environment variable {unset[1]} is not set. Received: {value!r}. Set it, or give a default: "
            f"${{{unset[1]}:-...}}."
        )
    if not mark.is_name(value) and not value.startswith("tfds:") and "://" not in value:
        value = os.path.expanduser(value)
        value = value if mark.is_result else os.path.normpath(folder / value)
    section[name] = value


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
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):  # loading NumPy here would slow `mmrec --help`
        return value.tolist()
    return value
