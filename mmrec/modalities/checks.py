"""The contract of what `mmrec check` asks of a modality."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.content import Content
from mmrec.data.findings import Finding

if TYPE_CHECKING:
    from mmrec.modalities.modality import Modality


class Audit(NamedTuple):
    """The result of looking at a catalog's content.

    Attributes:
      what: the key of the facts, in the plural: `photos`.
      opened: int64, 0-based positions of the items that were looked at.
      every: int64, positions of all items that could be looked at.
      facts: counts and shares, ready for JSON; empty: there was nothing to look at.
      findings: observations for the user, each with its remedy.
      lines: the facts for people, each as a label and plain words.
      usable: int64, positions of some items whose content can be read. The cost is measured on them; None: on any
        items. If it is empty, the cost cannot be measured.
      unreadable: int64, positions of the items that were looked at and whose content cannot be read.
      errors: message -> code of its finding, for what cannot be used at all.
    """

    what: str
    opened: np.ndarray
    every: np.ndarray
    facts: dict
    findings: Sequence[Finding] = ()
    lines: Sequence[tuple[str, str]] = ()
    usable: np.ndarray | None = None
    unreadable: np.ndarray | Sequence[int] = ()
    errors: Mapping[str, str] = {}


class Cost(NamedTuple):
    """What a modality costs in addition to the model's own weights.

    Attributes:
      seconds: of preparing, by part.
      memory_bytes: while training, by part.
      disk_bytes: of caches, by part.
      export_bytes: in an export, where they are also held in memory.
      beside_dim: width that the modality adds to the item vectors of `retrieval.neighbours`.
      basis: what was measured, in words.
    """

    seconds: Mapping[str, float] = {}
    memory_bytes: Mapping[str, int] = {}
    disk_bytes: Mapping[str, int] = {}
    export_bytes: int = 0
    beside_dim: int = 0
    basis: Sequence[str] = ()


class Checks:
    """Constructed as `Checks(modality, config)`; a modality extends it where it has more to say.

    Args:
      modality: its class.
      config: the settings.

    Attributes:
      called: the content of an item in words, such as "a photo"; "": the name of the modality.
      probed: most items on which the cost is measured; None: all.
    """

    called: ClassVar[str] = ""
    probed: ClassVar[int | None] = None

    def __init__(self, modality: type[Modality], config: Config):
        self.name, self.config, self.settings = modality.name, config, modality.settings(config)

    def require_files(self) -> None:
        """Raises InputError where a file that the settings name is absent."""

    def caches(self) -> bool:
        """Returns whether preparing writes to `data.cache_dir`."""
        return False

    def coverage(self, content: Content) -> dict[str, float]:
        """Computes how many items have content.

        Args:
          content: what the modality read of the catalog.

        Returns:
          Share of the items, 0 to 1, by name of the content.
        """
        return {self.name: float(np.mean(~content.missing))}

    def audit(self, catalog: Catalog, deep: bool, user_ids: Collection[str]) -> Audit | None:
        """Looks at the content.

        Args:
          catalog: the items.
          deep: whether to look at all items instead of a sample.
          user_ids: of the interactions.

        Returns:
          The result; None: there is nothing to look at.
        """
        return None

    def cost(self, modality: Modality, catalog: Catalog, usable: np.ndarray | None) -> Cost:
        """Estimates what the modality costs.

        Args:
          modality: prepared on a sample.
          catalog: all items.
          usable: see `Audit`.

        Returns:
          The cost for all items.
        """
        return Cost()


def spread(places: np.ndarray, most: int) -> np.ndarray:
    """Returns at most `most` of some places (int64 [P]), at equal distances.

    >>> spread(np.array([4, 5, 6, 7, 8]), 3).tolist()
    [4, 6, 8]
    """
    return places[np.unique(np.linspace(0, len(places) - 1, most).astype(int))] if len(places) else places
