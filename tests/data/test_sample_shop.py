"""The sample shop: the same each time, with photos, texts and sounds that tell items apart, and worth learning."""

import hashlib
import io
import re
import wave

import numpy as np
import pandas as pd
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from mmrec.config import Config
from mmrec.data.sample_shop import world as sample_world
from mmrec.data.sample_shop.media import draw_photo, draw_sound, image_features, photo, sound
from mmrec.data.sample_shop.shop import write_sample_shop
from mmrec.data.sample_shop.world import Size, draw_world
from mmrec.errors import InputError

START, END = 1704067200, 1704067200 + 182 * 86400  # 2024-01-01 and 182 days later, seconds
LAST_TENTH = START + int(0.9 * 182 * 86400)


@pytest.fixture(scope="module")
def world():
    return draw_world("tiny", 0)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return write_sample_shop(tmp_path_factory.mktemp("shops") / "shop", "tiny").parent


@pytest.fixture(scope="module")
def catalog(shop):
    return pd.read_csv(shop / "catalog.csv", keep_default_na=False)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_other_ones(shop, tmp_path):
    draw_world.cache_clear()
    again = digest(write_sample_shop(tmp_path / "again", "tiny").parent)
    assert again == digest(shop)
    other = digest(write_sample_shop(tmp_path / "other", "tiny", seed=1).parent)
    assert other["catalog.csv"] != again["catalog.csv"]
    assert other["interactions.csv"] != again["interactions.csv"]


def test_the_written_folder_is_complete_and_its_config_loads(shop, catalog):
    config = Config.load(shop / "config.yaml")
    assert config.data.catalog.path == str(shop / "catalog.csv")
    assert config.data.interactions.path == str(shop / "interactions.csv")
    assert config.item.image.weights is None
    assert [path.name for path in shop.parent.iterdir()] == ["shop"]
    assert list(catalog.columns) == ["item_id", "title", "description", "category", "price", "image", "audio"]
    assert len(catalog) == 150
    assert {f"images/{path.name}" for path in (shop / "images").iterdir()} == set(catalog["image"]) - {""}
    assert {f"sounds/{path.name}" for path in (shop / "sounds").iterdir()} == set(catalog["audio"]) - {""}


def test_ids_say_nothing_but_the_row(catalog, shop):
    assert list(catalog["item_id"]) == [f"i{row:07d}" for row in range(150)]
    users = pd.read_csv(shop / "interactions.csv")["user_id"]
    assert users.str.fullmatch(r"u\d{6}").all()


def test_no_text_names_a_colour_or_a_pattern(catalog):
    colours = "red blue green yellow purple violet orange pink black white grey gray teal brown navy lilac cream golden"
    patterns = (
        "stripe striped dot dotted plain check checked chequered tartan wave wavy fade gradient board zigzag chevron"
    )
    forbidden = {form for word in f"{colours} {patterns}".split() for form in (word, word + "s")}
    for column in ("title", "description", "category"):
        assert not forbidden & set(re.findall(r"[a-z]+", " ".join(catalog[column]).lower()))


def test_the_category_is_said_in_each_title(catalog):
    told = catalog[catalog["title"] != ""]
    assert all(row.category in re.findall("[a-z]+", row.title.lower()) for row in told.itertuples())


def centroid_accuracy(features, labels):
    """Share of the second half of the rows whose nearest centroid, from the first half, has their label."""
    half = len(labels) // 2
    centroids = np.stack([features[:half][labels[:half] == label].mean(axis=0) for label in range(8)])
    distance = ((features[half:, None] - centroids) ** 2).sum(axis=-1)
    return (distance.argmin(axis=1) == labels[half:]).mean()


def test_photos_tell_the_look_but_not_the_theme():
    world = draw_world("small", 0)
    rows = np.flatnonzero(world.has_photo)[:500]
    files = [Image.open(io.BytesIO(photo(world, row))) for row in rows]
    pixels = np.stack([np.asarray(file.resize((12, 12)), np.float32).ravel() for file in files])
    assert files[0].size == (96, 96)
    assert centroid_accuracy(pixels, world.groups["look"][rows]) > 0.6  # chance: 0.125
    assert centroid_accuracy(pixels, world.groups["category"][rows]) > 0.4
    assert centroid_accuracy(pixels, world.groups["theme"][rows]) < 0.2


