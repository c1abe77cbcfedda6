"""Reads the cells of tables as texts, by one rule for every format and job.

The rule holds for ids of items and users, categories, values of filters, and types of events:

* An empty cell (null, NaN, NaT, an empty text) is "". Space around a text does not count.
* In a column of whole numbers, a number is written without decimals: 7 and not 7.0, also where its type is `float` or
  `Decimal`; infinity is `inf`. Where one number of a column is not whole, the others keep their decimals.
* A text stays as it is written, unless every text of its column is a whole number and one of them has decimals: many
  programs write 9 as `9.0` where a column has gaps. So `1.0` beside `1.10`, `007` and `1e5` stay.
* A text that is looked up among names (the catalog's ids, say) is first looked for as it is written, then by its
  `plain` form. So `9.0`, read alone, is item 9; and an item called `1.0` is answered as `1.0`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mmrec.vectors import LISTS, is_nested, is_nothing, listed, unicode

_DECIMAL = (float, np.floating, Decimal)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0+)?|-?inf")
ZEROS = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
"""Regular expression of a whole number with decimals; its first group is the number. TensorFlow reads it the same."""
_ZEROS = re.compile(ZEROS)


def strings(values: pd.Series) -> np.ndarray:
    """Returns a column as str objects [R], texts as they are written; an empty cell becomes "".

    Whatever is not Unicode (bytes that are not UTF-8, half of a surrogate pair) becomes a replacement character.
    """
    return _taken(*_distinct(values))


def trimmed(values: pd.Series) -> np.ndarray:
    """Returns `strings` without space around them: the part of the rule that needs no other row of the column."""
    place, texts = _distinct(values)
    return _taken(place, [text.strip() for text in texts])


def string(value: Any) -> str:
    """Returns one cell as `strings` returns a column of it.

    >>> string(9.0), string(2.5), string(None), string("9.0")
    ('9', '2.5', '', '9.0')
    """
    return _text(value, isinstance(value, _DECIMAL) and math.isfinite(value) and value == int(value))


def names(values: pd.Series) -> np.ndarray:
    """Returns a column of ids, categories and the like as str objects [R], by the rule of this module.

    >>> names(pd.Series(["9.0", " 13.0", None])).tolist(), names(pd.Series(["1.0", "1.10"])).tolist()
    (['9', '13', ''], ['1.0', '1.10'])
    """
    place, texts = _distinct(values)
    texts = [text.strip() for text in texts]
    if "." in "".join(texts) and _are_whole(texts):
        texts = [_ZEROS.sub(r"\1", text) for text in texts]
    return _taken(place, texts)


class WholeNumbers:
    """Decides whether `names` would write a column of texts without decimals, where the column is read in parts.

    Attributes:
      plain: the answer for the parts that were added so far.
    """

    def __init__(self) -> None:
        self._whole, self._decimals = True, False

    @property
    def plain(self) -> bool:
        """Whether all texts are whole numbers, and some have decimals."""
        return self._whole and self._decimals

    def add(self, texts: Iterable[str]) -> bool:
        """Adds a part of the column, as `strings` returns it; returns whether more parts can change the answer."""
        if self._whole:
            distinct = {text.strip() for text in texts}
            self._whole = _are_whole(distinct)
            self._decimals |= "." in "".join(distinct)
        return self._whole


def name_lists(values: pd.Series) -> np.ndarray:
    """Returns the names in each cell of a column, which may hold several (see `vectors.listed`).

    Returns:
      Objects [R], tuples of str: each name once; () for an empty cell.

    >>> name_lists(pd.Series(['["red", "new"]', "red", None])).tolist()
    [('red', 'new'), ('red',), ()]
    """
    if not holds_lists(values):
        return np.fromiter(((name,) if name else () for name in names(values)), object, len(values))
    flat, parts = _flat(values)
    each = names(flat)
    return np.fromiter((tuple(dict.fromkeys(name for name in each[part] if name)) for part in parts), object)


def joined(values: pd.Series) -> np.ndarray:
    """Returns `strings` of a column, the texts of a list joined by a space.

    >>> joined(pd.Series([["Red", "mug"], "Lamp", None])).tolist()
    ['Red mug', 'Lamp', '']
    """
    if not holds_lists(values):
        return strings(values)
    flat, parts = _flat(values)
    texts = strings(flat)
    return np.array([" ".join(text for text in texts[part] if text) for part in parts], dtype=object)


def holds_lists(values: pd.Series) -> bool:
    """Returns whether any cell of a column is a list, or a JSON list as text."""
    return values.dtype.kind == "O" and any(isinstance(one, LISTS) or listed(one) != [one] for one in values)


def nested(values: pd.Series) -> np.ndarray:
    """Returns bool [R], which cells of a column are lists or objects."""
    if values.dtype.kind != "O" or pd.api.types.infer_dtype(values, skipna=True) == "string":
        return np.zeros(len(values), bool)
    return np.array([is_nested(value) for value in values], bool)


def plain(text: str) -> str:
    """Returns a text without space around it, and a whole number without decimals.

    >>> plain(" 9.0"), plain("1.10"), plain("007.0")
    ('9', '1.10', '007.0')
    """
    return _ZEROS.sub(r"\1", text.strip())


def number(value: Any) -> float:
    """Returns a cell as a float32 number, NaN for an empty cell.

    Raises:
      ValueError: it is not a finite number; the text says so, ready for an error message.

    >>> number("2.5"), number(" "), number(Decimal(3))
    (2.5, nan, 3.0)
    """
    if is_nothing(value) or (isinstance(value, str) and not value.strip()):
        return math.nan
    try:
        with np.errstate(over="ignore"):
            converted = math.nan if isinstance(value, (bool, np.bool_, *LISTS)) else float(np.float32(float(value)))
    except (ValueError, TypeError, OverflowError):
        converted = math.nan
    if not math.isfinite(converted):
        raise ValueError(f"must be a finite number. Received: {value!r:.80}")
    return converted


class Spellings:
    """Finds names however they are spelt: as they are written, or else by their `plain` form.

    Args:
      names: N unique names.

    >>> Spellings(["9", "mug"]).places(["mug", " 9.0", "lamp"]).tolist()
    [1, 0, -1]
    """

    def __init__(self, names: Iterable[str]):
        self._names = np.fromiter(names, object)
        self._index = pd.Index(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def places(self, texts: Sequence[str] | np.ndarray) -> np.ndarray:
        """Returns int64 [R], the place of each text among the names, from 0; -1: there is no such name."""
        texts = np.asarray(texts, dtype=object)
        place = self._index.get_indexer(texts)
        other = np.flatnonzero((place < 0) & (texts != ""))
        if len(other):
            again, distinct = pd.factorize(texts[other])
            forms = [plain(text) for text in distinct]
            by_form = self._index.get_indexer(pd.Index(forms, dtype=object))
            if (by_form < 0).any():
                by_form = np.where(by_form < 0, [self._by_form.get(form, -1) for form in forms], by_form)
            place[other] = by_form[again]
        return place

    def spelt(self, texts: np.ndarray) -> np.ndarray:
        """Returns the texts as the names are spelt, str objects of the same shape; unknown texts stay."""
        flat = texts.ravel()
        place = self.places(flat)
        return np.where(place < 0, flat, self._names[place]).reshape(texts.shape) if len(self._names) else texts

    @cached_property
    def _by_form(self) -> dict[str, int]:
        """The place of each name by its plain form; -1 where two names share a form, and either could be meant."""
        places: dict[str, int] = {}
        for place, name in enumerate(self._names):
            form = plain(name)
            places[form] = -1 if form in places else place
        return places


def _distinct(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Returns the place of each cell's text (int64 [R]; -1: an empty cell), and the texts.

    Each distinct cell is read once: a million events name far fewer users and items.
    """
    if isinstance(values.dtype, pd.ArrowDtype):
        values = values.array.__arrow_array__().to_pandas(integer_object_nulls=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.cat.remove_unused_categories()
        place, texts = _distinct(pd.Series(values.cat.categories))
        return np.append(place, -1)[values.cat.codes], texts
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("string", "integer"):
        place, cells = pd.factorize(values.to_numpy(object) if kind == "string" else values)
        return place, [*map(unicode if kind == "string" else str, cells)]
    if values.dtype.kind == "M":
        place, cells = pd.factorize(values)
    elif values.dtype.kind == "f":  # an array: factorized as a Series, float32 would gain digits
        kind = getattr(values.dtype, "numpy_dtype", values.dtype)
        place, cells = pd.factorize(values.to_numpy(np.float32 if kind == np.float16 else kind, na_value=np.nan))
    else:  # 1, 1.0 and True are equal in Python, but not the same text
        place, cells = np.arange(len(values)), values.to_numpy(object)
    whole = all(one == int(one) for one in cells if isinstance(one, _DECIMAL) and math.isfinite(one))
    return place, [_text(one, whole) for one in cells]


def _text(value: Any, whole: bool) -> str:
    if is_nothing(value):
        return ""
    if isinstance(value, _DECIMAL) and whole and math.isfinite(value):
        return str(int(value))
    return f"{value:f}" if isinstance(value, Decimal) else unicode(value)


def _are_whole(texts: Iterable[str]) -> bool:
    return all(_WHOLE.fullmatch(text) for text in texts if text)


def _taken(place: np.ndarray, texts: list[str]) -> np.ndarray:
    return np.array([*texts, ""], dtype=object)[place]  # -1: an empty cell


def _flat(values: pd.Series) -> tuple[pd.Series, list[slice]]:
    """Returns the values of all lists of a column one after the other, and the slice of each cell."""
    cells = [listed(value) for value in values]
    ends = np.cumsum([len(cell) for cell in cells], dtype=int).tolist()
    flat = pd.Series([one for cell in cells for one in cell], dtype=object)
    return flat, [slice(end - len(cell), end) for cell, end in zip(cells, ends, strict=True)]
