"""Every serving function of an export, called as a server calls it."""

import numpy as np
import pytest
import tensorflow as tf

import mmrec
from mmrec.data.ragged import Ragged
from mmrec.data.raw_items import RawItems
from mmrec.modalities.fields import item_fields
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.reader import TextReader
from mmrec.modalities.text.tower import TextTower
from mmrec.preprocess.text import TextEncoder
from mmrec.preprocess.tokenizers import Words
from mmrec.towers.candidate import CandidateTower
from tests.export.small import functions, small_parts
from tests.shop import MAX_LENGTH

LOWEST = -3.4028234663852886e38
NONE = np.zeros([1, 0], object)  # a row without entries


def text_fields(columns):
    """Returns the raw inputs of texts in these columns."""
    tables = {"catalog": {"path": "shop.csv", "text": columns}, "interactions": {"path": "events.csv"}}
    return item_fields(mmrec.Config.load({"data": tables, "item": {"modalities": ["text"]}}))


@pytest.fixture(scope="module")
def raw(tiny_export):
    """The raw fields of every item, by signature input."""
    raw = RawItems(
        tiny_export.tables.catalog, item_fields(mmrec.Config.load(tiny_export.result.run_dir / "config.yaml"))
    )
    return raw.columns([raw.item(item) for item in range(len(tiny_export.ids) - 1)])


def test_the_export_has_the_signatures_and_inputs_of_the_contract(tiny_export):
    actual = {name: sorted(call.structured_input_signature[1]) for name, call in tiny_export.signatures.items()}
    assert actual == {
        "serving_default": ["history"],
        "recommend": ["exclude", "filter", "history", "include", "k"],
        "similar": ["item_id", "k"],
        "embed_query": ["history"],
        "embed_item": ["description", "image_bytes", "item_id", "title"],
    }
    assert tiny_export.result.export_dir.name == "1"


def test_the_first_dimension_of_every_input_is_the_batch(tiny_export):
    for call in tiny_export.signatures.values():
        assert all(spec.shape[0] is None for spec in call.structured_input_signature[1].values())


def test_serving_default_gives_the_configured_number_of_answers_as_training_ranks_them(tiny_export):
    ids = tiny_export.ids
    answers = tiny_export.ask("serving_default", history=[[ids[3], ids[50], ids[7]]])
    expected, scores = tiny_export.best([3, 50, 7], 7, {3, 50, 7})
    assert answers["item_ids"][0].tolist() == expected
    np.testing.assert_allclose(answers["scores"][0], scores, atol=1e-4)


def test_padding_anywhere_and_unknown_ids_change_nothing(tiny_export):
    a, b, c = tiny_export.ids[3], tiny_export.ids[50], tiny_export.ids[7]
    history = [
        [a, b, c, "", "", ""],
        ["", "", "", a, b, c],
        ["", a, "", b, "", c],
        [a, "no such id", b, "", "nor this", c],
    ]
    outputs = tiny_export.ask("embed_query", history=history)["embedding"]
    np.testing.assert_allclose(outputs, outputs[:1].repeat(4, 0), atol=1e-6)
    answers = tiny_export.ask("serving_default", history=history)["item_ids"]
    assert all(row == answers[0].tolist() for row in answers.tolist())


def test_the_order_of_a_history_counts(tiny_export):
    ids = tiny_export.ids
    embedding = tiny_export.ask("embed_query", history=[[ids[3], ids[50]], [ids[50], ids[3]]])["embedding"]
    assert np.abs(embedding[0] - embedding[1]).max() > 1e-4


@pytest.mark.parametrize("history", [NONE, [[""]], [["", ""]], [["no such id"]]])
def test_an_empty_history_gets_the_answer_for_no_history(tiny_export, history):
    answers = tiny_export.ask("serving_default", history=history)
    expected, scores = tiny_export.best([], 7, set())
    assert answers["item_ids"][0].tolist() == expected
    np.testing.assert_allclose(answers["scores"][0], scores, atol=1e-4)


def test_embed_query_equals_training(tiny_export):
    rng = np.random.default_rng(0)
    rows = [rng.integers(1, 151, length).tolist() for length in (0, 1, 2, 5, 6, 7, 30)]
    history = np.full([7, 30], "", object)
    for padded, row in zip(history, rows, strict=True):
        padded[: len(row)] = [tiny_export.ids[item] for item in row]
    expected = tiny_export.embed_queries(tiny_export.table, Ragged.of(rows))
    embedding = tiny_export.ask("embed_query", history=history)["embedding"]
    np.testing.assert_allclose(embedding, expected, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1.0, atol=1e-5)


