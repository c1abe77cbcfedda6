"""Checks the settings of modalities outside this package; a config has them under `item.custom`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mmrec.config.problems import explain
from mmrec.config.section import Section
from mmrec.errors import InputError


def custom_settings(name: str, section: type[Section], values: Mapping[str, Any], where: str = "config") -> Section:
    """Checks the settings of one modality.

    Args:
      name: the modality's name.
      section: the class of its settings.
      values: the keys and values under `item.custom.<name>`.
      where: what messages start with, such as the path of the config file.

    Raises:
      InputError: naming the key, as `item.custom.smell.width`, the rule and what was received.
    """
    try:
        return section.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(*explain(section, where, error.errors(), f"item.custom.{name}.")) from None
