"""The config of the input tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mmrec import schema
from mmrec.config.section import DataPath, PathMark, ResultPath, Section
from mmrec.modalities.names import IMAGE, TEXT

FilterColumn = Annotated[str, Field(pattern=r"^[^=]+$")]
SAMPLE_ITEMS = "tfds:mmrec_sample_shop/small-items"


def _default_text(catalog: Mapping[str, Any]) -> tuple[str, ...]:
    sample = catalog.get("path", SAMPLE_ITEMS).startswith("tfds:mmrec_sample_shop/")
    return ("title", "description") if sample else ()


def _default_payload(catalog: Mapping[str, Any]) -> tuple[str, ...]:
    return ("title", "category") if _default_text(catalog) else catalog.get(TEXT, ())[:1]


ISO = "ISO8601"
"""Stands among `strptime` formats for ISO 8601 date-times."""
_DIRECTIVE = re.compile(r"%(?![aAbBdfGHIjmMpSuUVwWyYzZ%])")  # what pandas does not read
_SOME_TIME = datetime(2001, 2, 3, 16, 5, 6, tzinfo=UTC)


def _time_format(form: str) -> str:
    try:
        fits = datetime.strptime(_SOME_TIME.strftime(form), form).year == _SOME_TIME.year
    except (ValueError, re.error):
        fits = False
    if form != ISO and (not fits or _DIRECTIVE.search(form)):
        raise ValueError(f"must be a `strptime` format with a year, such as '%d/%m/%Y %H:%M', or {ISO}")
    return form


def _listed(formats: Any) -> Any:
    return [formats] if isinstance(formats, str) else () if formats is None else formats


TimeFormats = Annotated[
    tuple[Annotated[str, AfterValidator(_time_format)], ...],
    BeforeValidator(_listed, json_schema_input_type=str | tuple[str, ...] | None),
]


class CatalogConfig(Section):
    """Where the items are and which of their columns are read."""

    path: DataPath = SAMPLE_ITEMS
    """Table of items, one row each: .csv, .csv.gz, .parquet, .jsonl, .jsonl.gz, or `tfds:NAME[/CONFIG][:SPLIT]`."""
    item_id: str = schema.ID
    """Column of the item's id, a text or number, unique. Space around it does not count, and whole numbers written as
    9.0 are 9, as in all columns of ids, categories and filters."""
    text: tuple[str, ...] = Field(default_factory=_default_text)
    """Text columns, most telling first; each is tokenised to at most `item.text.max_tokens` tokens. Lists are joined by
    spaces. By default those of the sample shop, title and description; a catalog of your own has to name them where the
    modality `text` is used."""
    image: str | None = IMAGE
    """Column of the item's photo: a path under `image_dir`, or the encoded bytes; or a list of them (in csv a JSON list
    of paths), see `item.image.max_photos`. Null: no photos are read."""
    image_dir: DataPath | None = None
    """Folder that image paths are relative to. Null: the folder of the catalog file."""
    audio: str | None = None
    """Column of the item's recording, a WAV file: a path under `audio_dir`, or the encoded bytes; read by the modality
    `audio`."""
    audio_dir: DataPath | None = None
    """Folder that recordings' paths are relative to. Null: the folder of the catalog file."""
    attributes: Mapping[str, Literal["category", "number", "price"]] = {}
    """Attribute columns and what they hold, read by the modality `attributes`: `category` (compared as text), `number`,
    or `price` (a number of at least 0, read by its logarithm). Empty: the item has none."""
    features: str | None = None
    """Column of ready-made feature vectors, such as another model's embeddings: a list of numbers per item, all of one
    length (in csv `[0.5, 1]`, or with commas or spaces); read by the modality `features`. Empty: the item has none."""
    payload: tuple[str, ...] = Field(default_factory=_default_payload)
    """Columns that travel with the export (`mmrec/items.parquet`), to show beside an answer; lists stay lists. By
    default the first of `text`; of the sample shop title and category."""
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
    """Where the events are and which of them count; `data.interactions: null` says that there are none."""

    path: DataPath = "tfds:mmrec_sample_shop/small-interactions"
    """Table of (user, item, time) events, in the formats of `data.catalog.path`."""
    user_id: str = "user_id"
    """Column of the user's id."""
    item_id: str = schema.ID
    """Column of the item's id; must be in the catalog (see `on_unknown_item`)."""
    timestamp: str = "timestamp"
    """Column of the time: a number (any unit, the same in all rows; later is larger) or an ISO 8601 date-time. Equal
    times are one basket. Numbers keep 53 bits: nanoseconds since 1970 that differ by less than 256 may be equal."""
    timestamp_format: TimeFormats = ()
    """How date-times of another form are written, as `strptime` takes it: '%d/%m/%Y %H:%M', '%b %d, %Y',
    '%Y-%m-%d %H:%M:%S UTC', or '%Y%m%d' for numbers such as 20240131. A list of formats: the first that fits reads a
    time; `ISO8601` among them stands for ISO 8601. Null: times are numbers or ISO 8601."""
    rating: str | None = None
    """Column of a rating, used by `min_rating`."""
    weight: str | None = None
    """Column of how much an event counts as a training answer, a number from 0 to a million times the median of those
    above 0; may be that of the rating. The loss is weighted by it, divided by its mean. Null: all count alike."""
    event: str | None = None
    """Column of the event's type, used by `positive_events`, `negative_events`, `seen_events` and `query.context`."""
    min_rating: float | None = None
    """Events rated below this are not positives: neither history nor answer, but still counted as seen."""
    positive_events: tuple[str, ...] | None = None
    """Event types that are positives. Null: all of them but `negative_events`."""
    negative_events: tuple[str, ...] = ()
    """Event types such as `return` or `dislike` that histories hold and that are never answers; needs `event` in
    `query.context`, by which the model tells them apart."""
    seen_events: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Event types that keep their item from being recommended to the user again, such as `purchase` where views shall
    not. Null: all of them. Without effect where `retrieval.repeat_consumption` is set. An export cannot tell the types
    of a history's items: unless all of `positive_events` and `negative_events` are named here, it does not leave out
    the history by itself, and `exclude` must name what a user had (`mmrec score` fills it from events)."""
    on_unknown_item: Literal["error", "skip"] = "error"
    """What to do with events whose item the catalog lacks: stop, or skip them (counted, reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with rows lacking a user, an item, a readable time that is not in the future, or a readable
    rating where `min_rating` reads it; and with positives lacking a weight where there is a column of it, or with an
    outsized one: stop, or skip them (counted, reported)."""

    @property
    def histories_are_seen(self) -> bool:
        """Whether every event of a history keeps its item from being recommended."""
        if self.seen_events is None:
            return True
        return self.positive_events is not None and {*self.positive_events, *self.negative_events} <= {
            *self.seen_events
        }


class UsersConfig(Section):
    """Where more is known of users, and which columns are read."""

    path: DataPath
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
    """`time`: two global cuts; `leave_last_out`: of each user with three baskets (positive events at three different
    times) or more, the whole last basket is test, the one before it validation."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    """Share of the events between the two time cuts (`time` only)."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    """Share of the events after the second time cut (`time` only)."""


class DataConfig(Section):
    """The input tables, their split, and where derived features are kept."""

    catalog: CatalogConfig = CatalogConfig()
    interactions: InteractionsConfig | None = InteractionsConfig()
    """What users took. Null: a shop without events, which cannot be trained yet."""
    users: UsersConfig | None = None
    """What is known of users beside their events. Null: nothing."""
    split: SplitConfig = SplitConfig()
    tfds_dir: Annotated[str, PathMark()] | None = None
    """Folder of prepared TFDS data sets. Null: TFDS's own default."""
    cache_dir: ResultPath = "runs/cache"
    """Folder of computed features of photos, recordings and texts, shared by all runs; safe to delete."""