def test_a_long_history_is_read_from_its_most_recent_items_and_excluded_as_a_whole(tiny_export):
    history = tiny_export.ids[20:32]  # 12 items; 6 are read
    late = history[-MAX_LENGTH:]
    scattered = [history[0], *history[:6], "", late[0], "unknown", *late[1:3], "", *late[3:], ""]
    outputs = tiny_export.ask("embed_query", history=[scattered, [*late, *[""] * (len(scattered) - 6)]])["embedding"]
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-6)
    answers = tiny_export.ask("recommend", history=[history], k=[150], exclude=NONE)["item_ids"][0]
    assert set(answers[:138].tolist()) == {item.encode() for item in tiny_export.ids[1:]} - {
        i.encode() for i in history
    }
    assert answers[138:].tolist() == [b""] * 12


def test_recommend_takes_k_and_exclusions_by_row(tiny_export):
    ids = tiny_export.ids
    best = [item.decode() for item in tiny_export.best([9], 5, {9})[0]]
    exclude = [[best[0], "", best[2]], ["", "", ""], ["unknown", "", ""], ["", best[1], ""]]
    answers = tiny_export.ask("recommend", history=[[ids[9]]] * 4, k=[2, 4, 0, -1], exclude=exclude)
    texts = [[item.decode() for item in row] for row in answers["item_ids"]]
    assert texts == [[best[1], best[3], "", ""], best[:4], [""] * 4, [""] * 4]
    assert answers["scores"][0, 2:].tolist() == [LOWEST, LOWEST]
    assert answers["scores"].dtype == np.float32


def test_k_above_the_catalog_gives_all_there_is(tiny_export):
    answers = tiny_export.ask("recommend", history=NONE, k=[10_000], exclude=NONE)
    assert answers["item_ids"].shape == (1, 150)
    assert len(set(answers["item_ids"][0].tolist())) == 150
    assert (np.diff(answers["scores"][0]) <= 0).all()


def test_excluding_the_whole_catalog_gives_no_answer(tiny_export):
    answers = tiny_export.ask("recommend", history=NONE, k=[3], exclude=[tiny_export.ids])
    assert answers["item_ids"].tolist() == [[b"", b"", b""]]
    assert answers["scores"].tolist() == [[LOWEST] * 3]


def categories(tiny_export):
    """The category of each item, by row."""
    return np.array(["", *map("".join, tiny_export.tables.catalog.filters["category"])], object)


def test_a_filter_leaves_exactly_the_items_that_have_the_value_in_their_order(tiny_export):
    category, ids = categories(tiny_export), tiny_export.ids
    for value in sorted(set(category[1:])):
        answers = tiny_export.ask("recommend", history=[[ids[9]]], k=[150], filter=[[f"category={value}"]])
        others = {9, *np.flatnonzero(category != value)}
        expected, scores = tiny_export.best([9], 150, others)
        assert answers["item_ids"][0].tolist() == expected + [b""] * (150 - len(expected))
        np.testing.assert_allclose(answers["scores"][0, : len(scores)], scores, atol=1e-4)
        assert (answers["scores"][0, len(scores) :] == LOWEST).all()


def test_inclusions_exclusions_filter_and_history_all_hold_row_by_row(tiny_export):
    category, ids = categories(tiny_export), np.array(tiny_export.ids, object)
    mugs = np.flatnonzero(category == "mug")
    inside, outside = [*ids[mugs[:6]]], [*ids[np.flatnonzero(category == "lamp")[:2]]]
    rows = [  # history, exclude, include, filter, expected answers
        (inside[0], inside[1], inside + outside, "category=mug", set(inside[2:])),
        ("", "", inside + outside, "", {*inside, *outside}),
        ("", "", ["no such item"], "", set()),
        ("", "", [inside[0], "no such item"], "", {inside[0]}),
        ("", "", [], "category=no such", set()),
        ("", "", [], "colour=red", set()),
        ("", inside[0], [inside[0]], "", set()),
    ]
    width = len(inside + outside)
    asked = {
        "history": np.array([[row[0]] for row in rows], object),
        "k": np.full(len(rows), 20),
        "exclude": np.array([[row[1]] for row in rows], object),
        "include": np.array([[*row[2], *[""] * (width - len(row[2]))] for row in rows], object),
        "filter": np.array([["", row[3]] for row in rows], object),
    }
    together = tiny_export.ask("recommend", **asked)["item_ids"]
    assert [{item.decode() for item in answered} - {""} for answered in together] == [row[4] for row in rows]
    for row in range(len(rows)):  # a row never depends on its neighbours
        alone = tiny_export.ask("recommend", **{name: value[row : row + 1] for name, value in asked.items()})
        assert alone["item_ids"][0].tolist() == together[row].tolist()


