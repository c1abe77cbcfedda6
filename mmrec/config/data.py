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
"""Stands for ISO 8601 date-times in a list of `strptime` formats."""
_DIRECTIVE = re.compile(r"%(?![aAbBdfGHIjmMpSuUVwWyYzZ%])")  # directives that pandas does not read
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
    """Column of the item's id: a text or a number, unique. In all columns of ids, categories and filters, surrounding
    spaces are ignored and 9.0 reads as 9."""
    text: tuple[str, ...] = Field(default_factory=_default_text)
    """Text columns, the most important first; of each, the first `item.text.max_tokens` tokens are read. A list is
    joined with spaces. Default: title and description for the sample shop. For a catalog of your own, name the columns
    if you use the modality `text`."""
    image: str | None = IMAGE
    """Column of the item's photo: a path under `image_dir`, or the encoded bytes. A cell may hold a list of several (in
    csv a JSON list of paths), see `item.image.max_photos`. Null: no photos are read."""
    image_dir: DataPath | None = None
    """Folder that image paths are relative to. Null: the folder of the catalog file."""
    audio: str | None = None
    """Column of the item's recording, a WAV file: a path under `audio_dir`, or the encoded bytes. The modality `audio`
    reads it."""
    audio_dir: DataPath | None = None
    """Folder that audio paths are relative to. Null: the folder of the catalog file."""
    attributes: Mapping[str, Literal["category", "number", "price"]] = {}
    """Attribute columns and their kinds: `category` (compared as text), `number`, or `price` (a number of at least 0,
    read as log(1 + price)). The modality `attributes` reads them. In an empty cell the item has no value."""
    features: str | None = None
    """Column of ready-made feature vectors, such as embeddings of another model: a list of numbers per item, all of the
    same length (in csv `[0.5, 1]`, or the numbers separated by commas or spaces). The modality `features` reads it.
    With an empty cell the item has no vector."""
    payload: tuple[str, ...] = Field(default_factory=_default_payload)
    """Columns that the export keeps (`mmrec/items.parquet`), to show with an answer; lists stay lists. Default: title
    and category for the sample shop, else the first column of `text`."""
    filters: tuple[FilterColumn, ...] = ()
    """Columns that requests can filter by, such as `category=mug`, compared as text. An item may have several values,
    in a list (in csv a JSON list): `tags=red` keeps the items with `red` among their tags."""
    on_missing_image: Literal["error", "mask"] = "error"
    """What to do when a photo is missing or unreadable: stop with an error, or train the item without it (counted and
    reported)."""
    on_missing_audio: Literal["error", "mask"] = "error"
    """What to do when a recording is missing or unreadable: stop with an error, or train the item without it (counted
    and reported)."""
    on_bad_attribute: Literal["error", "mask"] = "error"
    """What to do with an attribute value that breaks its column's rule, such as a negative price: stop with an error,
    or train the item without it (counted and reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with a row that has no id, or the id of an earlier row: stop with an error, or skip the row (counted
    and reported)."""


