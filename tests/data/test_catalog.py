import json
import os

import pandas as pd
import pytest

from mmrec.config.data import CatalogConfig
from mmrec.errors import InputError
from tests.catalogs import load_catalog

ROWS = [("b", "Blue coat", "blue.png", 20), ("a", "Red coat", "", 10), ("c", "", "sub/green.png", 30)]


@pytest.fixture
def folder(tmp_path, photo):
    (tmp_path / "images" / "sub").mkdir(parents=True)
    (tmp_path / "images" / "blue.png").write_bytes(photo("blue"))
    (tmp_path / "images" / "sub" / "green.png").write_bytes(photo("green"))
    (tmp_path / "secret.png").write_bytes(photo("black"))
    return tmp_path


def load(folder, rows=ROWS, modalities=("image", "text"), kind="parquet", **changes):
    table = pd.DataFrame(rows, columns=["item_id", "title", "image", "price"])
    path = folder / f"catalog.{kind}"
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    options = {"text": ("title",), "payload": ("title", "price"), "image_dir": str(folder / "images")}
    return load_catalog(CatalogConfig(path=str(path), **(options | changes)), modalities)


def refusal(*arguments, **options):
    with pytest.raises(InputError) as error:
        load(*arguments, **options)
    return str(error.value)


def test_items_stand_in_the_order_of_their_ids_with_all_that_belongs_to_them(folder, photo):
    catalog = load(folder)
    assert len(catalog) == 3
    assert catalog.item_ids.tolist() == ["a", "b", "c"]
    assert catalog.content["text"].columns["title"].tolist() == ["Red coat", "Blue coat", ""]
    assert [catalog.content["image"].photo(item) for item in range(3)] == [b"", photo("blue"), photo("green")]
    assert catalog.payload.to_dict("list") == {
        "item_id": ["a", "b", "c"],
        "title": ["Red coat", "Blue coat", ""],
        "price": [10, 20, 30],
    }
    assert catalog.source_rows.tolist() == [1, 0, 2]
    assert catalog.counts == {}


def test_the_order_of_the_file_changes_nothing(folder):
    first, second = load(folder), load(folder, ROWS[::-1])
    assert first.item_ids.tolist() == second.item_ids.tolist()
    assert first.content["image"].files.tolist() == second.content["image"].files.tolist()
    assert first.content["text"].columns["title"].tolist() == second.content["text"].columns["title"].tolist()
    assert first.payload.equals(second.payload)
    assert second.source_rows.tolist() == [1, 2, 0]


def test_only_what_is_used_is_read(folder):
    catalog = load(folder, modalities=("item_id",), image="no_such", text=("no_such",), payload=())
    assert catalog.content == {}
    assert list(catalog.payload.columns) == ["item_id"]


@pytest.mark.parametrize(
    ("rows", "rule", "reason"),
    [
        ([("a", "x", "", 1), ("b", "y", "", 2), ("a", "z", "", 3)], "row 3, column `item_id`: ids must be unique. "
         "Received again: 'a'", "duplicate_item"),
        ([("a", "x", "", 1), ("", "y", "", 2), ("b", "z", "", 3)], "row 2, column `item_id`: every item needs an id. "
         "Received: nothing", "item_without_id"),
        ([("a", "x", "", 1), (None, "y", "", 2), ("b", "z", "", 3)], "row 2, column `item_id`: every item needs an id",
         "item_without_id"),
    ],
)  # fmt: skip
def test_a_row_with_a_bad_id_stops_or_is_skipped_and_counted(folder, rows, rule, reason):
    message = refusal(folder, rows)
    assert rule in message
    assert "catalog.parquet" in message
    assert "Set `data.catalog.on_bad_row: skip`" in message
    catalog = load(folder, rows, on_bad_row="skip")
    assert catalog.item_ids.tolist() == ["a", "b"]
    assert catalog.content["text"].columns["title"].tolist()[0] == "x"
    assert catalog.counts == {reason: 1}


def test_a_catalog_without_any_id_is_refused_even_when_skipping(folder):
    rows = [("", "x", "", 1), ("", "y", "", 2)]
    assert "(and 1 more)" in refusal(folder, rows)
    assert "no row is left after skipping" in refusal(folder, rows, on_bad_row="skip")


def test_a_missing_photo_stops_or_is_masked_and_counted(folder):
    rows = [("b", "x", "gone.png", 1), ("a", "y", "blue.png", 2), ("c", "z", "sub", 3)]
    message = refusal(folder, rows)
    assert "row 1 (and 1 more), column `image`: no such file under `image_dir`" in message
    assert "gone.png" in message
    assert "Set `data.catalog.on_missing_image: mask`" in message
    catalog = load(folder, rows, on_missing_image="mask")
    assert [photo is None for photo in catalog.content["image"].files] == [False, True, True]
    assert catalog.counts == {"image_missing": 2}  # a folder is no photo either


