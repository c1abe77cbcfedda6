"""Makes the interface of a version, as its manifest states it, from the config that it was trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmrec import schema
from mmrec.config import Config
from mmrec.config.data import CatalogConfig
from mmrec.manifest import EventRules, Files, Interface
from mmrec.schema import Field


def stated_interface(
    config: Config,
    fields: Sequence[Field],
    filters: Mapping[str, object],
    notes: Sequence[str],
    item_id: str | None = None,
) -> Interface:
    """Makes the interface of a version.

    Args:
      config: the config of the training; its catalog is the one that the version was made from.
      fields: the raw inputs of an item.
      filters: values by filter column, as the version calls it; only the names are used.
      notes: sentences about what the model reads.
      item_id: the version's name for the column of item ids; None: that of the catalog.
    """
    ids = (item_id, schema.ID, config.data.catalog.item_id) if item_id else (config.data.catalog.item_id, schema.ID)
    return Interface(
        fields=tuple(fields),
        filters=tuple(filters),
        id_columns=tuple(dict.fromkeys(ids)),
        files={field.input: _files(config.data.catalog, field) for field in fields if field.kind == "bytes"},
        events=_event_rules(config),
        max_length=config.query.max_length,
        notes=tuple(notes),
    )


def _files(catalog: CatalogConfig, field: Field) -> Files:
    settings: Mapping[str, Any] = dict(catalog)
    folder = settings.get(f"{field.modality}_dir")
    return Files(folder, settings.get(f"on_missing_{field.modality}") == "mask")


def _event_rules(config: Config) -> EventRules:
    rules = config.data.interactions
    if rules is None:
        return EventRules(repeat=config.retrieval.repeat_consumption)
    kinds = None if rules.positive_events is None else (*rules.positive_events, *rules.negative_events)
    typed = kinds is not None or rules.negative_events or rules.seen_events or "event" in config.query.context
    return EventRules(
        user=rules.user_id,
        item=rules.item_id,
        time=rules.timestamp,
        event=rules.event if typed else None,
        rating=rules.rating if rules.min_rating is not None else None,
        min_rating=rules.min_rating,
        kinds=kinds,
        negative=rules.negative_events,
        seen=rules.seen_events,
        all_seen=rules.histories_are_seen,
        repeat=config.retrieval.repeat_consumption,
        formats=rules.timestamp_format,
    )