def test_each_shape_and_filling_is_its_own():
    drawn = {draw_photo(category, look, np.random.default_rng(0)) for category in range(8) for look in range(8)}
    assert len(drawn) == 64


def test_words_tell_the_theme_but_not_the_look(world):
    told = np.flatnonzero(world.has_text)
    texts = [f"{world.title[row]} {world.description[row]}".lower() for row in told]
    words = [re.findall(r"[a-z]+", text) for text in texts]
    vocabulary = {word: column for column, word in enumerate(sorted({word for of_text in words for word in of_text}))}
    counts = np.zeros((len(told), len(vocabulary)))
    for row, of_text in enumerate(words):
        counts[row, [vocabulary[word] for word in of_text]] = 1
    assert centroid_accuracy(counts, world.groups["theme"][told]) > 0.6  # chance: 0.125
    assert centroid_accuracy(counts, world.groups["look"][told]) < 0.3


def test_sounds_are_short_recordings_and_only_some_items_have_one(world):
    files = [sound(world, row) for row in range(150)]
    assert 0.3 < np.mean([bool(file) for file in files]) < 0.5
    with wave.open(io.BytesIO(next(filter(None, files)))) as reader:
        assert (reader.getnchannels(), reader.getsampwidth(), reader.getframerate()) == (1, 2, 8000)
        assert 0.4 < reader.getnframes() / 8000 < 0.6


def test_the_four_sounds_differ_in_pitch():
    for seed in range(5):
        pitch = []
        for group in range(4):
            with wave.open(io.BytesIO(draw_sound(group, np.random.default_rng(seed)))) as reader:
                samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(float)
            power = np.abs(np.fft.rfft(samples)) ** 2
            pitch.append((power * np.fft.rfftfreq(len(samples), 1 / 8000)).sum() / power.sum())  # Hz
        hum, beeps, rattle, rising = pitch
        assert hum < 200 < 250 < rising < 1300 < beeps
        assert rattle > 1500


def test_some_items_lack_a_photo_and_some_a_text_but_never_both(catalog):
    no_photo, no_text = catalog["image"] == "", catalog["title"] == ""
    assert no_photo.sum() >= 3
    assert no_text.sum() >= 3
    assert not (no_photo & no_text).any()
    assert (catalog["description"] == "").equals(no_text)


def test_no_shopper_buys_an_item_twice(world):
    pairs = world.event_user.astype(np.int64) * 150 + world.event_item
    assert len(np.unique(pairs)) == len(pairs)


def test_events_are_in_time_order_and_never_before_the_launch(world):
    assert (np.diff(world.event_time) >= 0).all()
    assert world.event_time.min() >= START
    assert world.event_time.max() < END
    assert (world.event_time >= world.launch[world.event_item]).all()


def test_shoppers_fill_baskets_of_one_to_four_items(world):
    visit = world.event_user.astype(np.int64) << 32 | world.event_time
    sizes = np.bincount(np.unique(visit, return_counts=True)[1], minlength=5)[1:]
    assert len(sizes) == 4
    assert sizes[0] > sizes[1] > sizes[2] > sizes[3] > 0


def test_some_items_are_launched_too_late_to_be_learnt(world):
    assert 0.1 < (world.launch > START).mean() < 0.3
    late = np.flatnonzero(world.launch >= LAST_TENTH)
    assert len(late) >= 3
    assert np.isin(late, world.event_item).any()


def test_some_shoppers_change_their_taste_midway(world):
    favourite = {facet: taste.argmax(axis=-1) for facet, taste in world.taste.items()}  # [U, 2]
    changed = np.any([values[:, 0] != values[:, 1] for values in favourite.values()], axis=0)
    assert 0.1 < changed.mean() < 0.25