def test_there_is_no_filter_input_without_filter_columns():
    recommend = functions(small_parts())["recommend"]
    assert sorted(recommend.structured_input_signature[1]) == ["exclude", "history", "include", "k"]


def test_a_history_of_thousands_is_excluded_as_a_whole(tiny_export):
    ids = np.array(tiny_export.ids, object)
    wide = np.full([2, 20_000], "", object)
    wide[0, ::150] = ids[1:135]  # 134 items far apart; the last 6 are read
    wide[1, 7] = ids[140]
    expected = [
        tiny_export.ask("recommend", history=[ids[129:135]], k=[150], exclude=[ids[1:135]])["item_ids"][0].tolist(),
        tiny_export.ask("recommend", history=[[ids[140]]], k=[150])["item_ids"][0].tolist(),
    ]
    assert tiny_export.ask("recommend", history=wide, k=[150, 150])["item_ids"].tolist() == expected


def test_a_history_of_thousands_costs_the_tower_no_more_than_one_of_its_length():
    class Width:
        """A query tower that answers how wide the histories are that it reads, and how many items they hold."""

        variables = ()

        def last(self, items, length, context):
            return tf.cast(tf.stack([tf.fill(tf.shape(length), tf.shape(items)[1]), length], axis=1), tf.float32)

    embed = functions(small_parts(query_tower=Width()))["embed_query"]  # reads three items
    wide = np.full([2, 20_000], "", object)
    wide[0, ::5_000], wide[1, 7] = ["a", "b", "c", "d"], "e"
    assert embed(history=tf.constant(wide.tolist()))["embedding"].numpy().tolist() == [[3, 3], [3, 1]]
    assert embed(history=tf.constant([["a"]]))["embedding"].numpy().tolist() == [[2, 1]]  # one more, never empty


def test_a_text_of_megabytes_or_with_nul_bytes_is_answered(tiny_export):
    start = "Red mug " + "x " * 10_000
    texts = np.array([start, start + "y " * 1_000_000, b"Red\0mug \xff" + start[8:].encode(), b"\0"], object)
    blank = [""] * 4
    answers = tiny_export.ask("embed_item", title=texts, description=blank, image_bytes=blank, item_id=blank)
    assert answers["status"].tolist() == [0, 0, 0, 4]
    np.testing.assert_allclose(answers["embedding"][:3], answers["embedding"][:1].repeat(3, 0), atol=1e-5)


def test_similar_leaves_the_item_out_and_answers_nothing_to_an_unknown_one(tiny_export):
    ids, table = tiny_export.ids, tiny_export.table.scored
    answers = tiny_export.ask("similar", item_id=[ids[4], "unknown", "", ids[5]], k=[3, 3, 3, 150])
    scores = table @ table[4]
    order = [row for row in np.argsort(-scores, kind="stable") if row not in (0, 4)][:3]
    assert answers["item_ids"][0, :3].tolist() == [ids[row].encode() for row in order]
    assert answers["item_ids"][1].tolist() == answers["item_ids"][2].tolist() == [b""] * 150
    assert ids[5].encode() not in answers["item_ids"][3]
    assert (answers["item_ids"][3] != b"").sum() == 149


@pytest.mark.parametrize(
    ("signature", "inputs", "shape"),
    [
        ("serving_default", {"history": np.zeros([0, 3], object)}, (0, 0)),
        (
            "recommend",
            {"history": np.zeros([0, 0], object), "k": np.zeros(0), "exclude": np.zeros([0, 0], object)},
            (0, 0),
        ),
        ("similar", {"item_id": np.zeros(0, object), "k": np.zeros(0)}, (0, 0)),
    ],
)
def test_no_rows_give_no_rows(tiny_export, signature, inputs, shape):
    answers = tiny_export.ask(signature, **inputs)
    assert answers["item_ids"].shape == answers["scores"].shape == shape