class InteractionsConfig(Section):
    """Where the events are and which of them count. `data.interactions: null` means that there are none."""

    path: DataPath = "tfds:mmrec_sample_shop/small-interactions"
    """Table of events (user, item, time), in the formats of `data.catalog.path`."""
    user_id: str = "user_id"
    """Column of the user's id."""
    item_id: str = schema.ID
    """Column of the item's id. The item must be in the catalog (see `on_unknown_item`)."""
    timestamp: str = "timestamp"
    """Column of the time: a number (in any unit, the same in all rows; later is larger) or an ISO 8601 date-time.
    Events of a user at the same time form one basket. Numbers are read as float64: nanoseconds since 1970 that differ
    by less than 256 may become equal."""
    timestamp_format: TimeFormats = ()
    """Format of other date-times, as for Python's `strptime`: '%d/%m/%Y %H:%M', '%b %d, %Y', '%Y-%m-%d %H:%M:%S UTC',
    or '%Y%m%d' for numbers such as 20240131. With a list of formats, the first one that fits reads a time; the list may
    contain `ISO8601` for ISO 8601. Null or empty: times are numbers or ISO 8601."""
    rating: str | None = None
    """Column of a rating, used by `min_rating`."""
    weight: str | None = None
    """Column of event weights, which say how much an event counts as a right answer in training; this may be the rating
    column. The loss is multiplied by the weight and divided by the mean weight. Allowed are numbers from 0 to a million
    times the median of the weights above 0. Null: all events count alike."""
    event: str | None = None
    """Column of the event's type, used by `positive_events`, `negative_events`, `seen_events` and `query.context`."""
    min_rating: float | None = None
    """Lowest rating of a positive event. Events below it are neither history nor right answers, but still count as
    seen. Null: ratings are not read."""
    positive_events: tuple[str, ...] | None = None
    """Event types that are positives. Null: all types but those in `negative_events`."""
    negative_events: tuple[str, ...] = ()
    """Event types such as `return` or `dislike`, which are part of histories but never right answers. They need `event`
    in `query.context`, so that the model can tell them from positives."""
    seen_events: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Event types after which an item is not recommended to the same user again, such as `purchase` if a mere view
    shall not have this effect. Null: all types. Without effect with `retrieval.repeat_consumption`. An export cannot
    tell the event types of a history: unless this list has all types of `positive_events` and `negative_events`, the
    export does not leave out the history by itself, and requests must name the items to leave out in `exclude` (`mmrec
    score` fills it from the events)."""
    on_unknown_item: Literal["error", "skip"] = "error"
    """What to do with events whose item is not in the catalog: stop with an error, or skip them (counted and
    reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with bad rows: stop with an error, or skip them (counted and reported). Bad is a row without a user,
    an item or a readable time; with a date-time in the future; without a readable rating where `min_rating` needs one;
    and, if there is a column of weights, a positive event whose weight is missing or out of range."""

    @property
    def histories_are_seen(self) -> bool:
        """Whether every item of a history counts as seen, whatever the types of its events."""
        if self.seen_events is None:
            return True
        return self.positive_events is not None and {*self.positive_events, *self.negative_events} <= {
            *self.seen_events
        }


class UsersConfig(Section):
    """Where the attributes of users are, and which columns are read."""

    path: DataPath
    """Table of users, one row each, in the formats of `data.catalog.path`. Users that are not in it have no
    attributes."""
    user_id: str = "user_id"
    """Column of the user's id, unique."""
    attributes: Annotated[Mapping[str, Literal["category", "number", "price"]], Field(min_length=1)]
    """Attribute columns and their kinds, as in `data.catalog.attributes`. The widths are those in `item.attributes`."""
    on_bad_attribute: Literal["error", "mask"] = "error"
    """What to do with an attribute value that breaks its column's rule: stop with an error, or train the user without
    it (counted and reported)."""
    on_bad_row: Literal["error", "skip"] = "error"
    """What to do with a row that has no id, or the id of an earlier row: stop with an error, or skip the row (counted
    and reported)."""


class SplitConfig(Section):
    """How events are divided into train, validation and test."""

    kind: Literal["time", "leave_last_out"] = "time"
    """`time`: two cuts in time, the same for all users, separate train, validation and test. `leave_last_out`: of each
    user with at least three baskets (positive events at three different times), the last basket is test and the one
    before it validation."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    """Share of the events that are validation: those between the two time cuts (`time` only)."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    """Share of the events that are test: those after the second time cut (`time` only)."""


class DataConfig(Section):
    """The input tables, how they are split, and where computed features are cached."""

    catalog: CatalogConfig = CatalogConfig()
    interactions: InteractionsConfig | None = InteractionsConfig()
    """Events of users. Null: there are none, and training is not possible yet."""
    users: UsersConfig | None = None
    """Attributes of users. Null: only events describe a user."""
    split: SplitConfig = SplitConfig()
    tfds_dir: Annotated[str, PathMark()] | None = None
    """Folder of prepared TFDS data sets. Null: TFDS's default folder."""
    cache_dir: ResultPath = "runs/cache"
    """Folder for computed features of photos, recordings and texts. All runs share it; it is safe to delete."""
