"""Loads an export and asks it; needs no catalog, no training data and none of the model's code."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal, NoReturn, overload

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.errors import InputError, nearest
from mmrec.manifest import Interface, read_inputs
from mmrec.process import refuse_fork
from mmrec.serving.answers import Answers
from mmrec.serving.columns import as_tensor
from mmrec.serving.context import Context, context_inputs
from mmrec.serving.filters import FilterValues
from mmrec.serving.item_columns import decodable, item_columns
from mmrec.serving.loading import load_export
from mmrec.serving.questions import (
    Filter,
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


class Recommender:
    """An export, ready to answer. Get one with `mmrec.load`.

    Item ids are matched however they are spelt: first as they are written, then without surrounding spaces and with
    whole numbers free of decimals. So 9, 9.0 and " 9" all find the item "9". Answers have the export's spelling.

    Args:
      export_dir: the version folder, `saved_models/<name>/<version>`.
      verify: whether every file is compared with its checksum; a version of 1 GB takes about a second.

    Attributes:
      path: the version folder.
      manifest: dict, the content of `mmrec/manifest.json`: format version, package versions, config, metrics,
        signatures, checksums, and what the export reads.
      interface: what the export reads, see `mmrec.manifest.Interface`.
      items: pandas table, one row per item: `item_id`, `digest` and the payload columns.
      spellings: `mmrec.values.Spellings`, finds the rows of `items`, from 0, by item id.

    Raises:
      InputError: the folder is no export, has a newer format, or is not as it was exported.
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
        """The loaded SavedModel; every use goes through here, so that a forked process is refused."""
        refuse_fork()
        return self._loaded

    @property
    def signatures(self) -> Sequence[str]:
        """Names of the export's signatures (serving functions), sorted."""
        return sorted(self.manifest["inputs"])

    @property
    def item_table(self) -> np.ndarray:
        """float32 [N + 1, D], the embeddings of all items; row i + 1 belongs to `items.iloc[i]`, row 0 is padding."""
        index = self._model.index
        held = index.table if hasattr(index, "table") else index.embeddings()  # earlier exports hold a table
        table: np.ndarray = held.numpy()
        return table

    @property
    def filter_columns(self) -> Sequence[str]:
        """Names of the columns that answers can be filtered by; `items` holds their values."""
        return list(self.interface.filters)

    @property
    def context_inputs(self) -> Mapping[str, tf.TensorSpec]:
        """The inputs that the export reads beside a history, by name; empty for most exports."""
        return {name: one for name, one in self.inputs(schema.EMBED_QUERY).items() if name != "history"}

    def describe(self, item_id: str) -> str:
        """Returns the id and payload of the item `item_id` in one line of text; of an unknown item the id alone."""
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
        """Recommends items to users.

        Args:
          histories: B sequences of item ids (texts or numbers), oldest first. Unknown ids are skipped; an empty history
            is fine. Whether items of a history may be answered was decided in training, see the model card.
          k: number of answers per history, at least 1.
          exclude: B sequences of item ids that must not be answered; None: exclude none.
          include: B sequences of item ids to choose from; an empty sequence, and None, stand for all items.
          filter: conditions that answers must fulfil, all of them: {column: value} or a list of "column=value". One
            filter for all histories, or a list of B filters. Where a column has several values per item, one of them
            must match. A value that no item has leaves no answers; a warning says so.
          context: what is known beside the histories, by the names in `context_inputs`. `history_time` and
            `history_event`: B sequences with a value for each item of the history. `now`: B times. `user_...`: B
            values. Times are counted as in the events of training (date-times: seconds since 1970, or texts of the
            format in `data.interactions.timestamp_format` where that was set). Inputs that are left out, and None
            among the values, are unknown.
          batch: histories that are read at once.

        Returns:
          `Answers` with at most `k` items per history.

        Raises:
          InputError: an argument has another form, or `filter` names a column that is not in `filter_columns`.
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
        """Finds the items nearest to each of some items.

        Args:
          item_ids: B item ids of the export.
          k: number of answers per item, at least 1. An item is never an answer to itself.
          batch: items that are read at once.

        Returns:
          The nearest `k` items of each, by falling score.

        Raises:
          InputError: an id is not in the export, or another argument has another form.
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
        """Returns those of `item_ids` that the export lacks, in their order, however they are spelt."""
        ids = strings(item_ids, "item_ids")
        return [str(item) for item in ids[self.spellings.places(ids) < 0]]

    def embed_queries(
        self, histories: Iterable[Sequence[str]], context: Context | None = None, batch: int = 1024
    ) -> np.ndarray:
        """Embeds histories, such as for a nearest-neighbour index of one's own.

        The dot product of a query embedding and a row of `item_table` is the score of that item for the history.

        Args:
          histories: B sequences of item ids, oldest first, as for `recommend`.
          context: what is known beside the histories, as for `recommend`.
          batch: histories that are read at once.

        Returns:
          float32 [B, D], the query embedding of each history.

        Raises:
          InputError: an argument has another form.
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
        """Embeds items, in the catalog or not, from their raw fields.

        Example:
          ```python
          table = pd.DataFrame({"title": ["Red mug"], "image": ["photos/mug.jpg"]})
          vectors, status = shop.embed_items(table, status=True)
          ```

        Args:
          table: one row per item and a column per field that the model reads, named as in the catalog or as the input
            of the signature. A photo or recording is its bytes or a path, in any format that training reads; features
            are a list of numbers. Absent columns and empty cells count as missing. So do photos and recordings that
            cannot be read; a warning says so.
          batch: items that are read at once.
          status: whether to return also what was wrong with each item.

        Returns:
          float32 [N, D], the embedding of each item. With `status` also int32 [N], the sum of 1 (a photo cannot be
          read), 2 (the recording cannot be read) and 4 (the item has nothing that the model reads); 0: all is well.

        Raises:
          InputError: the table has no column that the model reads, a photo's file is absent, or features have another
            width than the model was trained with.
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
        """Turns a table of items into the inputs of a signature that reads items, such as to send them to a server.

        Args:
          table: one row per item, as for `embed_items`.
          signature: the name of a signature that reads raw fields of items.

        Returns:
          An array of N rows by name of input, photos as the signature can decode them.

        Raises:
          InputError: there is no such signature, or the table cannot be used, see `embed_items`.
        """
        return decodable(self._columns(table, signature), self.interface.fields)

    def _columns(self, table: pd.DataFrame, signature: str) -> dict[str, np.ndarray]:
        return item_columns(table, self.interface.fields, self.inputs(signature), self.spellings)

    def inputs(self, signature: str) -> Mapping[str, tf.TensorSpec]:
        """Returns dtype and shape of the inputs of `signature`, by name; raises `InputError` if the export lacks it."""
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
        """Calls a signature as TensorFlow Serving would, such as `call("similar", {"item_id": ["101"], "k": [5]})`.

        Args:
          signature: one of `signatures`.
          inputs: all inputs of the signature by name (see `inputs`), as tensors, arrays or nested lists. Ids must have
            the export's spelling.

        Returns:
          The output tensors by name; the first dimension of each is the batch.

        Raises:
          InputError: the export has no such signature, or its inputs are others.
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
            part = decodable(part, self.interface.fields)
            tensors = {key: as_tensor(value, spec[key]) for key, value in part.items()}
            parts.append({key: value.numpy() for key, value in self.call(signature, tensors).items()})
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def load(export_dir: str | os.PathLike, verify: bool = True) -> Recommender:
    """Loads an export to ask it in this process, which may use Keras 2, Keras 3 or neither.

    TensorFlow does not work in a process that was forked after TensorFlow ran. So each worker has to load the export
    itself, and its parent must not. With gunicorn, leave out `--preload` or load in the hook `post_fork`; with
    `multiprocessing`, joblib and PyTorch's `DataLoader`, use the start method "spawn".

    Example:
      ```python
      shop = mmrec.load("saved_models/shop/1")
      answers = shop.recommend([["101", "205"], []], k=5)
      print(answers.item_ids[0], answers.scores[0])
      ```

    Args:
      export_dir: the version folder, `saved_models/<name>/<version>`.
      verify: whether every file is compared with its checksum in the manifest; a version of 1 GB takes about a second.

    Returns:
      A `Recommender`. It cannot be pickled; send its `path` to another process, and load it there.

    Raises:
      InputError: the folder is no export, has a newer format, or a file in it is missing, was changed or was added.
      RuntimeError: this process was forked from one in which mmrec had run TensorFlow. Asking a `Recommender` that was
        loaded before a fork raises the same error in the forked process.
    """
    return Recommender(export_dir, verify)
