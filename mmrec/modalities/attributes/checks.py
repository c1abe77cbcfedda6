"""What `mmrec check` reports about attributes."""

from __future__ import annotations

from mmrec.data.content import ColumnContent
from mmrec.modalities.checks import Checks


class AttributesChecks(Checks):
    """Reports for each column how many items have a value."""

    def coverage(self, content: ColumnContent) -> dict[str, float]:
        return {f"attribute {column}": share for column, share in content.shares.items()}
