"""Finds blank, blurred and similar photos, on pixels made by hand."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from mmrec.modalities.image.audit import audit_photos as audit_content
from mmrec.modalities.image.audit import difference_hash, flat_and_blurred, photo_findings
from tests.catalogs import catalog_of


def drawing(seed, size=96):
    """Draws squares of random colours."""
    squares = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(squares).resize((size, size), Image.Resampling.NEAREST)


def encoded(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def catalog(*photos):
    return catalog_of([f"item-{i}" for i in range(len(photos))], image=photos)


def audit_photos(shop, size, batch=64):
    return audit_content(shop.content["image"], size, batch)


def test_a_step_of_colour_is_sharp_and_a_ramp_is_not():
    step, ramp = np.zeros((2, 64, 64, 3), np.uint8)
    step[:, 32:] = 200  # Laplacian +-200 on 2 of 62 columns: variance 1290, over 100 squared: 0.13
    ramp[:] = np.arange(0, 128, 2)[:, None]  # Laplacian 0
    flat, blurred = flat_and_blurred(np.stack([step, ramp]))
    assert flat.tolist() == [False, False]
    assert blurred.tolist() == [False, True]


def test_contrast_does_not_make_a_photo_sharp_or_blurred():
    photo = np.asarray(drawing(0), np.float32)
    soft = np.asarray(drawing(0).filter(ImageFilter.GaussianBlur(9)), np.float32)
    faint = np.stack([100 + 0.3 * photo, 100 + 0.3 * soft]).round().astype(np.uint8)
    assert flat_and_blurred(faint)[1].tolist() == [False, True]


@pytest.mark.parametrize(("deviation", "expected"), [(3, True), (5, False)])
def test_a_photo_is_blank_below_a_deviation_of_four_levels_in_every_channel(deviation, expected):
    photo = np.full((1, 32, 32, 3), 128, np.uint8)
    photo[:, ::2, :, 2] += deviation  # half of the pixels at +d and half at -d: their deviation is d
    photo[:, 1::2, :, 2] -= deviation
    assert flat_and_blurred(photo)[0].tolist() == [expected]


def test_the_hash_says_where_a_photo_grows_brighter():
    photo = np.zeros((1, 36, 36, 3), np.uint8)
    photo[:] = (np.arange(36) // 4 * 20)[None, :, None]  # nine columns, each brighter than the one before
    rightwards, downwards = difference_hash(photo).reshape(2, 8, 8)
    assert rightwards.all()
    assert not downwards.any()


def test_a_photo_saved_again_is_a_near_duplicate_and_a_recoloured_one_is_not():
    recoloured = Image.fromarray(np.roll(np.asarray(drawing(1)), 1, axis=2) // 2)
    report = audit_photos(
        catalog(encoded(drawing(1)), encoded(drawing(1), "JPEG", quality=80), encoded(recoloured), encoded(drawing(2))),
        64,
    )
    assert (report.distinct, report.near_duplicates, report.duplicates) == (4, 2, [])


def test_batches_change_nothing_and_files_that_are_gone_count_as_unreadable():
    photos = [encoded(drawing(seed)) for seed in (0, 1, 0, 2)]
    shop = catalog(*photos, None, b"no photo", "/no/such/file.png")
    one, all_at_once = audit_photos(shop, 32, batch=1), audit_photos(shop, 32, batch=64)
    assert one == all_at_once
    assert (one.photos, one.distinct, one.unreadable, one.duplicates) == (6, 5, [5, 6], [[0, 2]])


def test_unreadable_photos_are_an_error_only_where_training_stops_at_them():
    shop = catalog(b"no photo")
    for stops, severity in ((True, "error"), (False, "warning")):
        (finding,) = photo_findings(audit_photos(shop, 32), shop, stops)
        assert (finding.severity, finding.code, finding.rows) == (severity, "unreadable_photos", (1,))


def test_a_catalog_without_photos_is_fine():
    report = audit_photos(catalog(None, None), 32)
    assert report.facts() == dict.fromkeys(report.facts(), 0)
    assert photo_findings(report, SimpleNamespace(), True) == []
