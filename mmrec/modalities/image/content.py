"""The photos of a catalog."""

from __future__ import annotations

from dataclasses import dataclass

from mmrec.data.content import RawField
from mmrec.data.feature_store import digest
from mmrec.data.media import FileContent, content
from mmrec.preprocess.images import MAX_PIXELS
from mmrec.preprocess.transcode import graph_readable


@dataclass(frozen=True)
class PhotoContent(FileContent):
    """Photos of N items.

    Attributes:
      most: P, photos that the export reads of an item, the first ones.
      max_pixels: width times height above which a photo is unreadable.
    """

    most: int = 1
    max_pixels: int = MAX_PIXELS

    def photo(self, item: int, number: int = 0) -> bytes:
        """Returns a photo of an item (both 0-based) as the graph reads it; b"" where there is none."""
        files = self.of(item)
        return graph_readable(content(files[number]), self.max_pixels) if number < len(files) else b""

    def value(self, column: str, item: int) -> RawField:
        """Returns the photo of an item, or a list of P where the export reads several."""
        photos = [self.photo(item, number) for number in range(self.most)]
        return photos[0] if len(photos) == 1 else photos

    def digest(self, column: str, item: int) -> bytes:
        """Returns the SHA-256 of the photos that the export reads of an item, or of nothing."""
        numbers = range(min(self.most, len(self.of(item))))
        return digest(*(self.file_digest(item, number) for number in numbers))
