"""Finds towers, fusions, losses and history towers by name, or a user's own by its import path."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from mmrec.errors import InputError, nearest


def find(kind: str, name: str, classes: Mapping[str, Any]) -> Any:
    """Returns the class called `name`, or the one at the import path `package.module:Class`.

    Args:
      kind: what is looked for, such as "tower", for messages.
      name: a key of `classes`, or an import path.
      classes: the built-in classes by name.

    Raises:
      InputError: no class is called so, or the import path leads to none.
    """
    if name in classes:
        return classes[name]
    module, colon, attribute = name.partition(":")
    if not colon:
        options = ", ".join(classes)
        raise InputError(
            f"no {kind} is called {name!r}.{nearest(name, classes)} Known: {options}; or `package.module:Class`."
        )
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise InputError(
            f"the {kind} {name!r} cannot be imported: {error}. Correct the path, or make it importable."
        ) from None