def test_embed_item_equals_the_item_table_of_training_and_of_the_export(tiny_export, raw):
    answers = tiny_export.ask("embed_item", **raw)
    np.testing.assert_allclose(answers["embedding"], tiny_export.table.scored[1:], atol=1e-4)
    assert answers["status"].tolist() == [0] * 150
    # A query at an item's own embedding scores it 1: the table inside the export is the same one.
    near = tiny_export.ask("similar", item_id=tiny_export.ids[1:], k=[1] * 150)["scores"][:, 0]
    scores = tiny_export.table.scored[1:] @ tiny_export.table.scored[1:].T - 3 * np.eye(150, dtype=np.float32)
    np.testing.assert_allclose(near, scores.max(axis=1), atol=1e-4)


def test_one_bad_photo_or_empty_row_changes_no_other_row(tiny_export, raw):
    items = {name: column[:6].copy() for name, column in raw.items()}
    clean = tiny_export.ask("embed_item", **items)
    items["image_bytes"][1] = b"\x89PNG\r\n\x1a\nnot a photo"
    for name in items:  # row 3: nothing; row 4: only a photo that cannot be read
        items[name][3] = items[name][4] = b""
    items["image_bytes"][4] = b"\xff\xd8\xff"
    answers = tiny_export.ask("embed_item", **items)
    assert answers["status"].tolist() == [0, 1, 0, 4, 5, 0]
    others = [0, 2, 5]
    np.testing.assert_allclose(answers["embedding"][others], clean["embedding"][others], atol=1e-5)
    assert np.isfinite(answers["embedding"]).all()
    without = {name: column[1:2].copy() for name, column in raw.items()} | {"image_bytes": np.array([b""], object)}
    expected = tiny_export.ask("embed_item", **without)
    assert expected["status"].tolist() == [0]
    np.testing.assert_allclose(answers["embedding"][1], expected["embedding"][0], atol=1e-5)


@pytest.mark.parametrize("fields", ["title", "description", "image_bytes", "item_id"])
def test_any_field_alone_is_enough(tiny_export, raw, fields):
    trained = int(np.argmax(tiny_export.prepared.features.sources["item_id"].table_rows > 0)) - 1
    item = next(i for i in range(trained, 150) if all(raw[name][i] for name in raw))
    alone = {name: np.array([column[item] if name == fields else b""], object) for name, column in raw.items()}
    answers = tiny_export.ask("embed_item", **alone)
    assert answers["status"].tolist() == [0]
    np.testing.assert_allclose(np.linalg.norm(answers["embedding"]), 1.0, atol=1e-5)


def test_text_of_spaces_and_an_unknown_id_are_nothing_usable(tiny_export):
    answers = tiny_export.ask("embed_item", title=["  \t"], description=[b"\xff"], image_bytes=[""], item_id=["new"])
    assert answers["status"].tolist() == [4]


def test_no_items_give_no_embeddings(tiny_export):
    empty = {name: np.zeros(0, object) for name in ("title", "description", "image_bytes", "item_id")}
    answers = tiny_export.ask("embed_item", **empty)
    assert answers["embedding"].shape == (0, 16)
    assert answers["status"].shape == (0,)


def test_with_repeat_consumption_the_history_may_answer():
    for exclude_history, expected in ((True, [b"b", b"c"]), (False, [b"a", b"b"])):
        signatures = functions(small_parts(exclude_history=exclude_history))
        outputs = signatures["recommend"](
            history=tf.constant([["a"]]), k=tf.constant([2]), exclude=tf.constant([[""]]), include=tf.constant([[""]])
        )
        assert outputs["item_ids"].numpy()[0].tolist() == expected


def test_text_columns_with_any_name_become_inputs():
    # Regression: a column called "Product name" failed the export, after the training.
    fields = text_fields(("Product name", "Product-name", "2nd line", "größe", "item_id"))
    assert [field.input for field in fields] == ["Product_name", "Product_name_", "text_2nd_line", "gr__e", "item_id_"]
    assert [field.input for field in text_fields(("Product name",))] == ["text"]


def test_several_text_columns_with_awkward_names_are_answered():
    encoder = TextEncoder(Words(["[PAD]", "[UNK]", "red"]), 4)
    tower = CandidateTower({"text": TextTower(TextConfig(), 3, 2)}, "concatenation", 2)
    tower({"text_tokens": np.array([[2]], np.int32)})
    names = [field.input for field in text_fields(("Product name", "2nd line"))]
    parts = small_parts(candidate_tower=tower, readers=[TextReader(encoder, names)])
    embedding = functions(parts)["embed_item"](
        Product_name=np.array(["red", ""], object), text_2nd_line=np.array(["", ""], object)
    )
    assert embedding["status"].numpy().tolist() == [0, 4]