def test_knowing_the_tastes_beats_popularity_three_times(world):
    before = world.event_time < LAST_TENTH
    popularity = np.bincount(world.event_item[before], minlength=150).astype(float)
    discount = 1 / np.log2(np.arange(2, 12))
    ndcg = {"popularity": [], "oracle": []}
    for user in np.unique(world.event_user[~before]):
        mine = world.event_user == user
        relevant, seen = world.event_item[mine & ~before], world.event_item[mine & before]
        for name, scores in (("popularity", popularity), ("oracle", world.utility(user, LAST_TENTH))):
            scores = scores.copy()
            scores[seen] = -np.inf
            hits = np.isin(np.argsort(-scores)[:10], relevant)
            ndcg[name].append(discount[hits].sum() / discount[: len(relevant)].sum())
    assert np.mean(ndcg["oracle"]) > 3 * np.mean(ndcg["popularity"])
    assert np.mean(ndcg["popularity"]) > 0.05  # popularity matters as well; a random order has about 0.03


def test_tfds_gives_the_written_tables(shop, catalog, tmp_path):
    loaded = tfds.load("mmrec_sample_shop/tiny-items", split="train", data_dir=tmp_path)
    items = list(tfds.as_numpy(loaded))
    assert [item["item_id"].decode() for item in items] == list(catalog["item_id"])
    assert [item["title"].decode() for item in items] == list(catalog["title"])
    for item, image, audio in zip(items, catalog["image"], catalog["audio"], strict=True):
        assert item["image"] == ((shop / image).read_bytes() if image else b"")
        assert item["audio"] == ((shop / audio).read_bytes() if audio else b"")
    events = tfds.as_numpy(tfds.load("mmrec_sample_shop/tiny-interactions", split="train", data_dir=tmp_path))
    events = [(event["user_id"].decode(), event["item_id"].decode(), event["timestamp"]) for event in events]
    assert events == list(pd.read_csv(shop / "interactions.csv").itertuples(index=False, name=None))


def test_parquet_is_written_on_request(tmp_path, catalog):
    config = write_sample_shop(tmp_path / "shop", "tiny", table_format="parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "shop" / "catalog.parquet"), catalog)
    assert Config.load(config).data.interactions.path.endswith("interactions.parquet")


def test_a_size_without_media_has_features_of_look_and_category(tmp_path, monkeypatch):
    monkeypatch.setitem(sample_world.SIZES, "large", Size(400, 300, 3000, media=False))
    draw_world.cache_clear()
    config = Config.load(write_sample_shop(tmp_path / "shop", "large"))
    catalog = pd.read_parquet(config.data.catalog.path)
    assert list(catalog.columns) == ["item_id", "title", "description", "category", "price", "image_features"]
    assert config.item.modalities == ("features", "item_id")
    assert config.data.catalog.features == "image_features"
    world = draw_world("large", 0)
    draw_world.cache_clear()
    features = np.stack(catalog["image_features"])
    assert features.shape == (400, 32)
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, image_features(world))
    assert centroid_accuracy(features, world.groups["look"]) > 0.8
    assert centroid_accuracy(features, world.groups["theme"]) < 0.25


def test_a_folder_with_something_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="must be absent or empty"):
        write_sample_shop(tmp_path, "tiny")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled_in_place(tmp_path):
    (tmp_path / "shop").mkdir()
    standing = (tmp_path / "shop").stat().st_ino
    assert write_sample_shop(tmp_path / "shop", "tiny") == tmp_path / "shop" / "config.yaml"
    assert (tmp_path / "shop").stat().st_ino == standing
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": "smal"}, r"must be one of tiny, small, medium, large. Received: 'smal'. Did you mean `small`\?"),
        ({"seed": -1}, r"`seed` must be >= 0. Received: -1."),
        ({"table_format": "xlsx"}, r"`table_format` must be one of csv, parquet. Received: 'xlsx'."),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_written(tmp_path, arguments, message):
    with pytest.raises(InputError, match=message):
        write_sample_shop(tmp_path / "shop", **arguments)
    assert not list(tmp_path.iterdir())
