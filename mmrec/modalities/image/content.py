"""The photos of a catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmrec.data.content import RawField
from mmrec.data.media import File, FileContent, content
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

    def photos(self, item: int) -> Sequence[File]:
        """Returns all photos of the item at this position (0-based): paths or encoded bytes."""
        files = self.files[item]
        return files if isinstance(files, tuple) else () if files is None else (files,)

    def photo(self, item: int, number: int = 0) -> bytes:
        """Returns a photo of an item (both 0-based) as the graph reads it; b"" where there is none."""
        files = self.photos(item)
        return graph_readable(content(files[number]), self.max_pixels) if number < len(files) else b""

    def value(self, column: str, item: int) -> RawField:
        """Returns the photo of an item, or a list of P where the export reads several."""
        photos = [self.photo(item, number) for number in range(self.most)]
        return photos[0] if len(photos) == 1 else photos
