"""Writes the config's reference page from the config classes."""

from __future__ import annotations

import json
from typing import Any

from pydantic.fields import FieldInfo

from mmrec.config.config import Config, Section


def config_reference() -> str:
    """Returns a Markdown page: every key with its type, default and meaning, a table per section."""
    lines = [
        "# Config reference",
        "",
        "Every key of a config with its type, default and meaning; `mmrec schema --markdown` prints this page. "
        'Override a key with `--set KEY=VALUE`, or in Python with `mmrec.train(path, **{"KEY": VALUE})`. For editors '
        "that complete and check YAML, write the JSON schema to a file:",
        "",
        "```console",
        "$ mmrec schema > mmrec.schema.json",
        "```",
    ]
    return "\n".join([*lines, *_section(Config, ""), ""])


def _section(section: type[Section], prefix: str) -> list[str]:
    definition, inner = section.model_json_schema(), []
    title = f"`{prefix.rstrip('.')}`" if prefix else "Top level"
    about = (section.__doc__ or "").splitlines()[0]
    lines = ["", f"## {title}", "", about, "", "| key | type | default | meaning |", "|---|---|---|---|"]
    for name, field in section.model_fields.items():
        below = _section_of(field.annotation)
        if below:
            inner += _section(below, f"{prefix}{name}.")
        if below and field.default is not None:
            continue
        kind = _kind(definition["properties"][name])
        meaning = (field.description or "").replace("\n", " ").replace("|", "\\|")
        lines.append(f"| `{prefix}{name}` | {kind} | {_default(field)} | {meaning} |")
    return (lines if len(lines) > 7 else []) + inner


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "`required`"
    if field.default_factory is not None:  # depends on other keys
        return "see meaning"
    return f"`{json.dumps(_plain(field.default), ensure_ascii=False)}`"


def _section_of(annotation: Any) -> type[Section] | None:
    options = getattr(annotation, "__args__", (annotation,))
    return next((o for o in options if isinstance(o, type) and issubclass(o, Section)), None)


def _kind(definition: dict) -> str:
    if "anyOf" in definition:
        return " or ".join(_kind(option) for option in definition["anyOf"])
    if "enum" in definition:
        return " \\| ".join(f"`{option}`" for option in definition["enum"])
    if "$ref" in definition:
        return "section"
    if definition.get("type") == "array":
        return f"list of {_kind(definition.get('items', {}))}" if "items" in definition else "pair of numbers"
    bounds = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    limits = [f"{sign} {definition[key]}" for key, sign in bounds.items() if key in definition]
    return " ".join([definition.get("type", "any"), ", ".join(limits)]).strip()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
