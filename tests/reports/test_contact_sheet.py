"""The picture of what shoppers took and are shown."""

import io

import numpy as np
from PIL import Image, ImageFont

from mmrec.reports.contact_sheet import GAP, MARGIN, TILE, Item, Shopper, caption_lines, contact_sheet, to_png

HEADING = 34


def photo(colour, size=(40, 20)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def colour_at(sheet, side_x, place, dx=TILE // 2, dy=TILE // 2):
    return sheet.getpixel((side_x + place * (TILE + GAP) + dx, MARGIN + HEADING + dy))


def test_each_side_shows_its_photos_in_order_and_fits_them_into_square_tiles():
    took = [Item("a", photo("red")), Item("b", photo("blue", (20, 40)))]
    sheet = contact_sheet([Shopper(took, [Item("c", photo("lime"))])])
    assert colour_at(sheet, MARGIN, 0) == (255, 0, 0)
    assert colour_at(sheet, MARGIN, 1) == (0, 0, 255)
    assert colour_at(sheet, MARGIN, 0, dy=2) == (241, 243, 244)  # a wide photo leaves the top grey
    assert colour_at(sheet, MARGIN, 1, dx=2) == (241, 243, 244)  # a tall one the left
    right = MARGIN + 2 * (TILE + GAP) - GAP + 44
    assert colour_at(sheet, right, 0) == (0, 255, 0)
    assert sheet.size == (right + TILE + MARGIN, MARGIN + HEADING + TILE + 30 + MARGIN)


def test_an_item_without_a_photo_is_a_grey_tile_and_rows_may_be_of_any_length():
    sheet = contact_sheet([Shopper([Item("a")], []), Shopper([], [Item("b")])])
    assert colour_at(sheet, MARGIN, 0) == (241, 243, 244)
    assert sheet.width == MARGIN + TILE + 44 + TILE + MARGIN


def test_what_is_transparent_is_white():
    file = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(file, "PNG")
    assert colour_at(contact_sheet([Shopper([Item("a", file.getvalue())], [])]), MARGIN, 0) == (255, 255, 255)


def test_captions_take_two_lines_and_end_in_an_ellipsis_where_they_are_longer():
    font = ImageFont.load_default(11)
    assert caption_lines("Red mug", font, TILE) == ["Red mug"]
    first, second = caption_lines("A very long title of a mug that goes on and on", font, TILE)
    assert second.endswith("…")
    assert max(font.getlength(first), font.getlength(second)) <= TILE
    (cut,) = [line for line in caption_lines("x" * 200, font, TILE) if line]
    assert cut.endswith("…")


def test_the_png_is_small_and_keeps_the_picture():
    noisy = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    file = io.BytesIO()
    noisy.save(file, "PNG")
    sheet = contact_sheet([Shopper([Item("a", file.getvalue())] * 5, [Item("b", photo("red"))] * 5)] * 4)
    encoded = to_png(sheet)
    assert len(encoded) < 300_000
    with Image.open(io.BytesIO(encoded)) as image:
        assert image.size == sheet.size
