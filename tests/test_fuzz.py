"""Random configs, tables and requests: an answer or a clear refusal, never a crash or a NaN."""

import gzip
import json
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmrec.config import Config
from mmrec.config.data import CatalogConfig, InteractionsConfig
from mmrec.data.interactions import load_interactions
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError
from tests.catalogs import load_catalog

LOWEST = -3.4028234663852886e38


def examples(count):
    """The same random examples each time, however slow."""
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def attempt(load, *places):
    """Returns what `load` gives, or None when it is refused with a message that names one of the places."""
    try:
        return load()
    except InputError as error:
        message = str(error)
    assert any(place in message for place in places)
    return None


def keys(model):
    """Lists the field names of a config and its sections, so that random keys hit real ones."""
    names = []
    for name, field in model.model_fields.items():
        names.append(name)
        for option in getattr(field.annotation, "__args__", (field.annotation,)):
            if hasattr(option, "model_fields"):
                names += keys(option)
    return names


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4)
KEYS = st.sampled_from(sorted(set(keys(Config)))) | st.text(max_size=6) | st.integers()
VALUES = st.recursive(
    SCALARS | st.sampled_from([Path("x"), "gs://x", "tfds:x", "image", "time"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@examples(200)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_a_random_config_is_used_or_refused(values):
    config = attempt(lambda: Config.load(values), "Received: ", "no such key")
    assert config is None or Config.load(config) == config


@examples(150)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_config_file_of_random_bytes_is_used_or_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("c.yaml", "c.json"):
            path = Path(folder) / name
            path.write_bytes(content)
            config = attempt(partial(Config.load, path), str(path))
            assert config is None or isinstance(config, Config)


WORDS = ["a", "b", "", " ", "\0", '"', "\n", "é", "😀", "../x", "/etc", "x" * 300, "True", "null"]
NUMBERS = ["7", "7.0", "-1", "1e999", "nan", "9" * 30, "٣", "1_000"]
DATES = ["2024-01-01", "2024-01-01T00:00:00Z", "2999-01-01", "0000-00-00", "2024-W01-1"]
CELLS = st.sampled_from([*WORDS, *NUMBERS, *DATES]) | st.text(max_size=5)
JSON_CELLS = CELLS | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
HEADER = ["item_id", "user_id", "title", "image", "timestamp"]


def csv_bytes(rows):
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [HEADER, *rows]]
    return "\n".join(quoted).encode("utf-8", "surrogatepass")


def json_bytes(rows):
    return "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows).encode()


def rows_of(cells):
    return st.lists(st.tuples(*[cells] * len(HEADER)), min_size=1, max_size=6)


TABLES = (
    st.tuples(st.just("t.csv"), rows_of(CELLS).map(csv_bytes))
    | st.tuples(st.just("t.jsonl"), rows_of(JSON_CELLS).map(json_bytes))
    | st.tuples(st.just("t.csv"), st.binary(max_size=40).map(lambda noise: ",".join(HEADER).encode() + b"\n" + noise))
    | st.tuples(st.sampled_from(["t.parquet", "t.csv.gz", "t.jsonl", "t.jsonl.gz"]), st.binary(max_size=40))
    | st.tuples(st.just("t.jsonl.gz"), rows_of(JSON_CELLS).map(lambda rows: gzip.compress(json_bytes(rows))))
)
SWITCHES = st.booleans()


@examples(200)
@given(TABLES, SWITCHES)
def test_a_random_catalog_is_used_or_refused(table, lenient):
    name, content = table
    switches = {"on_bad_row": "skip", "on_missing_image": "mask"} if lenient else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        config = CatalogConfig(path=str(path), text=("title",), payload=("title", "timestamp"), **switches)
        catalog = attempt(lambda: load_catalog(config, ("image", "text", "item_id")), str(path))
        if catalog is None:
            return
        ids = catalog.item_ids.tolist()
        assert ids == sorted(set(ids))
        assert all(ids)
        assert (
            len(catalog.content["text"].columns["title"])
            == len(catalog.content["image"].files)
            == len(catalog.payload)
            == len(ids)
            > 0
        )
        for text in [*ids, *catalog.content["text"].columns["title"]]:
            assert text.encode().decode() == text
        assert all(isinstance(catalog.content["image"].photo(item), bytes) for item in range(len(ids)))
        catalog.payload.to_parquet(Path(folder) / "items.parquet")


@examples(200)
@given(TABLES, SWITCHES)
def test_random_events_are_used_or_refused(table, lenient):
    name, content = table
    switches = {"on_bad_row": "skip", "on_unknown_item": "skip"} if lenient else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        config = InteractionsConfig(path=str(path), **switches)
        events = attempt(lambda: load_interactions(config, Vocabulary(["a", "b", "7"])), str(path))
    if events is None:
        return
    assert len(events) > 0
    assert np.isfinite(events.time).all()
    assert ((events.row >= 1) & (events.row <= 3)).all()
    assert sorted(set(events.user.tolist())) == list(range(len(events.user_ids)))
    assert (np.diff(events.user) >= 0).all()
    assert (np.diff(events.time)[np.diff(events.user) == 0] >= 0).all()


MEGABYTE = 2**20
SCRIPTS = ["שלום red עולם", "ไทย 中文 العربية", "\u202e\u200b\ufeff", "e\u0301" * 99]
STRANGE = ["", "\0", "a\0b", "😀" * 50, "\n\t\r", *SCRIPTS]
HUGE = ["red " * (MEGABYTE // 4), "x" * MEGABYTE, "😀" * (MEGABYTE // 4)]
TEXTS = st.sampled_from(STRANGE + HUGE) | st.text(max_size=30) | st.binary(max_size=30)
MAGIC = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF", b""]
IMAGES = st.builds(lambda magic, noise: magic + noise, st.sampled_from(MAGIC), st.binary(max_size=200))
ROWS = st.integers(1, 4)


def encoded(text):
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text


@examples(25)
@given(st.data(), ROWS)
def test_items_of_random_bytes_and_texts_get_a_finite_embedding(tiny_export, data, rows):
    draw = {
        name: data.draw(st.lists(IMAGES if name == "image_bytes" else TEXTS.map(encoded), min_size=rows, max_size=rows))
        for name in ("image_bytes", "title", "description", "item_id")
    }
    answers = tiny_export.ask(
        "embed_item", **{name: np.array([*values, b""], object)[:-1] for name, values in draw.items()}
    )
    assert answers["embedding"].shape == (rows, 16)
    assert np.isfinite(answers["embedding"]).all()
    assert answers["status"].shape == (rows,)
    assert set(answers["status"].tolist()) <= {0, 1, 4, 5}


def check_answers(tiny_export, outputs, rows):
    """Asserts that answers are known ids without repeats, best first, padded at the end."""
    item_ids = {item.encode() for item in tiny_export.ids[1:]}
    assert outputs["item_ids"].shape == outputs["scores"].shape
    assert len(outputs["item_ids"]) == rows
    assert np.isfinite(outputs["scores"]).all()
    for ids, scores in zip(outputs["item_ids"].tolist(), outputs["scores"], strict=True):
        answers = [item for item in ids if item]
        assert ids == answers + [b""] * (len(ids) - len(answers))
        assert len(set(answers)) == len(answers)
        assert set(answers) <= item_ids
        assert (np.diff(scores) <= 0).all()
        assert (scores[len(answers) :] == np.float32(LOWEST)).all()


def category_of(tiny_export):
    """The category of each item, by row."""
    return np.array(["", *map("".join, tiny_export.tables.catalog.filters["category"])], object)


K = st.integers(-(2**31), 2**31 - 1) | st.integers(-2, 200)


@examples(25)
@given(st.data(), ROWS, st.sampled_from([0, 1, 7, 3000]))
def test_random_histories_and_list_lengths_get_items_of_the_export(tiny_export, data, rows, length):
    seed = data.draw(st.integers(0, 1000))
    generator = np.random.default_rng(seed)
    strange = [encoded(text) for text in STRANGE]
    pool = np.array([*(item.encode() for item in tiny_export.ids), *strange, b"\xff\xfe", b"x" * 5000], object)
    history = pool[generator.integers(0, len(pool), (rows, length))]
    exclude = pool[generator.integers(0, len(pool), (rows, data.draw(st.sampled_from([0, 3, 500]))))]
    k = data.draw(st.lists(K, min_size=rows, max_size=rows))
    include = pool[generator.integers(0, len(pool), (rows, data.draw(st.sampled_from([0, 1, 40]))))]
    conditions = np.array([b"", b"category=mug", b"category=", b"=mug", b"price=1", b"\0", *strange], object)
    chosen = conditions[generator.integers(0, len(conditions), (rows, data.draw(st.sampled_from([0, 1, 3]))))]
    outputs = tiny_export.ask("recommend", history=history, exclude=exclude, k=k, include=include, filter=chosen)
    check_answers(tiny_export, outputs, rows)
    assert outputs["item_ids"].shape[1] == min(max(0, *k), 150)
    mugs = {tiny_export.ids[row].encode() for row in np.flatnonzero(category_of(tiny_export) == "mug")}
    for row, ids in enumerate(outputs["item_ids"].tolist()):
        answers = {item for item in ids if item}
        assert len(answers) <= max(0, k[row])
        assert not answers & {*history[row], *exclude[row]}
        assert answers <= ({*include[row]} - {b""} or answers)
        assert b"category=mug" not in chosen[row] or answers <= mugs
    check_answers(tiny_export, tiny_export.ask("serving_default", history=history), rows)
    embedding = tiny_export.ask("embed_query", history=history)["embedding"]
    assert embedding.shape == (rows, 16)
    assert np.isfinite(embedding).all()


@examples(25)
@given(st.data(), ROWS)
def test_items_near_random_ids_are_items_of_the_export(tiny_export, data, rows):
    ids = st.sampled_from(tiny_export.ids) | st.text(max_size=9)
    asked = data.draw(st.lists(ids.map(encoded), min_size=rows, max_size=rows))
    k = data.draw(st.lists(K, min_size=rows, max_size=rows))
    outputs = tiny_export.ask("similar", item_id=np.array([*asked, b""], object)[:-1], k=k)
    check_answers(tiny_export, outputs, rows)
    for item, answers in zip(asked, outputs["item_ids"].tolist(), strict=True):
        assert item not in [answer for answer in answers if answer]
