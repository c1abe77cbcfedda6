"""What `mmrec check` reports about ready-made vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mmrec.data.catalog import Catalog
from mmrec.modalities.checks import Checks, Cost

if TYPE_CHECKING:
    from mmrec.modalities.features.modality import FeaturesModality


class FeaturesChecks(Checks):
    """Says how much memory the vectors take."""

    def cost(self, modality: FeaturesModality, catalog: Catalog, usable: np.ndarray | None) -> Cost:
        return Cost(memory_bytes={self.name: catalog.content[self.name].values.nbytes})
