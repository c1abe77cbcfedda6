"""Finds the values that filters ask for among those of an export's items, however they are spelt."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd

from mmrec.errors import nearest
from mmrec.values import Spellings


class FilterValues:
    """The values that items have in the filter columns.

    Args:
      items: the items of an export; a filter column holds a text per item, or a list of texts.
    """

    def __init__(self, items: pd.DataFrame):
        self._items = items
        self._values = cache(self._values_of)  # only for columns that a filter names
        self._lacking: dict[str, str] = {}  # condition -> the warning that no item fulfils it

    def spelt(self, conditions: np.ndarray) -> np.ndarray:
        """Returns conditions "column=value" as the export spells them, and warns about each value that no item has.

        Args:
          conditions: str objects [B, M]; "" pads.

        Returns:
          str objects [B, M].
        """
        asked = {"": ""}
        for condition in conditions.ravel():
            if condition not in asked:
                asked[condition] = self._spelt(condition)
        return np.array([asked[one] for one in conditions.ravel()], object).reshape(conditions.shape)

    def _spelt(self, condition: str) -> str:
        column, _, value = condition.partition("=")
        values, spellings = self._values(column)
        (place,) = spellings.places([value])
        if place >= 0:
            return f"{column}={values[place]}"
        if condition not in self._lacking:
            self._lacking[condition] = f"no item has {condition}.{nearest(value, values)}"
        warnings.warn(self._lacking[condition], stacklevel=4)
        return condition

    def _values_of(self, column: str) -> tuple[list[str], Spellings]:
        values = self._items[column].explode().dropna()
        distinct = [value for value in pd.unique(values) if value != ""]
        return distinct, Spellings(distinct)
