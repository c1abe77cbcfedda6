"""The config: one frozen, typed tree that says everything a run depends on.

The text under a field gives its meaning and unit. These texts are also the descriptions in the JSON schema
(`Config.json_schema`) and on the reference page. `Config.load` builds a config from a YAML file, a dict or keyword
arguments.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from mmrec.config.data import SAMPLE_ITEMS, DataConfig
from mmrec.config.evaluation import EvaluationConfig
from mmrec.config.export import ExportConfig
from mmrec.config.item import ItemConfig
from mmrec.config.problems import explain
from mmrec.config.query import QueryConfig
from mmrec.config.retrieval import RetrievalConfig
from mmrec.config.section import PathMark, ResultPath, Section, marked_paths
from mmrec.config.source import read_values
from mmrec.config.training import TrainingConfig
from mmrec.errors import InputError
from mmrec.modalities.names import ITEM_ID, TEXT, find_modality, modality_classes


class Config(Section):
    """Everything a run depends on. `Config()` trains on the built-in sample shop."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = "sample_shop"
    """Name of the model, and of the folders of its runs and exports."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of all random numbers."""
    runs_dir: ResultPath = "runs"
    """Folder for runs, each in a folder of its own: `<runs_dir>/<name>/<number>`."""
    saved_models_dir: ResultPath = "saved_models"
    """Folder for exports, each version in a folder of its own: `<saved_models_dir>/<name>/<version>`."""
    data: DataConfig = DataConfig()
    item: ItemConfig = ItemConfig()
    query: QueryConfig = QueryConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()

    @model_validator(mode="after")
    def _modalities_to_align(self) -> Config:
        if self.retrieval.alignment and len(self.item.modalities) < 2:
            raise ValueError(
                f"`retrieval.alignment` needs at least two `item.modalities`, not {list(self.item.modalities)}. "
                "Set it to 0, or name another modality"
            )
        return self

    @model_validator(mode="after")
    def _own_catalog(self) -> Config:
        """Refuses another catalog without its own events and text columns; their defaults are the sample shop's."""
        catalog, events = self.data.catalog, self.data.interactions
        if catalog.path == SAMPLE_ITEMS:
            return self
        if events and "path" not in events.model_fields_set:
            raise ValueError(
                "`data.interactions.path` must be given with `data.catalog.path`. Name your table of events, or set "
                "`data.interactions: null` if there is none"
            )
        if TEXT in self.item.modalities and not catalog.text and TEXT not in catalog.model_fields_set:
            raise ValueError(
                "`data.catalog.text` must be given with `data.catalog.path`. Name the text columns of your catalog, "
                "for example [title], or leave `text` out of `item.modalities`"
            )
        return self

    @model_validator(mode="after")
    def _context_has_its_columns(self) -> Config:
        events = self.data.interactions
        if "event" in self.query.context and not (events and events.event):
            raise ValueError("`query.context: [event]` needs a column: name it in `data.interactions.event`")
        if events is None:
            return self
        if events.negative_events and "event" not in self.query.context:
            raise ValueError(
                "`data.interactions.negative_events` would be read like positive ones: put `event` in `query.context`"
            )
        if events.negative_events and self.retrieval.neighbours:
            raise ValueError(
                "`retrieval.neighbours` counts every event of a history as positive. Set it to 0, or leave "
                "`data.interactions.negative_events` empty"
            )
        return self

    @model_validator(mode="after")
    def _neighbours_by_id(self) -> Config:
        if self.retrieval.neighbours and ITEM_ID not in self.item.modalities:
            raise ValueError("`retrieval.neighbours` needs `item_id` among `item.modalities`")
        return self

    @property
    def leaves_out_history(self) -> bool:
        """Whether `recommend` leaves out the items of the history by itself."""
        events = self.data.interactions
        return (events is None or events.histories_are_seen) and not self.retrieval.repeat_consumption

    @classmethod
    def load(
        cls, source: Config | Mapping[str, Any] | str | os.PathLike[str] = MappingProxyType({}), /, **overrides: Any
    ) -> Config:
        """Reads a config and applies overrides.

        Relative paths of data start at the folder of the config file, in the file and in overrides alike; without a
        file, at the working directory. Relative paths of results always start at the working directory (`runs_dir`,
        `saved_models_dir`, `data.cache_dir`). In all of them `~` is the home folder.

        Args:
          source: a `Config`, a dict, or the path of a YAML or JSON file. In a file, and in paths everywhere,
            `${NAME:-default}` is replaced by the environment variable NAME. A file must not repeat a key.
          **overrides: values by dotted key or nested dict, e.g. `name="x"`, `training={"epochs": 3}`,
            `**{"training.epochs": 3}`. They win over the source, and later ones over earlier ones.

        Returns:
          The checked config.

        Raises:
          InputError: naming the key, the rule, what was received and the nearest known key.

        >>> Config.load({"name": "mugs"}, training={"epochs": 3}).training.epochs
        3
        """
        where = str(source) if isinstance(source, str | os.PathLike) else "config"
        values = read_values(source, overrides, _paths)
        try:
            config = cls.model_validate(values)
        except ValidationError as error:
            raise InputError(*explain(cls, where, error.errors())) from None
        if any(":" in name for name in config.item.modalities) or config.item.custom:
            for modality in modality_classes(config).values():
                modality.settings(config, where)
        return config

    def to_yaml(self) -> str:
        """Returns the whole config, defaults included, as YAML that `load` reads back to an equal config."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @classmethod
    def json_schema(cls) -> dict:
        """Returns the JSON schema (draft 2020-12) of the config file, for editors."""
        return cls.model_json_schema()


def _paths(values: Mapping[str, Any]) -> Iterator[tuple[str, PathMark]]:
    """Yields the dotted keys of all paths in a config, including those in `item.custom`, with their marks."""
    yield from marked_paths(Config)
    item = values.get("item")
    names = item.get("modalities") if isinstance(item, Mapping) else None
    for name in names if isinstance(names, list | tuple) else ():
        if isinstance(name, str) and ":" in name:
            modality = find_modality(name)
            yield from marked_paths(modality.Settings, f"item.custom.{modality.name}.")
