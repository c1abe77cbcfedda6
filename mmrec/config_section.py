"""What all parts of the config share: strictness, and types of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator


def _local(path: str | None) -> str | None:
    scheme, separator, _ = (path or "").partition("://")
    if separator:
        raise ValueError(f"must be a local path: `{scheme}://` is not read or written. Copy the data to a local folder")
    return path


LocalPath = Annotated[str, AfterValidator(_local)]
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


class Section(BaseModel):
    """Base of every part of the config: immutable, and strict about unknown keys and the kinds of values."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_quiet_conversion(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuses what pydantic lets pass: true as 1, and texts with a NUL character, which no path or column has."""
        kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
        if any(isinstance(kind, type) and issubclass(kind, Section) for kind in kinds):  # judges its own values
            return value
        inner = [*_scalars(value)]
        if kinds & {int, float} and bool not in kinds and any(isinstance(each, bool) for each in inner):
            raise ValueError("must be a number, not true or false")
        if any(isinstance(each, str) and "\0" in each for each in inner):
            raise ValueError("must not hold a NUL character")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """Returns the types that a value, or what stands in it, may have."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from (*value, *(each for inner in value.values() for each in _scalars(inner)))
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _scalars(inner)
    else:
        yield value