def test_all_faults_of_a_catalog_are_reported_at_once(folder):
    rows = [("b", "x", "gone.png", -1), ("a", "y", "../x.png", "cheap"), ("a", "z", "", 3), ("", "", "", 4)]
    rows += [("d", "w", "also.png", 5)]
    with pytest.raises(InputError) as error:
        load(folder, rows, ("image", "attributes"), "csv", attributes={"price": "price"})
    said = ["row 4, column `item_id`", "row 3, column `item_id`", "row 2, column `image`: must stay inside",
            "row 1 (and 1 more), column `image`: no such file", "row 1 (and 1 more), column `price`"]  # fmt: skip
    assert len(error.value.messages) == 5
    assert all(part in message for part, message in zip(said, error.value.messages, strict=True))


def test_the_row_of_a_missing_photo_is_that_of_the_file_not_of_the_sorted_table(folder):
    rows = [("", "w", "", 0), ("z", "x", "blue.png", 1), ("a", "y", "gone.png", 2)]
    assert "row 3, column `image`" in refusal(folder, rows, on_bad_row="skip")


def test_an_empty_photo_is_no_fault(folder):
    rows = [("a", "x", "", 1), ("b", "y", None, 2), ("c", "z", "  ", 3)]
    catalog = load(folder, rows)
    assert catalog.content["image"].files.tolist() == [None, None, None]
    assert "image" not in catalog.missing
    assert catalog.counts == {}


@pytest.mark.parametrize(
    "path", ["../secret.png", "sub/../../secret.png", "/etc/passwd", "link.png", "away/secret.png"]
)
@pytest.mark.parametrize("on_missing_image", ["error", "mask"])
def test_a_photo_outside_of_the_image_folder_is_refused(folder, path, on_missing_image):
    (folder / "images" / "link.png").symlink_to(folder / "secret.png")
    (folder / "images" / "away").symlink_to(folder)
    message = refusal(folder, [("a", "x", path, 1)], on_missing_image=on_missing_image)
    assert "row 1, column `image`: must stay inside `image_dir`" in message
    assert repr(path) in message


def test_an_absolute_path_or_a_link_inside_of_the_image_folder_is_fine(folder, photo):
    (folder / "images" / "link.png").symlink_to(folder / "images" / "blue.png")
    rows = [("a", "x", "link.png", 1), ("b", "y", str(folder / "images" / "blue.png"), 2)]
    catalog = load(folder, rows)
    assert catalog.content["image"].photo(0) == catalog.content["image"].photo(1) == photo("blue")


def test_paths_start_at_the_folder_of_the_catalog_when_no_other_is_named(folder):
    catalog = load(folder, [("a", "x", "images/blue.png", 1)], image_dir=None)
    assert catalog.content["image"].files.tolist() == [str((folder / "images" / "blue.png").resolve())]


