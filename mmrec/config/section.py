"""The base class of all config sections, and types of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator


def _local(path: str | None) -> str | None:
    scheme, separator, _ = (path or "").partition("://")
    if separator:
        raise ValueError(f"must be a local path: `{scheme}://` is not read or written. Copy the data to a local folder")
    return path


@dataclass(frozen=True)
class PathMark:
    """Marks a type as a path, so that `Config.load` can resolve it in any section.

    Attributes:
      is_result: whether a relative path starts at the working directory; otherwise at the folder of the config file.
      is_name: value -> whether it is not a path but a name, such as that of a preset.
    """

    is_result: bool = False
    is_name: Callable[[str], bool] = lambda value: False


DataPath = Annotated[str, AfterValidator(_local), PathMark()]
"""A path of data on this machine; a relative one starts at the folder of the config file."""
ResultPath = Annotated[str, AfterValidator(_local), PathMark(is_result=True)]
"""A path of results on this machine; a relative one starts at the working directory."""
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]


class Section(BaseModel):
    """Base class of every section of the config: immutable, and strict about unknown keys and types of values."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _no_strange_value(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuses what pydantic accepts: true as 1, whole numbers beyond int32, and NUL characters."""
        kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
        if any(isinstance(kind, type) and issubclass(kind, Section) for kind in kinds):  # checks its own values
            return value
        parts = _parts(value)
        if kinds & {int, float} and bool not in kinds and any(isinstance(part, bool) for part in parts):
            raise ValueError("must be a number, not true or false")
        if int in kinds and float not in kinds and any(isinstance(part, int) and part >= 2**31 for part in parts):
            raise ValueError(f"must be at most {2**31 - 1:,}")
        if any(isinstance(part, str) and "\0" in part for part in parts):
            raise ValueError("must not hold a NUL character")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """Returns all types named in an annotation: that of the value, and those of its elements."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))


def _parts(value: Any) -> list[Any]:
    """Returns the elements of a list, or the keys and values of a mapping; no value of a config is nested deeper."""
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return [*value] if isinstance(value, list | tuple | set | frozenset) else [value]


def marked_paths(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, PathMark]]:
    """Yields the dotted keys of the paths in a section and in those inside it, with their marks."""
    for name, field in section.model_fields.items():
        for mark in _marks(field.annotation) + [one for one in field.metadata if isinstance(one, PathMark)]:
            yield prefix + name, mark
        for kind in _kinds(field.annotation):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield from marked_paths(kind, f"{prefix}{name}.")


def _marks(annotation: Any) -> list[PathMark]:
    own = [one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, PathMark)]
    return own + [mark for inner in get_args(annotation) for mark in _marks(inner)]
