"""Parses `--set KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from mmrec.config.source import RepeatedKeyError, read_yaml
from mmrec.errors import InputError


def parse_assignments(assignments: Sequence[str] | None) -> dict[str, Any]:
    """Turns `["a.b=c", ...]` into overrides for `Config.load`; each value is read as YAML.

    Of a key that is assigned twice the last value counts, as usual on command lines.

    Raises:
      InputError: when an assignment has no "=" or its value is not YAML.

    >>> parse_assignments(["training.epochs=3", "item.modalities=[text]"])
    {'training.epochs': 3, 'item.modalities': ['text']}
    """
    overrides: dict[str, Any] = {}
    for text in assignments or ():
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            raise InputError(f"`--set` takes KEY=VALUE, such as training.epochs=3. Received: {text!r}.")
        overrides.pop(key, None)  # a key that comes again also comes after what was assigned in between
        try:
            overrides[key] = read_yaml(value)
        except (yaml.YAMLError, RecursionError) as error:
            raise InputError(f"`--set {key}`: the value is not YAML ({error}). Received: {value!r}.") from None
        except RepeatedKeyError as error:
            raise InputError(f"`--set {key}`: {error}. Received: {value!r}. Leave one of them out.") from None
    return overrides
