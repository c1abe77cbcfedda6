"""What the manifest of an export says about its inputs, so that serving never reads the config of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mmrec.schema import ID, Field


@dataclass(frozen=True)
class Input:
    """An input of a signature.

    Attributes:
      dtype: the name of its type, such as `string`.
      shape: None where any length will do; the first dimension is the batch.
    """

    dtype: str
    shape: Sequence[int | None]


@dataclass(frozen=True)
class Files:
    """Where the files of an input were in training.

    Attributes:
      folder: the folder that relative paths start from; None: the folder of the table.
      mask: whether an absent file counts as missing; otherwise it is an error.
    """

    folder: str | None = None
    mask: bool = False


@dataclass(frozen=True)
class EventRules:
    """How training read events, and which events exclude their items from the answers.

    Attributes:
      user, item, time: the columns of the user, the item and the time.
      event: column of the event type; None: not read.
      rating: column of the rating; None: not read.
      min_rating: events rated lower are not history; None: the rating does not matter.
      kinds: event types that are history; None: all.
      negative: types among `kinds` that are history whatever their rating.
      seen: event types that exclude their item from the answers; None: all.
      all_seen: whether every event of a history excludes its item from the answers.
      repeat: whether answers may repeat items that the user already had.
      formats: formats of date-times, see `data.interactions.timestamp_format`.
    """

    user: str = "user_id"
    item: str = ID
    time: str = "timestamp"
    event: str | None = None
    rating: str | None = None
    min_rating: float | None = None
    kinds: Sequence[str] | None = None
    negative: Sequence[str] = ()
    seen: Sequence[str] | None = None
    all_seen: bool = True
    repeat: bool = False
    formats: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        named = (self.user, self.item, self.time, self.event, self.rating)
        return list(dict.fromkeys(name for name in named if name))


@dataclass(frozen=True)
class Interface:
    """What an export reads.

    Attributes:
      fields: the raw inputs of an item.
      filters: columns that answers can be filtered by.
      id_columns: possible names of the column of item ids, likeliest first.
      files: where files are, by the input that reads them.
      events: how events become histories.
      max_length: how many of the most recent items of a history are read.
      notes: sentences about what the model reads, for its users.
    """

    fields: Sequence[Field]
    filters: Sequence[str]
    id_columns: Sequence[str]
    files: Mapping[str, Files]
    events: EventRules
    max_length: int
    notes: Sequence[str] = ()

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Interface:
        """Reads what `stated` wrote."""
        return cls(
            tuple(Field(**one) for one in manifest["fields"]),
            tuple(manifest["filters"]),
            tuple(manifest["id_columns"]),
            {name: Files(**one) for name, one in manifest["files"].items()},
            EventRules(**manifest["events"]),
            manifest["max_length"],
            tuple(manifest["notes"]),
        )

    def stated(self) -> dict[str, Any]:
        """Returns the entries of a manifest as plain values that JSON can hold."""
        return asdict(self)


def read_inputs(manifest: Mapping[str, Any], signature: str) -> dict[str, Input]:
    """Returns the inputs of a signature by name, as the manifest has them."""
    return {name: Input(**one) for name, one in manifest["inputs"][signature].items()}
