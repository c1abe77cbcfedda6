"""The contract of a modality: one folder from the catalog's columns to the tower and the export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd
import tensorflow as tf
from numpy import ndarray

from mmrec import schema
from mmrec.config import Config
from mmrec.config.custom import custom_settings
from mmrec.config.section import Section
from mmrec.data.content import Content
from mmrec.data.features import FeatureSource
from mmrec.data.shop_tables import Tables
from mmrec.modalities.checks import Checks
from mmrec.modalities.names import MODALITIES
from mmrec.modalities.reader import Reader

if TYPE_CHECKING:
    from tf_keras import layers


class Modality:
    """One kind of content that items have, such as photos. `Modality(config, tables)` prepares the features.

    The class methods work before there is data: they name the columns, read and check them, and list the inputs of the
    export. To add a modality, make a folder with a class that extends this one and list it in `modalities.names`;
    outside of this package, name it in `item.modalities` as `my_package.smell:Smell`, with settings under
    `item.custom.<name>`.

    Import Keras inside of `tower` only: a refresh reads catalogs without it.

    Args:
      config: the whole config.
      tables: the catalog and the interactions.

    Attributes:
      name: its name in configs, metrics and exports.
      Settings: the section of its settings: `item.<name>`, or `item.custom.<name>` outside of this package.
      reserved: input names that no column of another modality may take.
      reasons: the reasons in `counts` in words, as training prints them.
      checks: what `mmrec check` reports about it.
      source: the features by item row, for training and evaluation.
      counts: number of values left out, by reason, for the metrics.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[Section]] = Section
    reserved: ClassVar[Sequence[str]] = ()
    reasons: ClassVar[Mapping[str, str]] = {}
    checks: ClassVar[type[Checks]] = Checks

    source: FeatureSource
    counts: Mapping[str, int] = {}

    @classmethod
    def settings(cls, config: Config, where: str = "config") -> Any:
        """Returns its settings.

        Args:
          config: the whole config.
          where: the start of a message, such as the file of the config.

        Raises:
          InputError: those under `item.custom` break a rule; the message names the key.
        """
        if cls.name in MODALITIES:
            return getattr(config.item, cls.name)
        return custom_settings(cls.name, cls.Settings, config.item.custom.get(cls.name, {}), where)

    @classmethod
    def require_settings(cls, config: Config) -> None:
        """Raises InputError where the settings name a file or package that is missing; runs before any data is read."""
        cls.settings(config)

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        """Returns the columns of the catalog that it reads.

        Raises:
          InputError: the config names no column.
        """
        return ()

    @classmethod
    def read(cls, table: pd.DataFrame, rows: ndarray, config: Config, as_written: bool = False) -> Content | None:
        """Reads and checks its columns.

        Args:
          table: [R], all rows of the catalog in the order of the file, with `columns` and others.
          rows: int64 [N], the 0-based rows of the items, in the order of the items.
          config: the settings.
          as_written: whether categories keep their spelling, `9.0` and not `9`, as exports of earlier versions expect.

        Returns:
          The content of the items; None: the modality reads ids alone.

        Raises:
          InputError: naming file, row and column of each kind of fault.
        """
        return None

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> Iterable[schema.Field]:
        """Lists its raw inputs in the export.

        Args:
          config: names the columns.
          names: the columns of `data.catalog` as training named them, in the same order; see `refreshing.columns`.
          free: makes a valid and unused input name of a wanted one.

        Returns:
          A field for each input.
        """
        return ()

    @classmethod
    def identity_files(cls, config: Config) -> Sequence[str]:
        """Returns files and folders, named in the settings, whose content belongs to the identity of a run."""
        return ()

    @classmethod
    def quick(cls, config: Config) -> bool:
        """Returns whether it is cheap to compute the vectors of all items in every training step."""
        return False

    @classmethod
    def notes(cls, config: Config) -> Sequence[str]:
        """Returns sentences for the model card: what it reads and what it does not."""
        return ()

    def __init__(self, config: Config, tables: Tables):
        raise NotImplementedError

    def tower(self) -> layers.Layer:
        """Returns a new tower: features (first dimension B) -> float32 [B, D], and bool [B], whether items have it."""
        raise NotImplementedError

    def reader(self) -> Reader:
        """Returns the reader that turns raw inputs of the export into the same features as `source`."""
        raise NotImplementedError

    def learnt(self) -> Mapping[str, bytes]:
        """Returns what was learnt on the catalog, as files by name; training on a changed catalog can reuse it."""
        return {}

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        """Variables of a pretrained network that trains; they move at `training.backbone_learning_rate`."""
        return ()

    def refresh(self, tower: layers.Layer) -> None:
        """Brings features that depend on weights in training up to date."""
