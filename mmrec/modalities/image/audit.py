"""Opens photos and finds those that are unreadable, blank, blurred or duplicates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mmrec.data.catalog import Catalog
from mmrec.data.findings import Finding, about_items, percent
from mmrec.modalities.image.content import PhotoContent
from mmrec.preprocess.images import decode_photos

BLANK = 4.0  # standard deviation of every colour channel, 0..255, below which a photo shows nothing
BLURRED = 0.005  # variance of the Laplacian over the variance of the pixels, below which no edge is sharp
_ROUNDING = 1.0  # more than what rounding to whole levels adds to the variance of the Laplacian: 20 / 36
SHARED = 10  # items with one photo from which it looks like a placeholder
_HASH_BITS, _BANDS, _DISTANCE = 128, 5, 4  # two hashes are near when at most 4 bits differ: one of 5 bands is equal
_NEIGHBOURS = 64  # hashes of equal band that each is compared with
_COLOUR = 8.0  # mean colours of near duplicates differ by less, 0..255
_MANY = 0.05  # share of the distinct photos


@dataclass(frozen=True)
class PhotoAudit:
    """The result of opening photos; item positions are 0-based and sorted.

    Attributes:
      photos: items that name a photo.
      distinct: different files among them, by content (SHA-256), the unreadable ones included.
      unreadable: items whose photo cannot be decoded.
      blank: items whose photo is nearly of one colour.
      blurred: items whose photo has no sharp edge at the model's size, the blank ones not among them.
      duplicates: groups of items with the same file, the largest first.
      near_duplicates: distinct photos that look like another one (at least: each is compared with those most alike).
    """

    photos: int
    distinct: int
    unreadable: list[int]
    blank: list[int]
    blurred: list[int]
    duplicates: list[list[int]]
    near_duplicates: int

    def facts(self) -> dict:
        """Returns the counts, ready for JSON."""
        return {
            "photos": self.photos,
            "distinct": self.distinct,
            "unreadable": len(self.unreadable),
            "blank": len(self.blank),
            "blurred": len(self.blurred),
            "duplicate_groups": len(self.duplicates),
            "items_with_duplicate": sum(map(len, self.duplicates)),
            "near_duplicates": self.near_duplicates,
        }


def audit_photos(content: PhotoContent, size: int, batch: int = 64) -> PhotoAudit:
    """Opens all photos, each distinct file once; at most `batch` of them are in memory.

    Args:
      content: the photos of the items.
      size: width and height that the model sees, pixels; sharpness is judged at that size.
      batch: photos decoded at once.
    """
    groups: dict[bytes, list[tuple[int, int]]] = {}
    for item in range(len(content.files)):
        for number in range(len(content.of(item))):
            groups.setdefault(hashlib.sha256(_read(content, item, number)).digest(), []).append((item, number))
    places = [group[0] for group in groups.values()]
    members = [list(dict.fromkeys(item for item, _ in group)) for group in groups.values()]
    readable, blank, blurred = (np.zeros(len(members), bool) for _ in range(3))
    hashes, colours = np.zeros((len(members), _HASH_BITS), bool), np.zeros((len(members), 3), np.float32)
    for start in range(0, len(members), batch):
        part = slice(start, start + batch)
        encoded = tf.constant([_read(content, *place) for place in places[part]])
        pixels, readable[part] = (tensor.numpy() for tensor in decode_photos(encoded, size, content.max_pixels))
        blank[part], blurred[part] = flat_and_blurred(pixels)
        hashes[part], colours[part] = difference_hash(pixels), pixels.mean(axis=(1, 2))
    blank, blurred = blank & readable, blurred & readable & ~blank
    telling = readable & ~blank

    def items(chosen: np.ndarray) -> list[int]:
        return sorted({item for group, one in zip(members, chosen, strict=True) if one for item in group})

    return PhotoAudit(
        photos=int((~content.missing).sum()),
        distinct=len(members),
        unreadable=items(~readable),
        blank=items(blank),
        blurred=items(blurred),
        duplicates=sorted((group for group in members if len(group) > 1), key=lambda group: (-len(group), group)),
        near_duplicates=int(_near_another(hashes[telling], colours[telling]).sum()),
    )


def flat_and_blurred(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Judges photos, uint8 [B, S, S, 3].

    Returns:
      bool [B]: nearly of one colour. bool [B]: without a sharp edge, by the variance of the Laplacian over that of the
      pixels, so that contrast does not matter.

    Source: Pech-Pacheco et al., ICPR 2000, doi:10.1109/ICPR.2000.903548; the division is ours.
    """
    pixels = pixels.astype(np.float32)
    grey = pixels.mean(axis=3)  # [B, S, S]
    around = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:]
    sharpness = (around - 4 * grey[:, 1:-1, 1:-1]).var(axis=(1, 2))
    flat = pixels.std(axis=(1, 2)).max(axis=1) < BLANK
    return flat, sharpness < _ROUNDING + BLURRED * grey.var(axis=(1, 2))


