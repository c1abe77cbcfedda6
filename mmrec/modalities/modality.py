"""What a modality is to the jobs: one folder from the catalog's columns to the tower and the export."""

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
    """One thing that items show or say. Constructed as `Modality(config, tables)`, which prepares the features.

    Class methods come before there is an instance: they name the catalog's columns, read them, and name the inputs of
    the export. To add a modality, make a folder with a class that extends this one, and name it in `modalities.names`;
    or, outside this package, in `item.modalities` as `my_package.smell:Smell`, with settings under
    `item.custom.<name>`.

    Modules of Keras are imported only where training needs them: reading a catalog, as a refresh does, needs none.

    Args:
      config: the settings.
      tables: the catalog and the interactions.

    Attributes:
      name: what it is called in configs, metrics and exports.
      Settings: its settings, the section `item.<name>`, or `item.custom.<name>` of one outside this package.
      reserved: names of inputs that no column of another modality gets.
      reasons: in words, what those of its `counts` mean that training reports.
      checks: what `mmrec check` asks of it.
      source: the features by item row, for training and evaluation.
      counts: what was left out, by reason, for the metrics.
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
        """Returns its settings; `where` begins a message, such as the file of the config.

        Raises:
          InputError: those under `item.custom` break a rule; the message names the key.
        """
        if cls.name in MODALITIES:
            return getattr(config.item, cls.name)
        return custom_settings(cls.name, cls.Settings, config.item.custom.get(cls.name, {}), where)

    @classmethod
    def require_settings(cls, config: Config) -> None:
        """Raises InputError where the settings name what cannot be found; called before any data is read."""
        cls.settings(config)

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        """Returns the columns of the catalog that it reads.

        Raises:
          InputError: the config names none.
        """
        return ()

    @classmethod
    def read(cls, table: pd.DataFrame, rows: ndarray, config: Config, as_written: bool = False) -> Content | None:
        """Reads and checks its columns.

        Args:
          table: [R], all rows of the catalog in the order of the file, with `columns` and others.
          rows: int64 [N], the 0-based rows of the items, in the order of the items.
          config: the settings.
          as_written: whether categories such as `9.0` stay so, which models of earlier versions of mmrec need.

        Returns:
          The items' content; None: the modality reads nothing but their ids.

        Raises:
          InputError: naming file, row and column of each kind of fault.
        """
        return None

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> Iterable[schema.Field]:
        """Lists its raw inputs in the export, one after the other.

        Args:
          config: names the columns.
          names: what training called the columns of `data.catalog`, in the same order; see `refreshing.columns`.
          free: wanted name of an input -> the name, changed so that TensorFlow allows it and no other input has it.

        Returns:
          A field for each input.
        """
        return ()

    @classmethod
    def identity_files(cls, config: Config) -> Sequence[str]:
        """Returns the files and folders in the settings whose content is part of a run's identity."""
        return ()

    @classmethod
    def quick(cls, config: Config) -> bool:
        """Returns whether every step of training can afford to compute the vectors of all items."""
        return False

    @classmethod
    def notes(cls, config: Config) -> Sequence[str]:
        """Returns sentences for the model card: what it reads and what it does not."""
        return ()

    def __init__(self, config: Config, tables: Tables):
        raise NotImplementedError

    def tower(self) -> layers.Layer:
        """Returns a new tower: features (first dimension B) -> float32 [B, D], and bool [B], whether it is present."""
        raise NotImplementedError

    def reader(self) -> Reader:
        """Returns the reader of the export, which turns raw inputs into the same features as `source`."""
        raise NotImplementedError

    def learnt(self) -> Mapping[str, bytes]:
        """Returns what was learnt on the catalog, as files by name; training on a changed catalog can reuse it."""
        return {}

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        """Variables of a pretrained network that trains; they move at `training.backbone_learning_rate`."""
        return ()

    def refresh(self, tower: layers.Layer) -> None:
        """Recomputes the features that depend on weights that train.

        Args:
          tower: the modality's tower, as it is now.
        """
