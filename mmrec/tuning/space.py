"""Reads the space of a search: config keys and their values."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmrec.config import Config
from mmrec.config.source import read_values
from mmrec.errors import InputError
from mmrec.jobs.build import check_classes

_RANGE = ("low", "high", "log", "step")
_FORM = "Give a list of values, or {low: .., high: ..} with `log: true` or `step: ..`."


@dataclass(frozen=True)
class Choice:
    """A list of values to choose from, of any type that a config can hold."""

    values: tuple

    def draw(self, trial: Any, key: str) -> Any:
        """Lets an Optuna trial choose a value."""
        return json.loads(trial.suggest_categorical(key, [json.dumps(value) for value in self.values]))

    @property
    def extremes(self) -> tuple:
        """The values to check against the config: all of them."""
        return self.values


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included.

    Attributes:
      low: the smallest value; when it is an int, only whole numbers are drawn.
      high: the largest value.
      log: draw evenly on a logarithmic scale.
      step: the distance between neighbouring values; None: any value between the ends.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def draw(self, trial: Any, key: str) -> float:
        """Lets an Optuna trial choose a value."""
        if isinstance(self.low, int):
            return trial.suggest_int(key, self.low, self.high, step=self.step or 1, log=self.log)
        return trial.suggest_float(key, self.low, self.high, step=self.step, log=self.log)

    @property
    def extremes(self) -> tuple:
        """The values to check against the config: both ends."""
        return self.low, self.high


@dataclass(frozen=True)
class Space:
    """The values that a search may try.

    Attributes:
      dimensions: the values of each dotted config key, sorted by key.
      modalities: every value that `item.modalities` can take in the search.
    """

    dimensions: Mapping[str, Choice | Range]
    modalities: frozenset[tuple[str, ...]]

    def draw(self, trial: Any) -> dict[str, Any]:
        """Lets an Optuna trial choose a value for each key."""
        return {key: dimension.draw(trial, key) for key, dimension in self.dimensions.items()}


def read_space(source: Mapping[str, Any] | str | os.PathLike[str], config: Config) -> Space:
    """Reads a search space and checks each key and value against the config's own rules, one at a time.

    Args:
      source: a YAML or JSON file, or a dict: dotted config keys to a list of values or to {low, high, log, step}.
      config: the config whose values are replaced.

    Raises:
      InputError: the space cannot be read, or a key or value in it is not allowed.
    """
    where = str(source) if isinstance(source, str | os.PathLike) else "space"
    settings = read_values(source, {})
    if not settings:
        raise InputError(f"{where}: must hold at least one config key to search. {_FORM}")
    dimensions, modalities = {}, {config.item.modalities}
    for key in sorted(settings, key=str):
        dimension = _dimension(f"{where}: `{key}`", settings[key])
        tried = [_with(where, config, key, value) for value in dimension.extremes]
        dimensions[key] = _typed(f"{where}: `{key}`", dimension, _value(tried[0], key))
        modalities |= {one.item.modalities for one in tried}
    return Space(dimensions, frozenset(modalities))


def _dimension(where: str, setting: Any) -> Choice | Range:
    if isinstance(setting, Sequence) and not isinstance(setting, str) and len(setting):
        return Choice(tuple(setting))
    if not isinstance(setting, Mapping) or not {"low", "high"} <= set(setting) <= set(_RANGE):
        raise InputError(f"{where}: must be values to choose from. {_FORM} Received: {setting!r}.")
    low, high, step = (_number(setting.get(name)) for name in ("low", "high", "step"))
    log = setting.get("log")
    if not _is_number(low) or not _is_number(high) or not low < high:
        raise InputError(f"{where}: `low` must be a number below `high`. Received: {low!r} and {high!r}.")
    if log not in (None, True, False) or (log and (low <= 0 or step is not None)):
        raise InputError(f"{where}: `log: true` needs a `low` above 0 and no `step`. Received: {dict(setting)!r}.")
    if step is not None and not (_is_number(step) and 0 < step <= high - low):
        raise InputError(f"{where}: `step` must be a number above 0, at most high - low. Received: {step!r}.")
    return Range(low, high, bool(log), step)


def _typed(where: str, dimension: Choice | Range, value: Any) -> Choice | Range:
    """Gives a range the number type, int or float, of the config's value."""
    if isinstance(dimension, Choice):
        return dimension
    if isinstance(value, float):
        step = None if dimension.step is None else float(dimension.step)
        return Range(float(dimension.low), float(dimension.high), dimension.log, step)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{where}: is not a number, so it cannot have a range. Give a list of values.")
    whole = [number for number in (dimension.low, dimension.high, dimension.step) if number is not None]
    if any(number != int(number) for number in whole):
        raise InputError(f"{where}: holds whole numbers. Received: {', '.join(map(str, whole))}.")
    return Range(int(dimension.low), int(dimension.high), dimension.log, dimension.step and int(dimension.step))


def _with(where: str, config: Config, key: Any, value: Any) -> Config:
    if not isinstance(key, str):
        raise InputError(f"{where}: must hold dotted config keys, such as training.learning_rate. Received: {key!r}.")
    try:
        changed = Config.load(config, **{key: value})
        check_classes(changed)
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix('config: ')}") from None
    if _judged_by(changed) != _judged_by(config):
        raise InputError(
            f"{where}: `{key}`: cannot be searched: trials must be judged on the same data in the same way. "
            "Keys of `item`, `query`, `retrieval` (but `repeat_consumption`) and `training` can."
        )
    return changed


def _judged_by(config: Config) -> dict:
    """Returns the settings that must be the same in all trials."""
    kept = config.model_dump(exclude={"item", "query", "retrieval", "training"})
    return kept | {"repeat": config.retrieval.repeat_consumption}


def _value(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return value


def _number(value: Any) -> Any:
    """Converts a text such as 1e-3, which YAML does not read as a number; returns anything else unchanged."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
