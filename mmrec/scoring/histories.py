"""Turns rows of histories into the inputs of `recommend`; a row that breaks a rule is reported and left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import tensorflow as tf

from mmrec import schema
from mmrec.errors import InputError
from mmrec.scoring.history_files import HISTORY, USER
from mmrec.scoring.lists import as_numbers, as_texts, lists
from mmrec.table_files import broken_texts, is_list

EXCLUDE = "exclude"
_ASKED = (HISTORY, "k", EXCLUDE, "include", "filter")  # inputs of `recommend` that are not context
_LISTS = (HISTORY, EXCLUDE, schema.HISTORY_TIME, schema.HISTORY_EVENT)
_SPACED = r"^ | $|  |\n"  # a line break comes from an unclosed quotation mark
_CELLS = 2**20  # ids of histories and exclusions in one call, including padding


def history_columns(signature: list[str]) -> list[str]:
    """Returns the columns that may stand beside `user_id` and `history`.

    Args:
      signature: names of the inputs of `recommend`.
    """
    return [EXCLUDE, *(name for name in signature if name not in _ASKED)]


def require_types(path: str | Path, columns: pa.Schema) -> None:
    """Refuses columns of histories with lists or objects instead of single values, or single values instead of lists.

    Args:
      path: the file, for messages.
      columns: the columns and their types.

    Raises:
      InputError: a column has the wrong type; the message names it.
    """
    for name, kind in zip(columns.names, columns.types, strict=True):
        if pa.types.is_null(kind) and name != USER:  # nothing in any row
            continue
        value = kind.value_type if is_list(kind) else kind
        if is_list(kind) != (name in _LISTS) or pa.types.is_nested(value) or pa.types.is_null(kind):
            wanted = "lists of texts or numbers" if name in _LISTS else "texts or numbers"
            raise InputError(f"{path}: column `{name}` must hold {wanted}. Received: {kind}. Write it as such.")


class Questions:
    """Neighbouring rows of histories, which can be asked in any order.

    Args:
      table: the columns `user_id`, `history`, and any of `history_columns`.
      inputs: the inputs of `recommend` by name.
      k: number of answers per history.
      spelt: returns item ids (str objects [U]) as the export spells them.
      plain: whether user ids are written in their `values.plain` form.

    Attributes:
      ids: str objects [R], the user ids.
      faults: row of `table` -> the rule that it breaks.
    """

    def __init__(
        self,
        table: pa.Table,
        inputs: Mapping[str, tf.TensorSpec],
        k: int,
        spelt: Callable = lambda ids: ids,
        plain: bool = False,
    ):
        self._table, self._inputs, self._k, self._spelt = table, inputs, k, spelt
        self.faults: dict[int, str] = {}
        self.ids = as_texts(table.column(USER).combine_chunks(), plain)
        for name in table.column_names:
            self._fault(name, broken_texts(table.column(name)), "must be text in UTF-8")
        self._fault(USER, np.flatnonzero(self.ids == ""), "must not be empty")
        column = table.column(HISTORY)
        if pa.types.is_string(column.type):
            spaced = pc.match_substring_regex(column.combine_chunks().fill_null(""), _SPACED)
            self._fault(HISTORY, np.flatnonzero(spaced), "must be item ids with a single space between each two")
        self._lists = {HISTORY: lists(column, spelt=spelt)}
        self._values: dict[str, np.ndarray] = {}
        for name in table.column_names:
            if name not in (USER, HISTORY):
                self._add(name, table.column(name))

    def batches(self, most: int) -> list[np.ndarray]:
        """Returns the rows without fault in parts (int [B] each) of at most `most` rows, of similar length each.

        There is at least one part, which may be empty.
        """
        lengths = self._lists[HISTORY].lengths
        if EXCLUDE in self._lists:
            lengths = lengths + self._lists[EXCLUDE].lengths
        good = np.setdiff1d(np.arange(len(lengths)), list(self.faults))
        good = good[np.argsort(lengths[good], kind="stable")]
        parts, end = [], len(good)
        while end:
            width = max(1, lengths[good[end - 1]])
            start = max(0, end - most, end - max(1, _CELLS // width))
            parts.append(good[start:end])
            end = start
        return parts or [good]

    def ask(self, rows: np.ndarray) -> dict[str, tf.Tensor]:
        """Returns all inputs of `recommend` for some rows (int [B])."""
        width = int(self._lists[HISTORY].lengths[rows].max(initial=0))
        asked = {HISTORY: self._lists[HISTORY].padded(rows, width), "k": tf.fill([len(rows)], self._k)}
        for name, spec in self._inputs.items():
            if name in asked:
                continue
            if name in self._lists:
                wide = self._lists[name].lengths[rows].max(initial=0) if name == EXCLUDE else width
                asked[name] = self._lists[name].padded(rows, int(wide))
            elif name in self._values:
                asked[name] = tf.constant(self._values[name][rows].tolist(), spec.dtype)
            else:  # not in the table: lists without columns, unknown values
                shape = [len(rows), *([0] if spec.shape.rank == 2 else [])]
                asked[name] = tf.fill(shape, tf.constant("" if spec.dtype == tf.string else np.nan, spec.dtype))
        return asked

    def unknown(self, items: Collection[bytes]) -> np.ndarray:
        """Returns bool [R], which histories hold ids, but none of `items`."""
        history = self._lists[HISTORY]
        texts = history.texts.numpy()
        return history.hold(texts != b"") & ~history.hold(np.array([text in items for text in texts]))

    def _add(self, name: str, column: pa.ChunkedArray) -> None:
        text = self._inputs[name].dtype == tf.string
        if name in _LISTS:
            spelt = {"spelt": self._spelt} if name == EXCLUDE else {}
            self._lists[name] = read = lists(column, numbers=not text, **spelt)
            self._fault(name, np.flatnonzero(read.bad), "must hold numbers")
            if name != EXCLUDE:
                whole = (read.lengths == 0) | (read.lengths == self._lists[HISTORY].lengths)
                self._fault(name, np.flatnonzero(~whole), "must have a value per item of the history, or none at all")
        elif text:
            self._values[name] = as_texts(column.combine_chunks())
        else:
            self._values[name], wrong = as_numbers(column.combine_chunks())
            self._fault(name, wrong, "must be a number")

    def _fault(self, name: str, rows: np.ndarray, rule: str) -> None:
        for row in rows.tolist():
            received = shown(self._table.column(name)[row])
            self.faults.setdefault(row, f"column `{name}`: {rule}. Received: {received}")


def shown(value: pa.Scalar) -> str:
    """Returns a value as messages show it."""
    try:
        return f"{value.as_py()!r:.80}"
    except UnicodeDecodeError:
        return "a text that is no UTF-8"
