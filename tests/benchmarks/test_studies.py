"""Every study loads, with all of its variants, on small files in the form of the public data."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import benchmarks.studies
import mmrec
from benchmarks.studies import NAMES
from benchmarks.studies.content import before_launch
from benchmarks.studies.missing import Hidden
from benchmarks.studies.tried import Smoothed
from mmrec.data.features import FeatureSource
from mmrec.jobs.resolve import resolve
from mmrec.models.logits import REMOVED

STUDIES = {name: importlib.import_module(f"benchmarks.studies.{name}").STUDY for name in NAMES}
SHOPS = [(name, shop) for name, study in STUDIES.items() for shop in study.shops]
USERS, ITEMS, EVENTS = 30, 12, 6


@pytest.fixture
def public_data(tmp_path, monkeypatch):
    """Writes small wines, retail and amazon_beauty where MMREC_DATA says: users buy six of twelve items by turns."""
    folder = tmp_path / "data"
    for name in ("wines", "retail", "amazon_beauty"):
        (folder / name).mkdir(parents=True)
    pairs = [(user, (user + event) % ITEMS, event) for user in range(USERS) for event in range(EVENTS)]
    user, item, event = map(np.array, zip(*pairs, strict=True))
    date = pd.Timestamp("2024-01-01") + pd.to_timedelta(event * USERS + user, unit="h")
    names = ["ruby", "amber", "ivory", "onyx", "coral", "pearl", "jade", "opal", "topaz", "agate", "beryl", "quartz"]
    texts = ("WineName", "WineryName", "Type", "Grapes", "Country", "RegionName", "Harmonize")
    wines = pd.DataFrame({"WineID": range(ITEMS), **dict.fromkeys(texts, names), "image": ""})
    wines.to_csv(folder / "wines" / "wines.csv", index=False)
    ratings = pd.DataFrame({"UserID": user, "WineID": item, "Date": date, "Rating": 5.0})
    ratings.to_csv(folder / "wines" / "ratings.csv.gz", index=False)
    items = pd.DataFrame({"item_id": range(ITEMS), "title": names})
    items.to_csv(folder / "amazon_beauty" / "items.csv", index=False)
    events = pd.DataFrame({"user_id": user, "item_id": item, "timestamp": date})
    events.to_csv(folder / "amazon_beauty" / "interactions.csv.gz", index=False)
    lines = {"InvoiceNo": event * USERS + user, "StockCode": 10000 + item, "Description": np.array(names)[item]}
    lines |= {"Quantity": 1, "InvoiceDate": date, "UnitPrice": 2.5, "CustomerID": user}
    pd.DataFrame(lines).to_csv(folder / "retail" / "online_retail.csv.gz", index=False)
    monkeypatch.setenv("MMREC_DATA", str(folder))
    monkeypatch.setattr("benchmarks.common.DATA", folder)


def test_every_module_of_the_folder_that_has_a_study_is_named():
    folder = Path(benchmarks.studies.__file__).parent
    assert sorted(path.stem for path in folder.glob("*.py") if "\nSTUDY = " in path.read_text()) == list(NAMES)


@pytest.mark.parametrize(("name", "shop"), SHOPS)
def test_every_variant_of_a_shop_is_a_config_of_its_own(name, shop, public_data, tmp_path):
    study = STUDIES[name]
    made = study.shops[shop](tmp_path / "shops" / "it", True)
    configs = [
        resolve(mmrec.Config.load(made.config, seed=0, **changes), made.tables)
        for changes in study.variants_of(shop).values()
    ]
    assert len(configs) > 1
    for number, one in enumerate(configs):
        assert one not in configs[:number]


@pytest.mark.parametrize(("name", "shop"), SHOPS)
def test_a_quick_shop_trains_for_one_epoch(name, shop, public_data, tmp_path):
    assert STUDIES[name].shops[shop](tmp_path / "it", True).config.training.epochs == 1


@pytest.mark.parametrize(
    ("name", "shop", "epochs"),
    [
        ("content", "everyone", 4),
        ("content", "cold", 4),
        ("defaults", "wines", 12),
        ("defaults", "retail", 12),
        ("defaults", "beauty", 5),
        ("fusion", "wines", 4),
    ],
)
def test_a_shop_trains_for_as_many_epochs_as_its_study_says(name, shop, epochs, public_data, tmp_path):
    assert STUDIES[name].shops[shop](tmp_path / "it", False).config.training.epochs == epochs


@pytest.mark.parametrize("name", NAMES)
def test_quick_variants_are_variants_of_the_first_shop_beside_its_base(name):
    study = STUDIES[name]
    _, *others = study.variants_of(next(iter(study.shops)))
    assert study.quick
    assert set(study.quick) <= set(others)


@pytest.mark.parametrize(("name", "shop"), SHOPS)
def test_names_of_shops_and_variants_fall_into_table_and_row_of_the_page(name, shop):
    assert not any("/" in part for part in (shop, *STUDIES[name].variants_of(shop)))


def test_classes_outside_mmrec_that_variants_name_are_there():
    changes = [one for name, shop in SHOPS for one in STUDIES[name].variants_of(shop).values()]
    classes = {value for one in changes for value in one.values() if str(value).startswith("benchmarks.")}
    assert len(classes) == 3
    for module, _, name in (value.partition(":") for value in classes):
        assert isinstance(getattr(importlib.import_module(module), name), type)


@pytest.mark.parametrize("name", NAMES)
def test_shops_with_variants_of_their_own_are_shops(name):
    study = STUDIES[name]
    assert set(study.own_variants or {}) <= set(study.shops)


def test_a_shop_that_is_there_is_read_and_not_written_again(tmp_path):
    make = STUDIES["fusion"].shops["sample shop"]
    first = make(tmp_path / "shop", True)
    catalog = tmp_path / "shop" / "catalog.csv"
    written = catalog.stat().st_mtime_ns
    assert make(tmp_path / "shop", True).config == first.config
    assert catalog.stat().st_mtime_ns == written


def test_before_launch_cold_items_have_no_events_and_only_test_asks_for_them(public_data, tmp_path):
    tables = STUDIES["content"].shops["everyone"](tmp_path / "it", True).tables
    rows = tables.vocabulary.rows([str(item) for item in range(ITEMS)])
    cold = np.zeros(ITEMS + 1, bool)
    cold[rows[[4, 5]]] = True
    before = before_launch(tables, cold)
    split = before.split
    # User u has the items u ... u + 5, modulo 12: four in training, then validation's answer, then that of test.
    assert len(split.train.rows.values) == len(split.train.time) == 96  # of 120; 4 and 5 have twelve each
    assert not cold[split.train.rows.values].any()
    assert before.train_counts[cold].tolist() == [0, 0]
    assert before.train_counts.sum() == 96
    assert len(split.validation.user) == 24  # six of thirty would be asked for 4 or 5
    assert not cold[split.validation.relevant.values].any()
    asked = {
        tables.events.user_ids[user]: (history.tolist(), seen.tolist(), answer.tolist())
        for user, history, seen, answer in zip(
            split.test.user, split.test.history, split.test.seen, split.test.relevant, strict=True
        )
    }
    assert asked.keys() == {"0", "12", "24", "11", "23"}
    assert asked["12"] == (rows[[0, 1, 2, 3]].tolist(), sorted(rows[[0, 1, 2, 3]]), [rows[5]])
    assert asked["23"] == (rows[[11, 0, 1, 2, 3]].tolist(), sorted(rows[[11, 0, 1, 2, 3]]), [rows[4]])


def test_a_cold_shop_asks_for_one_of_twelve_items(public_data, tmp_path):
    tables = STUDIES["content"].shops["cold"](tmp_path / "it", True).tables
    assert set(tables.split.test.relevant.lengths) == {1}
    assert len(set(tables.split.test.relevant.values)) == 1  # 5% of 12, rounded


def test_a_hidden_item_reads_what_the_row_without_an_item_reads():
    class Counting(FeatureSource):
        longest = frozenset({"text"})

        def rows(self, rows, draw=None):
            return {"text": rows * 10}

    source = Hidden(Counting(), np.array([False, True, False, True]))
    assert source.rows(np.array([3, 2, 1, 0, 2]))["text"].tolist() == [0, 20, 0, 0, 20]
    assert source.longest == {"text"}


@pytest.mark.parametrize("removed", [0, 2])
def test_smoothed_labels_give_every_candidate_that_competes_a_share(removed):
    # Probabilities 3/4 and 1/4: 0.9 * -ln 3/4 + 0.1 * (-ln 3/4 - ln 1/4) / 2.
    logits = tf.constant([[np.log(3.0), 0.0] + [REMOVED] * removed], tf.float32)
    loss = Smoothed(mmrec.Config().retrieval, 2)(logits, tf.constant([0]))
    np.testing.assert_allclose(loss, [0.342613], rtol=1e-5)
