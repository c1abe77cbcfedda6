"""An export is asked from Python."""

import io
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import mmrec
from mmrec.export.saved_model import write_version
from mmrec.serving.questions import filter_rows
from tests.export.small import small_version

LOWEST = -3.4028234663852886e38


@pytest.fixture(scope="module")
def shop(tiny_export):
    return mmrec.load(tiny_export.result.export_dir)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An export of five items known by their id."""
    return write_version(tmp_path_factory.mktemp("small"), *small_version())


def with_manifest(export, folder, **changes):
    """Copies an export, changes its manifest, and returns the copy."""
    shutil.copytree(export, folder)
    path = folder / "mmrec/manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def test_recommend_answers_strings_and_scores_best_first(tiny_export, shop):
    ids = tiny_export.ids
    answers = shop.recommend([[ids[3], ids[9]], []], k=4)
    assert answers.item_ids.shape == answers.scores.shape == (2, 4)
    assert answers.item_ids[0].tolist() == [item.decode() for item in tiny_export.best([3, 9], 4, {3, 9})[0]]
    assert answers.item_ids[1].tolist() == [item.decode() for item in tiny_export.best([], 4, set())[0]]
    assert answers.scores.dtype == np.float32
    assert all(type(item) is str for item in answers.item_ids.ravel())


def test_excluded_items_are_no_answers(tiny_export, shop):
    best = shop.recommend([[]], k=2).item_ids[0].tolist()
    assert shop.recommend([[]], k=2, exclude=[best[:1]]).item_ids[0, 0] == best[1]
    nothing = shop.recommend([[]], k=2, exclude=[tiny_export.ids[1:]])
    assert nothing.item_ids.tolist() == [["", ""]]
    assert nothing.scores.tolist() == [[LOWEST, LOWEST]]


def test_inclusions_and_filters_restrict_the_answers(tiny_export, shop):
    ids, category = tiny_export.ids, shop.items.set_index("item_id")["category"]
    assert shop.filter_columns == ["category"]
    for filter in (
        {"category": "mug"},
        ["category=mug"],
        [{"category": "mug"}],
        [["category=mug"]],
        iter([["category=mug"]]),
    ):
        answers = shop.recommend([[ids[3]]], k=150, filter=filter).item_ids[0]
        assert {*answers} - {""} == {*category.index[category == "mug"]} - {ids[3]}
    anything = shop.recommend([[], []], k=3).item_ids.tolist()
    for filter in ({}, [], [{}, []], iter([])):
        assert shop.recommend([[], []], k=3, filter=filter).item_ids.tolist() == anything
    every = shop.recommend([[], []], k=2, filter={"category": "mug"}).item_ids
    assert set(category[every.ravel()]) == {"mug"}
    with pytest.warns(UserWarning, match="no item has category=no such"):
        apart = shop.recommend([[], [], []], k=3, filter=[{"category": "lamp"}, {}, ["category=no such"]])
    assert set(category[apart.item_ids[0]]) == {"lamp"}
    assert apart.item_ids[1].tolist() == shop.recommend([[]], k=3).item_ids[0].tolist()
    assert apart.item_ids[2].tolist() == ["", "", ""]
    included = shop.recommend([[], []], k=3, include=[[ids[7], ids[8]], []], exclude=[[ids[8]], []])
    assert included.item_ids[0].tolist() == [ids[7], "", ""]
    assert all(included.item_ids[1])
    assert shop.recommend([[]], k=1, include=[["no such item"]]).item_ids.tolist() == [[""]]


def test_any_sequences_of_ids_are_taken(tiny_export, shop):
    ids = tiny_export.ids
    expected = shop.recommend([[ids[3], ids[9]]], k=3).item_ids.tolist()
    for histories in (
        [(ids[3], ids[9])],
        np.array([[ids[3], ids[9]]]),
        np.array([[ids[3], ids[9]]], object),
        pd.Series([[ids[3], ids[9]]]),
        pd.Series([ids[3], ids[9]]).to_frame().T.to_numpy(),
        iter([[ids[3], ids[9]]]),
    ):
        assert shop.recommend(histories, k=np.int64(3)).item_ids.tolist() == expected


def test_no_histories_give_no_rows(shop):
    assert shop.recommend([], k=3).item_ids.shape[0] == 0
    assert shop.embed_queries([]).shape == (0, 16)


def test_batches_change_nothing(tiny_export, shop):
    histories = [[item] for item in tiny_export.ids[1:8]]
    together, apart = shop.recommend(histories, k=3), shop.recommend(histories, k=3, batch=2)
    assert together.item_ids.tolist() == apart.item_ids.tolist()
    np.testing.assert_allclose(together.scores, apart.scores, atol=1e-5)


def test_similar_leaves_the_item_out(tiny_export, shop):
    answers = shop.similar(pd.Series(tiny_export.ids[4:6]), k=149)
    assert answers.item_ids.shape == (2, 149)
    assert tiny_export.ids[4] not in answers.item_ids[0]


@pytest.mark.parametrize(
    ("histories", "options", "message"),
    [
        (["a", "b"], {}, r"`histories` must be a list of lists .* Received: 'a'"),
        ("abc", {}, r"`histories` must be a list of lists .* Received: 'abc'"),
        ([None], {}, r"`histories` must be a list of lists .* Received: None"),
        ([[["a"]]], {}, r"`histories` must hold texts or numbers. Received: \['a'\] of type list"),
        ([[{"a": 1}]], {}, r"`histories` must hold texts or numbers. Received: {'a': 1} of type dict"),
        ([["a"]], {"k": 0}, r"`k` must be an integer >= 1. Received: 0"),
        ([["a"]], {"k": -2}, r"`k` must be an integer >= 1. Received: -2"),
        ([["a"]], {"k": 2.0}, r"`k` must be an integer >= 1. Received: 2.0"),
        ([["a"]], {"k": True}, r"`k` must be an integer >= 1. Received: True"),
        ([["a"]], {"k": 2**31}, r"`k` must be an integer >= 1"),
        ([["a"]], {"batch": 0}, r"`batch` must be an integer >= 1. Received: 0"),
        ([["a"]], {"batch": -1}, r"`batch` must be an integer >= 1. Received: -1"),
        ([["a"]], {"batch": 2.0}, r"`batch` must be an integer >= 1. Received: 2.0"),
        ([["a"]], {"exclude": [[], []]}, r"`exclude` must have a row per history \(1\). Received: 2"),
        ([["a"]], {"include": [[], []]}, r"`include` must have a row per history \(1\). Received: 2"),
        ([["a"]], {"filter": [{}, {}]}, r"`filter` must have a row per history \(1\). Received: 2"),
        ([["a"]], {"filter": "category=mug"}, r"`filter` must be a dict, .* Received: 'category=mug'"),
        ([["a"]], {"filter": ["mug"]}, r"`filter` must hold \"column=value\". Received: 'mug'"),
        ([["a"]], {"filter": [[3]]}, r"`filter` must hold \"column=value\". Received: 3"),
        ([["a"]], {"filter": [3]}, r"`filter` must hold a dict or a list .* Received: 3"),
        (
            [["a"]],
            {"filter": {"category": ["mug"]}},
            r"`filter` must hold a text .* Received: \['mug'\] for 'category'",
        ),
        (
            [["a"]],
            {"filter": {"categry": "mug"}},
            r"no filter column `categry`. Did you mean `category`\? Known: category",
        ),
        ([["a"]], {"exclude": ["b"]}, r"`exclude` must be a list of lists .* Received: 'b'"),
    ],
)
def test_wrong_questions_are_explained(shop, histories, options, message):
    with pytest.raises(mmrec.InputError, match=message):
        shop.recommend(histories, **options)


def test_unknown_items_have_no_neighbours_to_ask_for(tiny_export, shop):
    with pytest.raises(mmrec.InputError, match=r"`item_ids` must be items of the export .*: 'x' and 1 more"):
        shop.similar([tiny_export.ids[1], "x", "y"])
    with pytest.raises(mmrec.InputError, match=r"`item_ids` must be items of the export .*: '5'"):
        shop.similar(5)
    assert shop.unknown([tiny_export.ids[1], "x"]) == ["x"]


def test_items_and_table_are_row_by_row_what_was_trained(tiny_export, shop):
    assert shop.items["item_id"].tolist() == tiny_export.ids[1:]
    np.testing.assert_array_equal(shop.item_table, tiny_export.table.scored)
    assert shop.signatures == ["embed_item", "embed_query", "recommend", "serving_default", "similar"]


def test_embed_queries_equals_the_signature(tiny_export, shop):
    ids = tiny_export.ids
    expected = tiny_export.ask("embed_query", history=[[ids[3], ids[9]]])["embedding"]
    np.testing.assert_allclose(shop.embed_queries([[ids[3], ids[9]]]), expected, atol=1e-6)


def test_embed_items_reads_the_catalog_as_training_did_from_paths_or_bytes(tiny_export, shop):
    catalog = pd.read_csv(tiny_export.shop / "catalog.csv").sort_values("item_id").head(20)  # NaN where empty
    paths = [value if pd.isna(value) else tiny_export.shop / value for value in catalog["image"]]
    read = [value if pd.isna(value) else value.read_bytes() for value in paths]
    expected = tiny_export.table.scored[1:21]
    for photos in (paths, [value if pd.isna(value) else str(value) for value in paths], read):
        embedding = shop.embed_items(catalog.assign(image=photos), batch=8)
        np.testing.assert_allclose(embedding, expected, atol=1e-4)
    renamed = catalog.assign(image=read).rename(columns={"image": "image_bytes"})
    np.testing.assert_allclose(shop.embed_items(renamed), expected, atol=1e-4)


def test_embed_items_reads_every_photo_that_training_reads(tiny_export, shop):
    photo = Image.open(next((tiny_export.shop / "images").iterdir())).convert("RGB")
    files = []
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("BMP", {})):
        file = io.BytesIO()
        photo.save(file, kind, **options)
        files.append(file.getvalue())
    embedding, status = shop.embed_items(pd.DataFrame({"image": files}), status=True)
    assert status.tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(embedding, embedding[[0, 0, 0, 0]], atol=1e-5)


def test_embed_items_warns_once_of_photos_that_cannot_be_read_and_says_which(tiny_export, shop):
    photo = next((tiny_export.shop / "images").iterdir()).read_bytes()
    table = pd.DataFrame({"image": [photo, b"broken", None, photo[:80]], "title": ["mug", "mug", "mug", ""]})
    with pytest.warns(UserWarning, match="cannot be read") as caught:
        embedding, status = shop.embed_items(table, batch=2, status=True)
    assert [str(one.message) for one in caught] == [
        "`table`: 2 of 4 rows have a photo or recording that cannot be read, which counts as missing; the first is row "
        "2. Replace it, or pass `status=True` to learn which they are."
    ]
    assert caught[0].filename == __file__
    assert (status.dtype, status.tolist()) == (np.int32, [0, 1, 0, 5])
    np.testing.assert_allclose(embedding[1], embedding[2], atol=1e-5)
    with pytest.warns(UserWarning, match="2 of 4 rows"):
        np.testing.assert_array_equal(shop.embed_items(table, batch=2), embedding)


def test_embed_items_takes_absent_and_empty_columns_as_missing(shop):
    alone = shop.embed_items(pd.DataFrame({"title": ["Red mug"]}))
    columns = {"title": ["Red mug"], "description": [None], "image": [None], "item_id": [np.nan], "other": [1]}
    np.testing.assert_allclose(shop.embed_items(pd.DataFrame(columns)), alone, atol=1e-5)
    np.testing.assert_allclose(shop.embed_items({"title": ["Red mug"]}), alone, atol=1e-5)
    # Regression: a table without any value was said to lack the columns.
    assert np.isfinite(shop.embed_items(pd.DataFrame({"title": [""], "image": [b""]}))).all()
    assert shop.embed_items(pd.DataFrame({"title": []})).shape == (0, 16)


def test_embed_items_finds_the_columns_under_the_names_of_the_catalog(tiny_export, shop, tmp_path):
    called = {"image": "photo", "item_id": "sku"}
    fields = [one | {"column": called.get(one["column"], one["column"])} for one in shop.manifest["fields"]]
    other = mmrec.load(with_manifest(tiny_export.result.export_dir, tmp_path / "1", fields=fields))
    photo = next((tiny_export.shop / "images").iterdir()).read_bytes()
    expected = shop.embed_items(pd.DataFrame({"image": [photo], "item_id": [tiny_export.ids[1]]}))
    embedding = other.embed_items(pd.DataFrame({"photo": [photo], "sku": [tiny_export.ids[1]]}))
    np.testing.assert_allclose(embedding, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": ["x"]}, r"at least one of the columns `image` or `image_bytes`, `title`, .* Received: name\."),
        ({}, r"Received: no column\."),
        ({"image": ["no/such.png"]}, r"no/such.png: the file cannot be read: No such file or directory\."),
        ({"image": [3]}, r"a photo or recording must be its encoded bytes or a path. Received: 3\."),
    ],
)
def test_wrong_item_tables_are_explained(shop, table, message):
    with pytest.raises(mmrec.InputError, match=message):
        shop.embed_items(pd.DataFrame(table))


def test_describe_shows_the_payload_that_is_there(tiny_export, shop):
    item = shop.items[shop.items["title"].str.strip() != ""].iloc[0]
    assert shop.describe(item["item_id"]) == f"{item['item_id']}  {item['title']}  {item['category']}"
    assert shop.describe("unknown") == "unknown"


def test_an_export_without_filter_columns_says_so():
    with pytest.raises(
        mmrec.InputError, match=r"no filter columns. Received: 'category=mug'. Name some in `data\.catalog"
    ):
        filter_rows({"category": "mug"}, 1, [])


def test_a_folder_that_is_no_export_is_named_with_a_remedy(tmp_path, tiny_export):
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(mmrec.InputError, match=r"is not an export of mmrec .*saved_models/<name>/<version>"):
            mmrec.load(folder)
    with pytest.raises(mmrec.InputError, match=r"This folder holds version 1: give .*/saved_models/sample_shop/1\."):
        mmrec.load(tiny_export.result.export_dir.parent)
    (tmp_path / "mmrec").mkdir()
    for content in ("{", "[]", "{}", "3", '{"format_version": 1}'):
        (tmp_path / "mmrec/manifest.json").write_text(content)
        with pytest.raises(mmrec.InputError, match="is not an export of mmrec"):
            mmrec.load(tmp_path)


def test_a_newer_format_names_the_mmrec_that_reads_it(small, tmp_path):
    newer = with_manifest(small, tmp_path / "1", format_version=2, versions={"mmrec": "9.9"})
    with pytest.raises(mmrec.InputError, match=r"format version 2; .* up to 1\. Install mmrec 9\.9 or newer"):
        mmrec.load(newer)


@pytest.mark.parametrize("file", ["mmrec/items.parquet", "saved_model.pb"])
def test_a_half_copied_export_is_named(small, tmp_path, file):
    half = with_manifest(small, tmp_path / "1")
    (half / file).unlink()
    with pytest.raises(mmrec.InputError, match="is not a whole export"):
        mmrec.load(half)