@pytest.mark.parametrize("path", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_system_takes_is_a_missing_file(folder, path):
    # Regression: these ended in OSError and ValueError.
    assert "no such file under `image_dir`" in refusal(folder, [("a", "x", path, 1)])


def test_half_a_character_in_json_lines_is_replaced_in_texts_and_names_no_file(tmp_path):
    # Regression: these ended in UnicodeEncodeError; an object without a field failed the export, after training.
    row = '{"item_id": "a", "title": "x\\ud800", "image": "\\ud800", "tag": {}}'
    (tmp_path / "items.jsonl").write_text(row)
    options = {"path": str(tmp_path / "items.jsonl"), "text": ("title",), "payload": ("title", "tag")}
    with pytest.raises(InputError, match="row 1, column `image`: no such file"):
        load_catalog(CatalogConfig(**options), ("image", "text"))
    catalog = load_catalog(CatalogConfig(**options, on_missing_image="mask"), ("image", "text"))
    assert catalog.content["text"].columns["title"].tolist() == ["x?"]
    catalog.payload.to_parquet(tmp_path / "items.parquet")
    assert pd.read_parquet(tmp_path / "items.parquet")["tag"].tolist() == ["{}"]


def test_photos_may_be_bytes(folder, photo):
    catalog = load(folder, [("a", "x", photo("red"), 1), ("b", "y", b"", 2), ("c", "z", None, 3)])
    assert catalog.content["image"].files.tolist() == [photo("red"), None, None]
    assert catalog.content["image"].photo(0) == photo("red")
    assert catalog.content["image"].photo(2) == b""


@pytest.mark.parametrize("value", [7, [["blue.png"]], {"bytes": b"x"}])
def test_a_photo_of_another_type_is_refused(folder, value):
    # Regression: it was silently read as "no photo".
    assert "row 1, column `image`: must be a path or the encoded bytes. Received: " in refusal(
        folder, [("a", "x", value, 1)]
    )


def test_an_item_may_have_several_photos(folder, photo):
    catalog = load(
        folder, [("a", "x", ["blue.png", "", None, "sub/green.png"], 1), ("b", "y", ["blue.png"], 2), ("c", "z", [], 3)]
    )
    assert [[os.path.basename(file) for file in catalog.content["image"].of(item)] for item in range(3)] == [
        ["blue.png", "green.png"],
        ["blue.png"],
        [],
    ]
    assert [catalog.content["image"].photo(0, number) for number in range(3)] == [photo("blue"), photo("green"), b""]
    assert catalog.missing["image"].tolist() == [False, False, True]
    mixed = load(folder, [("a", "x", [photo("red"), photo("blue")], 1)])
    assert mixed.content["image"].of(0) == (photo("red"), photo("blue"))


def test_in_csv_several_photos_are_a_json_list(folder):
    catalog = load(folder, [("a", "x", '["blue.png", "sub/green.png"]', 1), ("b", "y", "blue.png", 2)], kind="csv")
    assert [len(catalog.content["image"].of(item)) for item in range(2)] == [2, 1]


def test_of_several_photos_an_absent_one_stops_or_is_left_out(folder):
    rows = [("a", "x", ["gone.png", "blue.png"], 1)]
    assert "row 1, column `image`: no such file under `image_dir`" in refusal(folder, rows)
    catalog = load(folder, rows, on_missing_image="mask")
    assert [os.path.basename(file) for file in catalog.content["image"].of(0)] == ["blue.png"]
    assert catalog.counts == {"image_missing": 1}


def test_a_modality_without_its_column_is_refused(folder):
    assert "`data.catalog.text`: must name a column" in refusal(folder, text=())
    assert "`data.catalog.image`: must name a column" in refusal(folder, image=None)
    assert "no column `titel`. Did you mean `title`?" in refusal(folder, text=("titel",))


def test_the_payload_may_name_the_id_column_but_no_other_column_of_its_name(folder):
    catalog = load(folder, payload=("item_id", "price", "price"))
    assert list(catalog.payload.columns) == ["item_id", "price"]
    assert "`item_id` is the name of the item's id" in refusal(
        folder, item_id="title", payload=("item_id",), text=("price",), on_bad_row="skip"
    )


def test_csv_and_parquet_give_the_same_catalog(folder):
    first, second = load(folder, kind="csv"), load(folder)
    assert first.item_ids.tolist() == second.item_ids.tolist()
    assert first.content["image"].files.tolist() == second.content["image"].files.tolist()
    assert first.payload["price"].tolist() == ["10", "20", "30"]  # as text files hold them


def test_a_payload_column_of_mixed_types_becomes_text_that_an_export_can_keep(tmp_path):
    # Regression: such a column failed the export, after training.
    rows = [{"item_id": "a", "tag": 3, "price": 2.5}, {"item_id": "b", "tag": "x", "price": None}]
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = CatalogConfig(path=str(tmp_path / "items.jsonl"), payload=("tag", "price"))
    payload = load_catalog(config, ("item_id",)).payload
    assert payload["tag"].tolist() == ["3", "x"]
    payload.to_parquet(tmp_path / "items.parquet")
    assert pd.read_parquet(tmp_path / "items.parquet")["price"].tolist()[0] == 2.5


def test_the_payload_leaves_the_name_of_the_digest_to_the_export(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,digest\na,1\n")
    with pytest.raises(InputError, match="`digest` is the name of the item's content digest"):
        load_catalog(CatalogConfig(path=str(tmp_path / "items.csv"), payload=("digest",)), ("item_id",))


def test_filter_columns_are_read_as_text_and_travel_with_the_payload(folder):
    catalog = load(folder, payload=("title",), filters=("price", "title"))
    assert {name: values.tolist() for name, values in catalog.filters.items()} == {
        "price": [("10",), ("20",), ("30",)],
        "title": [("Red coat",), ("Blue coat",), ()],
    }
    assert list(catalog.payload.columns) == ["item_id", "title", "price"]
    assert catalog.payload["price"].tolist() == ["10", "20", "30"]
    assert not load(folder).filters


def test_filter_columns_are_neither_the_id_nor_named_as_what_the_export_adds(folder):
    assert "`data.catalog.filters`: `item_id` is the item's id. Leave it out" in refusal(folder, filters=("item_id",))
    assert "no column `colour`" in refusal(folder, filters=("colour",))
    with pytest.raises(ValueError, match="filters"):
        CatalogConfig(filters=("a=b",))


LISTS = [("b", ["Blue", "coat"], ["new", "sale "]), ("a", "Red coat", ["new"]), ("c", None, [])]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_filters_payload_and_texts_hold_several_values_in_every_format(tmp_path, kind):
    """Regression: the filter value was the text of a NumPy array, so that no filter matched it."""
    path = tmp_path / f"catalog.{kind}"
    table = pd.DataFrame(LISTS, columns=["item_id", "title", "tags"])
    if kind == "parquet":
        table.assign(title=[["Blue", "coat"], ["Red coat"], None]).to_parquet(path)
    elif kind == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        written = {name: [json.dumps(one) if isinstance(one, list) else one for one in table[name]] for name in table}
        pd.DataFrame(written).to_csv(path, index=False)
    config = CatalogConfig(path=str(path), text=("title",), payload=("title", "tags"), filters=("tags",))
    catalog = load_catalog(config, ("text",))
    assert catalog.filters["tags"].tolist() == [("new",), ("new", "sale"), ()]
    assert catalog.content["text"].columns["title"].tolist() == ["Red coat", "Blue coat", ""]
    assert catalog.payload["tags"].tolist() == [["new"], ["new", "sale"], []]
    catalog.payload.to_parquet(tmp_path / "items.parquet")
    shown = pd.read_parquet(tmp_path / "items.parquet")["title"]
    assert [None if one is None else [one] if isinstance(one, str) else list(one) for one in shown] == [
        ["Red coat"],
        ["Blue", "coat"],
        None,
    ]


@pytest.mark.parametrize("key", ["item_id", "attributes"])
def test_a_list_is_neither_an_id_nor_an_attribute(tmp_path, key):
    pd.DataFrame({"id": ["a", "b"], "tags": [["x"], ["y"]]}).to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    columns = {"item_id": "id", "attributes": {"tags": "category"}} | ({key: "tags"} if key == "item_id" else {})
    with pytest.raises(
        InputError, match=r"t\.jsonl, row 1 \(and 1 more\), column `tags`: must be a text or a number\."
    ):
        load_catalog(CatalogConfig(path=str(tmp_path / "t.jsonl"), text=(), payload=(), **columns), ("attributes",))


def test_space_around_ids_categories_and_filters_is_no_part_of_them(tmp_path):
    (tmp_path / "t.csv").write_text("item_id,kind\n b , mug\na,mug \n")
    columns = {"attributes": {"kind": "category"}, "filters": ("kind",), "text": (), "payload": ()}
    catalog = load_catalog(CatalogConfig(path=str(tmp_path / "t.csv"), **columns), ("attributes",))
    assert catalog.item_ids.tolist() == ["a", "b"]
    assert catalog.content["attributes"].columns["kind"].tolist() == ["mug", "mug"]
    assert catalog.filters["kind"].tolist() == [("mug",), ("mug",)]


def test_an_earlier_model_reads_categories_as_they_are_written(tmp_path):
    (tmp_path / "t.csv").write_text("item_id,size\na,38.0\nb, 39.0\n")
    config = CatalogConfig(path=str(tmp_path / "t.csv"), text=(), payload=(), attributes={"size": "category"})
    assert load_catalog(config, ("attributes",)).content["attributes"].columns["size"].tolist() == ["38", "39"]
    before = load_catalog(config, ("attributes",), as_written=True)
    assert before.content["attributes"].columns["size"].tolist() == ["38.0", "39.0"]


def test_a_catalog_can_take_the_spelling_of_ids_from_another(tmp_path):
    (tmp_path / "t.csv").write_text("item_id\n9.0\nabc\n13.0\n13\n")
    catalog = load_catalog(CatalogConfig(path=str(tmp_path / "t.csv"), text=(), payload=()), ("item_id",))
    assert catalog.item_ids.tolist() == ["13", "13.0", "9.0", "abc"]
    spelt = catalog.spelt_as(["9", "13", " abc"])
    assert spelt.item_ids.tolist() == ["13", "13.0", "9", " abc"]  # two items stay two
    assert spelt.payload["item_id"].tolist() == ["13", "13.0", "9", " abc"]


def test_a_photo_is_read_by_its_name_with_spaces_around_it_before_the_one_without(folder, photo):
    for name in (" red.png", "red.png ", "green.png"):
        (folder / "images" / name).write_bytes(photo("red"))
    rows = [("a", "x", " red.png", 1), ("b", "y", "red.png ", 2), ("c", "z", " blue.png ", 3)]
    catalog = load(folder, rows)
    assert [os.path.basename(path) for path in catalog.content["image"].files] == [" red.png", "red.png ", "blue.png"]


def test_a_name_with_a_null_character_names_no_file(folder):
    rows = [("a", "x", "red\0.png", 1), ("b", "y", "blue.png", 2)]
    message = refusal(folder, rows)
    assert "row 1, column `image`: no such file under `image_dir`" in message
    assert r"'red\x00.png'" in message
    assert load(folder, rows, on_missing_image="mask").counts == {"image_missing": 1}