def difference_hash(pixels: np.ndarray) -> np.ndarray:
    """Returns bool [B, 128] of photos uint8 [B, S, S, 3]: where a coarse grid grows brighter to the right and down."""
    grey = tf.reduce_mean(tf.cast(pixels, tf.float32), axis=3, keepdims=True)
    grid = tf.image.resize(grey, [9, 9], "area").numpy()[..., 0]  # [B, 9, 9]
    steps = np.stack([np.diff(grid, axis=2)[:, :8], np.diff(grid, axis=1)[:, :, :8]], axis=1)  # [B, 2, 8, 8]
    return steps.reshape(len(pixels), _HASH_BITS) > 1.0  # less is noise


def _near_another(hashes: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Returns bool [P]: whether another photo has nearly the same hash (bool [P, 128]) and mean colour ([P, 3])."""
    near_another = np.zeros(len(hashes), bool)
    for band in np.array_split(np.arange(_HASH_BITS), _BANDS):
        keys, packed = np.packbits(hashes[:, band], axis=1), np.packbits(hashes, axis=1)
        order = np.lexsort((*packed.T, *keys.T))  # equal bands stand together, alike hashes next to each other
        keys, packed = keys[order], packed[order]
        for distance in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
            left, right = order[:-distance], order[distance:]
            near = (keys[:-distance] == keys[distance:]).all(axis=1)
            if not near.any():
                break
            near &= np.bitwise_count(packed[:-distance] ^ packed[distance:]).sum(axis=1) <= _DISTANCE
            near &= np.abs(colours[left] - colours[right]).max(axis=1) < _COLOUR
            near_another[left[near]] = near_another[right[near]] = True
    return near_another


def photo_findings(audit: PhotoAudit, catalog: Catalog, stops: bool) -> list[Finding]:
    """Says what is wrong with the photos.

    Args:
      audit: what was seen.
      catalog: the items.
      stops: whether training refuses unreadable photos (`data.catalog.on_missing_image: error`).
    """
    findings = []

    def add(severity: str, code: str, items: list[int], text: str, remedy: str) -> None:
        if items:
            findings.append(about_items(severity, code, text.format(f"{len(items):,}"), remedy, catalog, items))

    placeholders = [item for group in audit.duplicates if len(group) >= SHARED for item in group]
    doubles = [item for group in audit.duplicates if len(group) < SHARED for item in group]
    unreadable = "Replace them" + (", or set `data.catalog.on_missing_image: mask`." if stops else ".")
    add("error" if stops else "warning", "unreadable_photos", audit.unreadable, "{} photos cannot be read.", unreadable)
    add("warning", "blank_photos", audit.blank, "{} photos show next to nothing.", "Replace them, or leave them out.")
    add("note", "blurred_photos", audit.blurred, "{} photos have no sharp edge.", "Replace them by sharper ones.")
    text = f"{{}} items share a photo with {SHARED - 1} others or more."
    add("warning", "shared_photos", placeholders, text, "Leave it out where it is a placeholder: it says nothing.")
    add("note", "duplicate_photos", doubles, "{} items have the photo of another item.", "Merge items that are one.")
    if audit.near_duplicates > _MANY * audit.distinct:
        text = f"{percent(audit.near_duplicates / audit.distinct)} of the distinct photos look like another one."
        remedy = "Merge items that are one, or give other views."
        findings.append(Finding("note", "near_duplicate_photos", text, remedy))
    return findings


def _read(content: PhotoContent, item: int, number: int) -> bytes:
    try:
        return content.photo(item, number)
    except OSError:
        return b""
