"""What `mmrec check` reports about attributes."""

from __future__ import annotations

from mmrec.data.content import ColumnContent
from mmrec.modalities.checks import Checks


class AttributesChecks(Checks):
    """Says of each column how many items have something in it."""

    def coverage(self, content: ColumnContent) -> dict[str, float]:
        return {f"attribute {column}": share for column, share in content.shares.items()}
