"""Loads an export and asks it; needs no catalog, no training data and none of the model's code."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, overload

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.errors import InputError, nearest
from mmrec.manifest import Interface, read_inputs
from mmrec.process import refuse_fork
from mmrec.serving.context import Context, context_inputs
from mmrec.serving.filters import FilterValues
from mmrec.serving.item_columns import graph_readable_photos, item_columns
from mmrec.serving.loading import load_export
from mmrec.serving.questions import (
    Filter,
    as_tensor,
    filter_rows,
    for_each,
    padded_ids,
    rows_for,
    signature_inputs,
    strings,
)
from mmrec.serving.verify import read_manifest, verify_files
from mmrec.values import Spellings
from mmrec.vectors import LISTS, is_nothing


class Answers(NamedTuple):
    """Items for B questions.

    Attributes:
      item_ids: str objects [B, K], best first; "" where there are fewer.
      scores: float32 [B, K]; the lowest finite float32 beside "".
    """

    item_ids: np.ndarray
    scores: np.ndarray


class Recommender:
    """An export, ready to answer. Get one with `mmrec.load`.

    Args:
      export_dir: `saved_models/<name>/<version>`.
      verify: whether every file is compared with its checksum; a version of 1 GB takes about a second.

    Attributes:
      manifest: format version, package versions, config, metrics, signatures, checksums, and what the export reads.
      interface: what it reads, see `mmrec.manifest`.
      items: pandas table, one row per item: item_id, digest and the payload columns.
      spellings: finds items by their ids however they are spelt, from 0 in the order of `items`.

    Raises:
      InputError: the folder is no export, of a newer format, or not as it was exported.
    """

    def __init__(self, export_dir: str | os.PathLike, verify: bool = True):
        self.path = Path(export_dir)
        self.manifest = read_manifest(self.path)
        if verify:
            verify_files(self.path, self.manifest["sha256"])
        self.interface = Interface.of(self.manifest)
        self.items, self._loaded = load_export(self.path, self.manifest)
        self._payload = self.items.set_index(schema.ID).drop(columns="digest")
        self.spellings = Spellings(self.items[schema.ID])
        self._filters = FilterValues(self.items)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Recommender cannot be pickled. Send its `path` to the other process, and load it there.")

    @property
    def _model(self) -> tf.Module:
        """What TensorFlow loaded, for all that asks it."""
        refuse_fork()
        return self._loaded

    @property
    def signatures(self) -> Sequence[str]:
        """Names of the serving functions that the export has."""
        return sorted(self.manifest["inputs"])

    @property
    def item_table(self) -> np.ndarray:
        """float32 [N + 1, D], the item embeddings; row i + 1 belongs to `items.iloc[i]`, row 0 is padding."""
        index = self._model.index
        held = index.table if hasattr(index, "table") else index.embeddings()  # earlier exports hold a table
        return np.asarray(held)

    @property
    def filter_columns(self) -> Sequence[str]:
        """Columns that answers can be restricted by; `items` shows their values."""
        return list(self.interface.filters)

    @property
    def context_inputs(self) -> Mapping[str, tf.TensorSpec]:
        """What the export reads beside a history, by name; empty for most."""
        return {name: one for name, one in self.inputs(schema.EMBED_QUERY).items() if name != "history"}

    def describe(self, item_id: str) -> str:
        """Returns an item's id and payload in one line.

        Args:
          item_id: of an item of the export; of another one there is the id alone.
        """
        rows = self._payload.loc[[item_id]] if item_id in self._payload.index else self._payload.head(0)
        values = rows.iloc[0] if len(rows) else []
        shown = [", ".join(map(str, value)) if isinstance(value, LISTS) else str(value) for value in values]
        filled = [text for text, value in zip(shown, values, strict=True) if not is_nothing(value) and text.strip()]
        return "  ".join([item_id, *filled])

    def recommend(
        self,
        histories: Iterable[Sequence[str]],
        k: int = 10,
        exclude: Iterable[Sequence[str]] | None = None,
        include: Iterable[Sequence[str]] | None = None,
        filter: Filter | Iterable[Filter] | None = None,
        context: Context | None = None,
        batch: int = 256,
    ) -> Answers:
        """Recommends items to shoppers.

        Args:
          histories: B sequences of item ids, texts or numbers, oldest first. Unknown ids are skipped; an empty history
            is fine. Ids are compared as they are written, then by their plain form: 9.0 and " 9" are "9".
          k: answers per history, at least 1.
          exclude: B sequences of item ids that must not be answered.
          include: B sequences of the only item ids to answer with; an empty one: all items.
          filter: what answers must have: {column: value} or a list of "column=value", all of which must hold. One
            filter for all histories, or a list of B. Where a column has several values per item, one must match. A
            value that no item has leaves no answer, and a warning says so.
          context: what is known beside the histories, by the inputs in `context_inputs`: `history_time` and
            `history_event`, B sequences beside the items (times as in the events of training, date-times as seconds
            since 1970, or as `data.interactions.timestamp_format` reads them where it was set); `now`, B such times;
            `user_...`, B values. What is left out or None is unknown.
          batch: histories at once.

        Returns:
          The best `k` items per history that may be answered, by falling score.

        Raises:
          InputError: something is not of the form above, or `filter` names a column that is not in `filter_columns`.
        """
        history = self.spellings.spelt(padded_ids(histories, "histories"))
        chosen = {
            "exclude": self.spellings.spelt(rows_for(exclude, len(history), "exclude")),
            "include": self.spellings.spelt(rows_for(include, len(history), "include")),
        }
        conditions = filter_rows(filter, len(history), self.filter_columns)
        if self.filter_columns:
            chosen["filter"] = self._filters.spelt(conditions)
        chosen |= context_inputs(context, history, self.context_inputs, self.interface.events.formats)
        return self._ask(schema.RECOMMEND, batch, history=history, k=for_each(k, len(history)), **chosen)

    def similar(self, item_ids: Sequence[str], k: int = 10, batch: int = 256) -> Answers:
        """Finds the items that are most like others in what they show and say and in who takes them.

        Args:
          item_ids: B ids of items of the export.
          k: answers per item, at least 1.
          batch: items at once.

        Returns:
          The nearest `k` items of each, without the item itself, by falling score.

        Raises:
          InputError: an id is not in the export.
        """
        ids = self.spellings.spelt(strings(item_ids, "item_ids"))
        unknown = self.unknown(ids)
        if unknown:
            raise InputError(
                f"`item_ids` must be items of the export (see `items`). Received: {unknown[0]!r}"
                f"{f' and {len(unknown) - 1} more' if len(unknown) > 1 else ''}."
            )
        return self._ask(schema.SIMILAR, batch, item_id=ids, k=for_each(k, len(ids)))

    def unknown(self, item_ids: Iterable[str]) -> list[str]:
        """Returns the ids that the export lacks, in their order.

        Args:
          item_ids: any ids, spelt in any way that `recommend` takes.
        """
        ids = strings(item_ids, "item_ids")
        return [str(item) for item in ids[self.spellings.places(ids) < 0]]

    def embed_queries(
        self, histories: Iterable[Sequence[str]], context: Context | None = None, batch: int = 1024
    ) -> np.ndarray:
        """Embeds histories into the space of the items.

        Args:
          histories: B sequences of item ids, as in `recommend`.
          context: what is known beside the histories, as in `recommend`.
          batch: histories at once.

        Returns:
          float32 [B, D]. Its product with a row of `item_table` is the score that `recommend` gives that item.

        Raises:
          InputError: something is not of the form that `recommend` takes.
        """
        history = self.spellings.spelt(padded_ids(histories, "histories"))
        inputs = context_inputs(context, history, self.context_inputs, self.interface.events.formats)
        return self._call(schema.EMBED_QUERY, batch, history=history, **inputs)["embedding"]

    @overload
    def embed_items(self, table: pd.DataFrame, batch: int = 256, status: Literal[False] = False) -> np.ndarray: ...

    @overload
    def embed_items(
        self, table: pd.DataFrame, batch: int = 256, *, status: Literal[True]
    ) -> tuple[np.ndarray, np.ndarray]: ...

    def embed_items(
        self, table: pd.DataFrame, batch: int = 256, status: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Embeds items, old or new, from their raw fields.

        Args:
          table: one row per item and a column per field that the model reads, called as in the catalog or as the input
            of the signature; a photo or recording is its bytes or a path, in any format that training reads, features
            are a list of numbers. Absent columns and empty values count as missing, and so do photos and recordings
            that cannot be read, with a warning.
          batch: items at once.
          status: also return what was wrong with each item.

        Returns:
          float32 [N, D]. With `status` also int32 [N]: 0 fine, +1 a photo unreadable, +2 the recording unreadable, +4
          nothing usable given.

        Raises:
          InputError: no column is one that the model reads, a photo's file is absent, or features are not of the width
            that the model was trained with.
        """
        embedded = self._call(schema.EMBED_ITEM, batch, **self._columns(table, schema.EMBED_ITEM))
        unreadable = reduce(or_, (field.status for field in self.interface.fields), 0)
        rows = np.flatnonzero(embedded["status"] & unreadable)
        if len(rows):
            warnings.warn(
                f"`table`: {len(rows):,} of {len(embedded['status']):,} rows have a photo or recording that cannot be "
                f"read, which counts as missing; the first is row {rows[0] + 1:,}. Replace it, or pass `status=True` "
                "to learn which they are.",
                stacklevel=2,
            )
        return (embedded["embedding"], embedded["status"]) if status else embedded["embedding"]

    def item_inputs(self, table: pd.DataFrame, signature: str = schema.EMBED_ITEM) -> dict[str, np.ndarray]:
        """Turns a table of items into the inputs of a signature that reads items, ready for `call`.

        Args:
          table: as `embed_items` takes it, N rows.
          signature: `embed_item`, or another one with its inputs.

        Returns:
          By input an array of N rows: objects of bytes or str, or float32.

        Raises:
          InputError: as `embed_items` does.
        """
        return graph_readable_photos(self._columns(table, signature), self.interface.fields)

    def _columns(self, table: pd.DataFrame, signature: str) -> dict[str, np.ndarray]:
        return item_columns(table, self.interface.fields, self.inputs(signature), self.spellings)

    def inputs(self, signature: str) -> Mapping[str, tf.TensorSpec]:
        """Returns dtype and shape of each input of a signature; the first dimension is the batch.

        Args:
          signature: one of `signatures`.

        Raises:
          InputError: the export has no signature of that name.
        """
        if signature not in self.manifest["inputs"]:
            raise InputError(
                f"the export has no signature `{signature}`.{nearest(signature, self.signatures)} It has: "
                f"{', '.join(self.signatures)}. Name one of them."
            )
        return {
            name: tf.TensorSpec(one.shape, one.dtype, name)
            for name, one in read_inputs(self.manifest, signature).items()
        }

    def call(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
        """Calls a signature as a server would.

        Args:
          signature: one of `signatures`.
          inputs: all that it takes (see `inputs`), as tensors, arrays or nested lists.

        Returns:
          The outputs by name, tensors whose first dimension is the batch.

        Raises:
          InputError: there is no such signature, or these are not its inputs.
        """
        specs, functions = self.inputs(signature), self._model.signatures
        answers: dict[str, tf.Tensor] = functions[signature](**signature_inputs(signature, inputs, specs))
        return answers

    def _ask(self, signature: str, batch: int, **inputs: np.ndarray) -> Answers:
        outputs = self._call(signature, batch, **inputs)
        ids = np.array([item.decode() for item in outputs["item_ids"].ravel()], dtype=object)
        return Answers(ids.reshape(outputs["item_ids"].shape), outputs["scores"])

    def _call(self, signature: str, batch: int, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Calls a signature on at most `batch` rows at a time; at least once, so that no rows give empty outputs."""
        if isinstance(batch, bool) or not isinstance(batch, int | np.integer) or batch < 1:
            raise InputError(f"`batch` must be an integer >= 1. Received: {batch!r}. Leave it out for the default.")
        spec, rows, parts = self.inputs(signature), len(next(iter(inputs.values()))), []
        for start in range(0, max(1, rows), batch):
            part = {key: value[start : start + batch] for key, value in inputs.items()}
            part = graph_readable_photos(part, self.interface.fields)
            tensors = {key: as_tensor(value, spec[key]) for key, value in part.items()}
            parts.append({key: value.numpy() for key, value in self.call(signature, tensors).items()})
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def load(export_dir: str | os.PathLike, verify: bool = True) -> Recommender:
    """Loads an export, in a process that runs Keras 2, Keras 3 or neither.

    TensorFlow does not work in a forked child of a process that has run it. Workers load the export themselves, and
    their parent does not: under gunicorn without `--preload`, or in its hook `post_fork`; with `multiprocessing`,
    joblib and PyTorch's `DataLoader` by the start method "spawn".

    Args:
      export_dir: the version folder, `saved_models/<name>/<version>`.
      verify: whether every file is compared with its checksum in the manifest.

    Returns:
      A `Recommender`. It cannot be pickled.

    Raises:
      InputError: the folder is no export, of a newer format, or a file is missing, changed or foreign.
      RuntimeError: this process was forked from one in which mmrec had run TensorFlow; asking raises it there too.
    """
    return Recommender(export_dir, verify)
