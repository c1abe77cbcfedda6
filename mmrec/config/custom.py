"""The settings of modalities outside this package, which stand under `item.custom`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mmrec.config.problems import explain
from mmrec.config.section import Section
from mmrec.errors import InputError


def custom_settings(name: str, section: type[Section], values: Mapping[str, Any], where: str = "config") -> Section:
    """Returns checked settings.

    Args:
      name: of the modality.
      section: what its settings are.
      values: of `item.custom.<name>`.
      where: what begins the message, such as the file of the config.

    Raises:
      InputError: naming the key, as `item.custom.smell.width`, the rule and what was received.
    """
    try:
        return section.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(*explain(section, where, error.errors(), f"item.custom.{name}.")) from None
