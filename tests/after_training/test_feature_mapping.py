"""Items without events, in a shop whose titles tell the group: they rank well for shoppers of the group."""

import csv

import numpy as np
import pandas as pd
import pytest

import mmrec
from mmrec.after_training.feature_mapping import _solved
from tests.jobs.worlds import write_groups

NEW = ("red-new", "blue-new")


def config_of(folder, **item_id):
    """The planted shop with a new item in each group; by dot product, items without an id vector rank behind."""
    config = write_groups(folder, epochs=8)
    with open(folder / "items.csv", "a", newline="") as file:
        csv.writer(file).writerows([item, f"{item.split('-')[0]} thing"] for item in NEW)
    config["item"] |= {"modalities": ["text", "item_id"], "fusion": "sum", "text": {"encoder": "mean", "dropout": 0.0}}
    config["retrieval"] = {"negatives": "catalog", "similarity": "dot"}
    config["item"]["item_id"] |= {"dropout": 0.0, **item_id}
    return config


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    return mmrec.train(config_of(tmp_path_factory.mktemp("mapped")))


def places(export):
    """Returns the rank of each new item among all items for a shopper of its group, from 1."""
    shop = mmrec.load(export)
    answers = shop.recommend([["red-1", "red-2", "red-3"], ["blue-1", "blue-2", "blue-3"]], k=26).item_ids
    return [list(row).index(item) + 1 for item, row in zip(NEW, answers, strict=True)]


def test_new_items_stand_further_ahead_for_shoppers_of_their_group(mapped, tmp_path):
    plain = mmrec.train(config_of(tmp_path, mapping=False))
    assert plain.metrics["mapping"] == {}
    assert max(places(mapped.export_dir)) < min(places(plain.export_dir))


def test_the_choice_on_validation_is_reported_and_stays_with_the_export(mapped):
    mapping = mapped.metrics["mapping"]
    assert mapping["strength"] > 0
    assert mapping["hidden_ndcg@10"] > mapping["hidden_ndcg@10_before"]
    assert mapping["others_ndcg@10"] >= 0.98 * mapping["others_ndcg@10_before"]
    assert mmrec.evaluate(mapped.export_dir, mapped.run_dir / "config.yaml")["mapping"] == mapping


def test_an_item_that_comes_later_is_embedded_as_one_of_the_catalog_without_events(mapped):
    shop = mmrec.load(mapped.export_dir)
    later = shop.embed_items(pd.DataFrame({"item_id": ["later"], "title": ["red thing"]}))
    row = 1 + list(shop.items["item_id"]).index("red-new")
    np.testing.assert_allclose(later[0], shop.item_table[row], atol=1e-5)


def test_ids_alone_have_nothing_to_be_mapped_from(tmp_path):
    config = write_groups(tmp_path, users=40, epochs=1)
    assert mmrec.train(config).metrics["mapping"] == {}


def test_the_regression_weighs_items_by_their_events_and_is_ridged_by_a_hundredth():
    # One input that is always 1; values 0 (one event) and 4 (three): 12 / (4 + .04).
    weights, inputs, wanted = np.array([[1.0], [3.0]]), np.ones([2, 1]), np.array([[0.0], [4.0]])
    actual = _solved((inputs * weights).T @ inputs, (inputs * weights).T @ wanted)
    np.testing.assert_allclose(actual, [[12 / 4.04]])


def test_inputs_that_are_never_there_have_no_weight():
    np.testing.assert_array_equal(_solved(np.zeros([2, 2]), np.zeros([2, 3])), np.zeros([2, 3]))
