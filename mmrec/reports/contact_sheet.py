"""A picture of answers: a row per shopper, with the photos of what was taken and of what is shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps

TILE, GAP, MARGIN = 92, 10, 20  # px
_CAPTION = 30  # px below a photo, two lines
_HEADING, _BETWEEN = 34, 44  # px: above all rows; between the two sides
_INK, _FAINT, _LINE, _EMPTY = (32, 33, 36), (95, 99, 104), (218, 220, 224), (241, 243, 244)
_SMALL, _LARGE = 11, 16  # px


class Item(NamedTuple):
    """A tile.

    Attributes:
      caption: shown below the photo, on two lines at most.
      photo: an encoded photo, or b"": the tile is grey.
    """

    caption: str
    photo: bytes = b""


class Shopper(NamedTuple):
    """A row."""

    took: Sequence[Item]
    shown: Sequence[Item]


def contact_sheet(shoppers: Sequence[Shopper], headings: tuple[str, str] = ("took", "is shown")) -> Image.Image:
    """Draws what shoppers took beside what they are shown.

    Args:
      shoppers: at least one; a row each. Photos may be of any size and of any format that Pillow reads.
      headings: above the two sides.

    Returns:
      An RGB image, as wide as the longest row needs.
    """
    columns = [max(1, *(len(row[side]) for row in shoppers)) for side in range(2)]
    left = [MARGIN, MARGIN + _width(columns[0]) + _BETWEEN]
    height = TILE + _CAPTION + GAP
    size = (left[1] + _width(columns[1]) + MARGIN, MARGIN + _HEADING + height * len(shoppers) + MARGIN - GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for x, heading in zip(left, headings, strict=True):
        draw.text((x, MARGIN), heading, _INK, ImageFont.load_default(_LARGE))
    middle = left[1] - _BETWEEN // 2
    draw.line((middle, MARGIN, middle, size[1] - MARGIN), _LINE)
    for number, row in enumerate(shoppers):
        top = MARGIN + _HEADING + number * height
        for x, items in zip(left, row, strict=True):
            for place, item in enumerate(items):
                _draw_item(sheet, draw, item, x + place * (TILE + GAP), top)
    return sheet


def to_png(sheet: Image.Image) -> bytes:
    """Returns the encoded image, with a palette of 256 colours: a tenth of the bytes, and hard to tell apart."""
    file = io.BytesIO()
    sheet.quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw_item(sheet: Image.Image, draw: ImageDraw.ImageDraw, item: Item, x: int, y: int) -> None:
    draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), _EMPTY)
    if item.photo:
        with Image.open(io.BytesIO(item.photo)) as photo:
            upright = ImageOps.exif_transpose(photo).convert("RGBA")
        tile = ImageOps.contain(upright, (TILE, TILE), Image.Resampling.LANCZOS)
        white = Image.new("RGBA", tile.size, "white")  # behind a photo, as where photos are read
        place = (x + (TILE - tile.width) // 2, y + (TILE - tile.height) // 2)
        sheet.paste(Image.alpha_composite(white, tile).convert("RGB"), place)
    font = ImageFont.load_default(_SMALL)
    for number, line in enumerate(caption_lines(item.caption, font, TILE)):
        draw.text((x, y + TILE + 3 + number * (_SMALL + 2)), line, _FAINT, font)


def caption_lines(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Returns a text on at most two lines that fit into a width, px; what does not fit ends in an ellipsis."""
    lines, words = [""], text.split()
    while words:
        longer = f"{lines[-1]} {words[0]}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            words.pop(0)
        elif lines[-1] and len(lines) < 2:
            lines.append("")
        else:
            rest = longer
            while rest and font.getlength(f"{rest}…") > width:
                rest = rest[:-1]
            lines[-1], words = f"{rest.rstrip()}…", []
    return lines


def _width(columns: int) -> int:
    return columns * (TILE + GAP) - GAP
