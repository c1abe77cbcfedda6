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
    """One thing that items show or say. Constructed as `Modality(config, tables)`, which prepares the features.

    Before there is data, its class says which columns it reads, reads them, and names its inputs in the export. Whoever
    adds one makes a folder with a class that extends this one, and names it in `modalities.names`; or, outside this
    package, in `item.modalities` as `my_package.smell:Smell`, with settings under `item.custom.<name>`.

    Modules of Keras load where a training asks for them: to read a catalog, as a refresh does, takes none.

    Attributes:
      name: what it is called in configs, metrics and exports.
      Settings: its settings, the section `item.<name>`, or `item.custom.<name>` of one outside this package.
      reserved: names of inputs that no column of another modality gets.
      reasons: what its `counts` mean in words, for those that a training tells of.
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
          as_written: whether categories written as `9.0` stay so: models of earlier versions of mmrec know no others.

        Returns:
          What the items have of it; None: nothing beside their ids.

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
          free: wanted name of an input -> that, as TensorFlow lets an input be called and none that is taken.
        """
        return ()

    @classmethod
    def identity_files(cls, config: Config) -> Sequence[str]:
        """Returns paths that the settings name and whose content belongs to the identity of a run; folders too."""
        return ()

    @classmethod
    def quick(cls, config: Config) -> bool:
        """Returns whether the vectors of all items can be computed anew in every step of training."""
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
        """Returns what reads raw inputs in the export, to the same features as `source`."""
        raise NotImplementedError

    def learnt(self) -> Mapping[str, bytes]:
        """Returns what was learnt on the catalog, as files by name: a later training on a changed one takes it up."""
        return {}

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        """Variables of a pretrained network that trains; they move at `training.backbone_learning_rate`."""
        return ()

    def refresh(self, tower: layers.Layer) -> None:
        """Brings features that depend on weights in training up to date."""
