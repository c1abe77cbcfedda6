"""What all parts of the config share: strictness, and types of values."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _local(path: str | None) -> str | None:
    scheme, separator, _ = (path or "").partition("://")
    if separator:
        raise ValueError(f"must be a local path: `{scheme}://` is not read or written. Copy the data to a local folder")
    return path


LocalPath = Annotated[str, AfterValidator(_local)]
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


class Section(BaseModel):
    """Base of every part of the config: immutable, and strict about unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
