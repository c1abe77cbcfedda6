"""Turns rows of a catalog into the inputs of signatures; a row that breaks a rule is reported and left out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import tensorflow as tf

from mmrec.manifest import Files
from mmrec.scoring.lists import as_texts
from mmrec.serving.columns import as_tensor
from mmrec.serving.recommender import Recommender
from mmrec.table_files import readable
from mmrec.vectors import listed


def media_folders(files: Mapping[str, Files], media_dir: str | None, source: str) -> dict[str, Files]:
    """Returns where the files of each input are.

    Args:
      files: the folders of training, see `Interface.files`; used if they exist here and `media_dir` is None.
      media_dir: the folder that the user named, for all inputs; None: none was named.
      source: the file of the catalog; its folder is used if there is no other.
    """

    def folder(trained: str | None) -> str:
        return media_dir or (trained if trained and os.path.isdir(trained) else str(Path(source).parent))

    return {name: replace(one, folder=folder(one.folder)) for name, one in files.items()}


class Items:
    """Neighbouring rows of a catalog.

    Args:
      table: the column `id_column`, and the columns of fields.
      id_column: the column of item ids, which are written beside the answers.
      shop: the export.
      signature: the name of the signature that is asked.
      folders: where files are by input, see `media_folders`.
      plain: whether ids that the export does not know are written in their `values.plain` form.

    Attributes:
      ids: str objects [R], the item ids, as the export spells them if it knows them.
      faults: row of `table` -> the rule that it breaks.
    """

    def __init__(
        self,
        table: pa.Table,
        id_column: str,
        shop: Recommender,
        signature: str,
        folders: Mapping[str, Files],
        plain: bool = False,
    ):
        table, self.faults = readable(table)
        frame = table.to_pandas(integer_object_nulls=True, ignore_metadata=True)
        self.ids = shop.spellings.spelt(as_texts(table.column(id_column).combine_chunks(), plain))
        for row in np.flatnonzero(self.ids == "").tolist():
            self.faults.setdefault(row, f"column `{id_column}`: must not be empty. Received: {frame[id_column][row]!r}")
        self._files: list[str] = []
        for field in shop.interface.fields:
            name = next((name for name in field.names if name in frame), None)
            if field.kind == "bytes" and name:
                self._files.append(name)
                folder = folders[field.input]
                frame[name] = pd.Series([_placed(value, folder) for value in frame[name]], dtype=object)
        self._spec, self._rows = shop.inputs(signature), np.setdiff1d(np.arange(len(frame)), list(self.faults))
        self._inputs = self._read(frame, shop, signature)

    def batches(self, most: int) -> list[np.ndarray]:
        """Returns the rows without fault in parts (int [B] each) of at most `most`; at least one part, maybe empty."""
        return [self._rows[start : start + most] for start in range(0, max(1, len(self._rows)), most)]

    def ask(self, rows: np.ndarray) -> dict[str, tf.Tensor]:
        """Returns the inputs of the signature for some rows (int [B])."""
        place = np.searchsorted(self._rows, rows)
        return {name: as_tensor(values[place], self._spec[name]) for name, values in self._inputs.items()}

    def _read(self, frame: pd.DataFrame, shop: Recommender, signature: str) -> dict[str, np.ndarray]:
        """Reads all rows at once; if that fails, one by one, to find those that cannot be read."""
        try:
            return shop.item_inputs(frame.iloc[self._rows], signature)
        except ValueError:
            pass
        parts, good = [shop.item_inputs(frame.iloc[:0], signature)], []
        for row in self._rows.tolist():
            one = frame.iloc[row : row + 1]
            try:
                for name in self._files:  # one column at a time: messages about files do not name it
                    place = f"column `{name}`: "
                    shop.item_inputs(one[[name]], signature)
                place = ""
                parts.append(shop.item_inputs(one, signature))
                good.append(row)
            except ValueError as error:  # raised for impossible paths too
                self.faults[row] = place + str(error).removeprefix("`table`, row 1, ")
        self._rows = np.array(good, int)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _placed(value: Any, folder: Files) -> list:
    """Returns the files of a cell, relative paths below the folder; without absent ones if these count as missing."""
    files = [_path(folder.folder or "", one) if _is_path(one) else one for one in listed(value)]
    return [one for one in files if not (folder.mask and _is_path(one) and not os.path.isfile(one))]


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _path(folder: str, name: str) -> str:
    """Returns the path of a file; if no file is called so, the name is taken without spaces around it."""
    path = os.path.join(folder, name)
    return path if os.path.isfile(path) else os.path.join(folder, name.strip())
