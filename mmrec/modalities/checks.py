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
    """What was seen of a catalog's content.

    Attributes:
      what: the key of the facts, in the plural: `photos`.
      opened: int64, 0-based positions of the items that were looked at.
      every: int64, those of the items that could have been.
      facts: counts and shares, ready for JSON; empty: there was nothing to look at.
      findings: what to look at.
      lines: the facts as a label and plain words, for people.
      usable: int64, positions of some items whose content can be read, which stand in for all where the cost is
        measured; None: any. Where it is empty the cost cannot be measured.
      unreadable: int64, positions of the items that were looked at and whose content cannot be read.
      errors: what cannot be used at all, with the code of its finding.
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
    """What a modality costs beside the model's own weights, by part.

    Attributes:
      seconds: of preparing.
      memory_bytes: while training.
      disk_bytes: of caches.
      export_bytes: in an export; they are in memory, too.
      beside_dim: values of an item that `retrieval.neighbours` searches beside the towers' and its own.
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
      called: what few items have, in words; "": the name of the modality.
      probed: most items whose content stands in for all where the cost is measured; None: all.
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
        """Returns the share of the items that have what it reads, by what that is called."""
        return {self.name: float(np.mean(~content.missing))}

    def audit(self, catalog: Catalog, deep: bool, user_ids: Collection[str]) -> Audit | None:
        """Looks at the content.

        Args:
          catalog: the items.
          deep: whether all of it is looked at; otherwise a sample.
          user_ids: of the interactions.

        Returns:
          What was seen; None: there is nothing to look at.
        """
        return None

    def cost(self, modality: Modality, catalog: Catalog, usable: np.ndarray | None) -> Cost:
        """Returns what it costs.

        Args:
          modality: prepared on a sample.
          catalog: all items.
          usable: see `Audit`.
        """
        return Cost()


def spread(places: np.ndarray, most: int) -> np.ndarray:
    """Returns at most `most` of some places (int64 [P]), at equal distances.

    >>> spread(np.array([4, 5, 6, 7, 8]), 3).tolist()
    [4, 6, 8]
    """
    return places[np.unique(np.linspace(0, len(places) - 1, most).astype(int))] if len(places) else places
