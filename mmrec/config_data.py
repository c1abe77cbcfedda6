"""The config of the input tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mmrec.config_section import LocalPath, Section

FilterColumn = Annotated[str, Field(pattern=r"^[^=]+$")]


class CatalogConfig(Section):
    """Where the items are and which of their columns are read."""

    path: LocalPath = "tfds:mmrec_sample_shop/small-items"
    """Table of items, one row each: .csv, .csv.gz, .parquet, .jsonl, .jsonl.gz, or `tfds:NAME[/CONFIG][:SPLIT]`."""
    item_id: str = "item_id"
    """Column of the item's id, a text or number, unique. Space around it does not count, and whole numbers written as
    9.0 are 9, as in all columns of ids, categories and filters."""
    text: tuple[str, ...] = ("title", "description")
    """Text columns, most telling first; each is tokenised to at most `item.text.max_tokens` tokens. Lists are joined by
    spaces."""
    image: str | None = "image"
    """Column of the item's photo: a path under `image_dir`, or the encoded bytes; or a list of them (in csv a JSON list
    of paths), see `item.image.max_photos`. Null: no photos are read."""
    image_dir: LocalPath | None = None
    """Folder that image paths are relative to. Null: the folder of the catalog file."""
    audio: str | None = None
    """Column of the item's recording, a WAV file: a path under `audio_dir`, or the encoded bytes; read by the modality
    `audio`."""
    audio_dir: LocalPath | None = None
    """Folder that recordings' paths are relative to. Null: the folder of the catalog file."""
    attributes: Mapping[str, Literal["category", "number", "price"]] = {}
    """Attribute columns and what they hold, read by the modality `attributes`: `category` (compared as text), `number`,
    or `price` (a number of at least 0, read by its logarithm). Empty: the item has none."""
    features: str | None = None
    """Column of ready-made feature vectors, such as another model's embeddings: a list of numbers per item, all of one
    length (in csv `[0.5, 1]`, or with commas or spaces); read by the modality `features`. Empty: the item has none."""
    payload: tuple[str, ...] = ("title", "category")
    """Columns that travel with the export (`mmrec/items.parquet`), to show beside an answer; lists stay lists."""
    filters: tuple[FilterColumn, ...] = ()
    """Columns that answers can be restricted by, such as `category=mug`, compared as text. An item may have several
    values, a list (in csv a JSON list): `tags=red` asks that one of them is `red`."""
    on_missing_image: Literal["error", "mask"] = "error"
    """What to do when a named photo is absent or unreadable: stop, or train the item without it (counted, reported)."""
    on_missing_audio: Literal["error", "mask"] = "error"
    """The same for a recording."""
    on_bad_attribute: Literal["error", "mask"] = "error"
    """What to do with an attribute that breaks its column's rule, such as a negative price: stop, or train the item
    without it (counted, reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with rows without an id or with an id seen before: stop, or skip them (counted, reported)."""


class InteractionsConfig(Section):
    """Where the events are and which of them count."""

    path: LocalPath = "tfds:mmrec_sample_shop/small-interactions"
    """Table of (user, item, time) events, in the formats of `data.catalog.path`."""
    user_id: str = "user_id"
    """Column of the user's id."""
    item_id: str = "item_id"
    """Column of the item's id; must be in the catalog (see `on_unknown_item`)."""
    timestamp: str = "timestamp"
    """Column of the time: a number (any unit, later is larger) or an ISO 8601 date-time. Equal times are one basket."""
    rating: str | None = None
    """Column of a rating, used by `min_rating`."""
    weight: str | None = None
    """Column of how much an event counts as a training answer, a number of at least 0; may be that of the rating. The
    loss is weighted by it, divided by its mean. Null: all count alike."""
    event: str | None = None
    """Column of the event's type, used by `positive_events`, `negative_events` and `query.context`."""
    min_rating: float | None = None
    """Events rated below this are not positives: neither history nor answer, but still counted as seen."""
    positive_events: tuple[str, ...] | None = None
    """Event types that are positives. Null: all of them but `negative_events`."""
    negative_events: tuple[str, ...] = ()
    """Event types such as `return` or `dislike` that histories hold and that are never answers; needs `event` in
    `query.context`, by which the model tells them apart."""
    on_unknown_item: Literal["error", "skip"] = "error"
    """What to do with events whose item the catalog lacks: stop, or skip them (counted, reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with rows lacking a user, an item, a readable time that is not in the future, or a readable
    rating where `min_rating` reads it; and with positives lacking a weight where there is a column of it: stop, or skip
    them (counted, reported)."""


class UsersConfig(Section):
    """Where more is known of users, and which columns are read."""

    path: LocalPath
    """Table of users, one row each, in the formats of `data.catalog.path`. Of users that it lacks nothing is known."""
    user_id: str = "user_id"
    """Column of the user's id, unique."""
    attributes: Annotated[Mapping[str, Literal["category", "number", "price"]], Field(min_length=1)]
    """Columns and what they hold, as in `data.catalog.attributes`; `item.attributes` has the widths."""
    on_bad_attribute: Literal["error", "mask"] = "error"
    """What to do with an attribute that breaks its column's rule: stop, or train the user without it (counted,
    reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with rows without an id or with an id seen before: stop, or skip them (counted, reported)."""


class SplitConfig(Section):
    """How events are divided into train, validation and test."""

    kind: Literal["time", "leave_last_out"] = "time"
    """`time`: two global cuts; `leave_last_out`: each user's last event is test, the one before it validation."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    """Share of the events between the two time cuts (`time` only)."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    """Share of the events after the second time cut (`time` only)."""


class DataConfig(Section):
    """The input tables, their split, and where derived features are kept."""

    catalog: CatalogConfig = CatalogConfig()
    interactions: InteractionsConfig = InteractionsConfig()
    users: UsersConfig | None = None
    """What is known of users beside their events. Null: nothing."""
    split: SplitConfig = SplitConfig()
    tfds_dir: str | None = None
    """Folder of prepared TFDS data sets. Null: TFDS's own default."""
    cache_dir: LocalPath = "runs/cache"
    """Folder of computed features of photos, recordings and texts, shared by all runs; safe to delete."""
