"""Input that cannot be used, through the command line: one message with place and remedy, nothing left behind."""

import io
import json
import time
import zlib

import pytest

from mmrec.config import Config
from mmrec.jobs.tables import load_tables
from mmrec.modalities.image import tower as image
from tests.jobs.worlds import MeanColour
from tests.spoilt import SpoiltShop, refusal, trained

DAY = 24 * 60 * 60


@pytest.fixture
def shop(tmp_path, photo, monkeypatch):
    monkeypatch.setattr(image, "Backbone", MeanColour)
    return SpoiltShop(tmp_path, photo)


def date(day, zone=""):
    return f"2024-01-{day + 1:02}T12:00:00{zone}"


def tomorrow(days):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * DAY))


def large_png(width, height):
    """Returns a PNG of which only the header is there."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunk = (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk


def jpeg(size):
    from PIL import Image

    file = io.BytesIO()
    Image.effect_noise((size, size), 90).save(file, "JPEG")
    return file.getvalue()


TABLES = {
    "an absent catalog": (lambda s: s.set(data__catalog__path="no.csv"), "no.csv: no such file",
                          "Correct `data.catalog.path`"),
    "absent events": (lambda s: (s.folder / "events.csv").unlink(), "events.csv: no such file",
                      "Correct `data.interactions.path`"),
    "an absent column of items": (lambda s: s.set(data__catalog__payload=["titel"]), "items.csv: no column `titel`",
                                  "Did you mean `title`?"),
    "an absent column of events": (lambda s: s.set(data__interactions__timestamp="when"),
                                   "events.csv: no column `when`",
                                   "Map the columns under `data.interactions`"),
    "an id that appears twice": (lambda s: s.cell("items", 5, "item_id", "red-0"),
                                "items.csv, row 5, column `item_id`: ids must be unique. Received again: 'red-0'",
                                "Set `data.catalog.on_bad_row: skip`"),
    "an item without id": (lambda s: s.cell("items", 5, "item_id", ""), "items.csv, row 5, column `item_id`",
                           "Set `data.catalog.on_bad_row: skip`"),
    "an event of an unknown item": (lambda s: s.cell("events", 9, "item_id", "green-1"),
                                    "events.csv, row 9, column `item_id`: must be an item of the catalog. "
                                    "Received: 'green-1'", "Set `data.interactions.on_unknown_item: skip`"),
    "an event without user": (lambda s: s.cell("events", 9, "user_id", ""), "events.csv, row 9, column `user_id`",
                              "Set `data.interactions.on_bad_row: skip`"),
    "a time that is none": (lambda s: s.cell("events", 9, "timestamp", "soon"),
                            "events.csv, row 9, column `timestamp`: must be a number or an ISO 8601 date-time. "
                            "Received: 'soon'", "Set `data.interactions.on_bad_row: skip`"),
    "a date among numbers": (lambda s: s.cell("events", 9, "timestamp", "2024-01-01"),
                             "events.csv, row 9, column `timestamp`", "Set `data.interactions.on_bad_row: skip`"),
    "a time in the future": (lambda s: (s.times(date), s.cell("events", 9, "timestamp", "2999-01-01")),
                             "events.csv, row 9, column `timestamp`: must not be a date-time more than a day after "
                             "now. Received: '2999-01-01'", "Set `data.interactions.on_bad_row: skip`"),
    "zones in some rows": (lambda s: (s.times(date), s.cell("events", 9, "timestamp", date(3, "+02:00"))),
                           "events.csv, row 1 (and 142 more), column `timestamp`: must have a time zone, as other rows "
                           "have ('2024-01-04T12:00:00+02:00')", "Write a zone in every row, or in none"),
    "a row without zone": (lambda s: (s.times(lambda day: date(day, "Z")), s.cell("events", 9, "timestamp", date(2))),
                           "events.csv, row 9, column `timestamp`: must have a time zone",
                           "Write a zone in every row, or in none"),
    "no items": (lambda s: s.write("items", s.rows("items")[:1]), "items.csv: holds no rows",
                 "Give `data.catalog.path` a table with at least one"),
    "an empty catalog file": (lambda s: s.bytes("items", lambda _: b""), "items.csv: no column `item_id` (nor `title`)",
                              "Map the columns under `data.catalog`"),
    "one item": (lambda s: s.write("items", s.rows("items")[:2]), "items.csv: holds one item, 'red-0'",
                 "Give a catalog of two items or more"),
    "items without any difference": (lambda s: (s.set(item__modalities=["text"]),
                                                s.write("items", [[row[0], "title"] for row in s.rows("items")])),
                                     "items must differ in what is read of them. Received: 24 items without any "
                                     "difference in text", "Correct the columns under `data.catalog`"),
    "no events": (lambda s: s.write("events", s.rows("events")[:1]), "events.csv: holds no rows",
                  "Give `data.interactions.path` a table with at least one"),
    "users with one event only": (lambda s: s.write("events", s.rows("events")[:1] + s.rows("events")[1::6]),
                                  "`data.split`: leaves no validation query: all events have one single time",
                                  "a column with at least three different times"),
    "no event of a high rating": (lambda s: s.set(data__interactions__rating="timestamp",
                                                  data__interactions__min_rating=99),
                                  "events.csv: no positive event is left", "Check `min_rating`"),
    "a catalog that is not UTF-8": (lambda s: s.bytes("items", lambda old: old + b"x,gr\xf6n\n"),
                                    "items.csv: must be UTF-8. Received byte 0xf6", "Re-save it as UTF-8"),
    "events that are not UTF-8": (lambda s: s.bytes("events", lambda old: old.decode().encode("utf-16")),
                                  "events.csv: must be UTF-8. Received byte 0xff", "Re-save it as UTF-8"),
    "an unquoted comma": (lambda s: s.bytes("items", lambda old: old + b"x,red, long\n"),
                          "items.csv, line 26: must have 2 fields",
                          "Quote fields that hold commas or line breaks"),
    "a list as an id": (lambda s: s.json_cell("items", 4, "item_id", ["a"]),
                        "items.jsonl, row 4, column `item_id`: must be a text or a number. Received: ['a']",
                        "Write one value per row"),
    "an object as a title": (lambda s: (s.set(item__modalities=["text"]),
                                        s.json_cell("items", 4, "title", {"en": "a"})),
                             "items.jsonl, row 4, column `title`: must be a text or a number, or a list of them",
                             "Write it as such"),
    "a list as a user": (lambda s: s.json_cell("events", 4, "user_id", ["u"]), "events.jsonl, row 4, column `user_id`",
                         "Write one value per row"),
    "a list as a time": (lambda s: s.json_cell("events", 4, "timestamp", [3]),
                         "events.jsonl, row 4, column `timestamp`: must be a number or an ISO 8601 date-time",
                         "Set `data.interactions.on_bad_row: skip`"),
    "a truth value as a time": (lambda s: s.json_cell("events", 4, "timestamp", True),
                                "events.jsonl, row 4, column `timestamp`: must be a number",
                                "Set `data.interactions.on_bad_row: skip`"),
}  # fmt: skip

PHOTOS = {
    "is not there": (
        lambda s: (s.folder / "2.png").unlink(),
        "2.png. Set `data.catalog.on_missing_image: mask` to go on without it.",  # also said to a refresh
    ),
    "is a text": (
        lambda s: s.third_photo(b"<html>not found</html>"),
        "must be a JPEG, PNG, GIF, BMP, WebP, AVIF or TIFF",
    ),
    "is empty": (lambda s: s.third_photo(b""), "must be a JPEG, PNG, GIF, BMP, WebP, AVIF or TIFF"),
    "is truncated": (
        lambda s: s.third_photo(jpeg(64)[:900]),
        "must be a JPEG, PNG, GIF, BMP, WebP, AVIF or TIFF",
    ),
    "is 20,000 pixels wide and high": (
        lambda s: s.third_photo(large_png(20_000, 20_000)),
        "of at most 50,000,000 pixels",
    ),
}

OUTSIDE = {
    "an absolute path": (lambda s: "/etc/hostname", "'/etc/hostname'"),
    "a path upwards": (lambda s: "../other/x.png", "'../other/x.png'"),
    "a link to elsewhere": (lambda s: (s.folder / "link.png").symlink_to("/etc/hostname") or "link.png", "'link.png'"),
}

CONFIGS = {
    "an unknown key": (lambda s: s.set(training__epoch=3), "`training.epoch`: no such key",
                       "Did you mean `training.epochs`?"),
    "a value of the wrong type": (lambda s: s.set(training__epochs="many"), "`training.epochs`", "valid integer"),
    "a list instead of a section": (lambda s: s.set(training=[1]), "`training`", "must be a section"),
    "no answers": (lambda s: s.set(export={"k": 0}), "`export.k`", "greater than or equal to 1. Received: 0"),
    "lists of no length": (lambda s: s.set(evaluation__k=[0]), "`evaluation.k.0`", "greater than or equal to 1"),
    **{f"{scheme} as `{key}`": (lambda s, key=key, at=f"{scheme}bucket/x.csv": s.set(**{key.replace(".", "__"): at}),
                                f"`{key}`: must be a local path: `{scheme}` is not read or written",
                                "Copy the data to a local folder. Received: ")
       for scheme, key in (("gs://", "data.catalog.path"), ("s3://", "data.catalog.path"),
                           ("gs://", "data.interactions.path"), ("s3://", "data.catalog.image_dir"),
                           ("gs://", "runs_dir"), ("s3://", "saved_models_dir"), ("gs://", "data.cache_dir"))},
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "place", "remedy"), TABLES.values(), ids=TABLES)
def test_a_table_that_cannot_be_used_is_refused(shop, command, spoil, place, remedy):
    spoil(shop)
    message = refusal(command, shop)
    assert place in message
    assert remedy in message


@pytest.mark.parametrize(("spoil", "rule"), PHOTOS.values(), ids=PHOTOS)
def test_a_photo_that_cannot_be_used_is_refused(shop, command, spoil, rule):
    shop.photos()
    spoil(shop)
    message = refusal(command, shop)
    assert "items.csv, row 3, column `image`: " in message
    assert rule in message
    assert "2.png" in message
    assert "`data.catalog.on_missing_image: mask`" in message


@pytest.mark.parametrize(("write", "received"), OUTSIDE.values(), ids=OUTSIDE)
def test_a_photo_outside_of_its_folder_is_refused_even_where_missing_ones_are_masked(shop, command, write, received):
    shop.photos()
    shop.set(data__catalog__on_missing_image="mask")
    shop.cell("items", 3, "image", write(shop))
    message = refusal(command, shop)
    assert "items.csv, row 3, column `image`: must stay inside `image_dir`" in message
    assert f"Received: {received}" in message


@pytest.mark.parametrize("price", ["-0.01", "NaN", "cheap"])
def test_a_price_that_is_none_is_refused_or_masked_and_counted(shop, command, price):
    header, *rows = shop.rows("items")
    shop.write(
        "items", [[*header, "price"], *[[*row, price if number == 4 else "5"] for number, row in enumerate(rows)]]
    )
    shop.set(data__catalog__attributes={"price": "price"}, item__modalities=["attributes", "item_id"])
    message = refusal(command, shop)
    assert "items.csv, row 5, column `price`: must be a finite number of at least 0, or empty" in message
    assert f"Received: {price!r}" in message
    assert "`data.catalog.on_bad_attribute: mask`" in message
    shop.set(data__catalog__on_bad_attribute="mask")
    assert load_tables(Config.load(shop.config)).catalog.counts == {"attribute_masked": 1}


def test_a_number_as_a_photo_is_refused(shop, command):
    shop.photos()
    shop.set(data__catalog__on_missing_image="mask")
    shop.json_cell("items", 3, "image", 7)
    assert "items.jsonl, row 3, column `image`: must be a path or the encoded bytes. Received: 7." in refusal(
        command, shop
    )


@pytest.mark.parametrize(("spoil", "place", "remedy"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_cannot_be_used_is_refused(shop, command, spoil, place, remedy):
    spoil(shop)
    message = refusal(command, shop)
    assert f"error: {shop.folder / 'config.yaml'}: " in message
    assert place in message
    assert remedy in message


@pytest.mark.parametrize(
    ("content", "rule", "remedy"),
    [
        (b"name: !!python/object/apply:os.getcwd []", "is not plain YAML", "Use keys, lists, texts and numbers only"),
        (b"name: [", "is not plain YAML", "Use keys, lists, texts and numbers only"),
        (b"name: caf\xe9", "must be UTF-8. Received byte 0xe9 at 9", "Re-save it as UTF-8"),
        (b"[" * 5000, "is not plain YAML", "Use keys, lists, texts and numbers only"),
    ],
    ids=["a tag", "a bracket that stays open", "Latin-1", "5,000 brackets"],
)
def test_a_config_file_that_cannot_be_read_is_refused(shop, command, content, rule, remedy):
    path = shop.folder / "other.yaml"
    path.write_bytes(content)
    message = refusal(command, shop, path)
    assert f"error: {path}: {rule}" in message
    assert remedy in message


def test_no_answers_are_refused_by_recommend(command, tiny_export):
    code, out, errors = command("recommend", tiny_export.result.export_dir, "-k", "0")
    assert (code, out) == (2, "")
    assert "Traceback" not in errors
    assert "Invalid value for '-k' / '--k'" in errors  # how the rule is worded is the library's


def quoted_newlines(shop):
    shop.set(item__modalities=["text", "item_id"])
    shop.cell("items", 3, "title", 'red,\n"long"\r\ncoat')


def one_pixel(shop):
    shop.photos()
    shop.third_photo(jpeg(1))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(quoted_newlines, marks=pytest.mark.slow),
        pytest.param(one_pixel, marks=pytest.mark.slow),
        lambda shop: shop.set(evaluation__k=[10, 1000], export={"k": 1000}),
        lambda shop: shop.times(lambda day: tomorrow(day / 6)),
    ],
    ids=["quoted newlines", "a photo of one pixel", "k above the catalog",
         "times of today"],
)  # fmt: skip
def test_what_is_only_unusual_is_used(shop, command, change):
    change(shop)
    metrics = trained(command, shop)
    assert metrics["skipped"] == {"catalog": {}, "interactions": {}}
    assert metrics["candidates"] == 24
    assert metrics["queries"] == 24


def test_files_with_byte_order_marks_and_windows_line_endings_are_used(shop, command):
    path = shop.file()
    for file in (path, shop.folder / "items.csv", shop.folder / "events.csv"):
        lines = file.read_bytes().replace(b"\r\n", b"\n")
        file.write_bytes(b"\xef\xbb\xbf" + lines.replace(b"\n", b"\r\n"))
    assert trained(command, shop, path)["queries"] == 24


def test_more_answers_than_there_are_items_are_all_items(command, tiny_export):
    code, out, _ = command("recommend", tiny_export.result.export_dir, "-k", "100000")
    assert code == 0
    assert len(out.splitlines()) == 150


def test_what_a_switch_allows_is_skipped_and_counted(shop, command):
    shop.photos()
    shop.third_photo(b"not a photo")
    shop.times(date)
    shop.cell("items", 5, "image", "gone.png")
    shop.write("items", [*shop.rows("items"), ["red-0", "again", ""], ["", "nameless", ""]])
    more = [["u1", "red-0", "2999-01-01"], ["u1", "red-0", "soon"], ["", "red-0", date(1)], ["u1", "", date(1)],
            ["u1", "green", date(1)]]  # fmt: skip
    shop.write("events", [*shop.rows("events"), *more])
    shop.config["data"]["catalog"] |= {"on_bad_row": "skip", "on_missing_image": "mask"}
    shop.config["data"]["interactions"] |= {"on_bad_row": "skip", "on_unknown_item": "skip"}
    metrics = trained(command, shop)
    assert metrics["skipped"] == {
        "catalog": {"item_without_id": 1, "duplicate_item": 1, "image_missing": 1, "image_unreadable": 1},
        "interactions": {
            "event_without_user": 1,
            "event_without_item": 1,
            "unreadable_time": 1,
            "future_time": 1,
            "unknown_item": 1,
        },
    }
    written = json.loads((shop.folder / "runs" / "groups" / "2" / "metrics.json").read_text())
    assert written["skipped"] == metrics["skipped"]
