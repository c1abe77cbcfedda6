import numpy as np
import pytest

import mmrec
from mmrec.errors import InputError
from tests.jobs.worlds import write_groups


@pytest.mark.parametrize(
    "retrieval",
    [
        {"negatives": "catalog"},
        {"negatives": "catalog", "similarity": "dot", "temperature": 1.0},
        {"negatives": "mixed", "negative_samples": 8},
        {"negatives": "sampled", "negative_samples": 8, "learn_temperature": True},
    ],
    ids=["catalog", "dot", "mixed", "sampled"],
)
def test_whatever_competes_the_users_group_is_found(tmp_path, retrieval):
    config = write_groups(tmp_path) | {"retrieval": retrieval}
    assert mmrec.train(config).metrics["test"]["recall@10"] > 0.95


def test_fitted_text_vectors_are_cached_exported_and_find_the_group(tmp_path):
    config = write_groups(tmp_path, epochs=12)
    config["item"] |= {"modalities": ["text"], "text": {"tokenizer": "word", "encoder": "latent", "latent_dim": 16}}
    result = mmrec.train(config)
    assert result.metrics["test"]["recall@10"] > 0.95
    shop = mmrec.load(result.export_dir)
    np.testing.assert_allclose(shop.embed_items(shop.items), shop.item_table[1:], atol=1e-4)


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """Neighbours beside towers that have learnt next to nothing."""
    config = write_groups(tmp_path_factory.mktemp("neighbours"), epochs=1, learning_rate=1e-5)
    return mmrec.train(config | {"retrieval": {"neighbours": 6}})


def test_neighbours_stand_in_the_export_and_their_weight_in_the_metrics(beside):
    found, shop = beside.metrics["neighbours"], mmrec.load(beside.export_dir)
    assert found["rank"] == 6
    assert found["weight"] > 0
    assert shop.item_table.shape == (25, 16 + 6)
    assert shop.embed_queries([["red-1", "blue-2"]]).shape == (1, 22)
    np.testing.assert_allclose(shop.embed_items(shop.items), shop.item_table[1:], atol=1e-4)
    assert mmrec.evaluate(beside.export_dir)["test"]["ndcg@10"] == pytest.approx(
        beside.metrics["test"]["ndcg@10"], abs=1e-6
    )


def test_with_neighbours_like_items_and_answers_are_of_the_group(beside):
    shop = mmrec.load(beside.export_dir)
    for answers in (shop.similar(["red-3"], k=8), shop.recommend([["red-1", "red-2"]], k=8)):
        assert all(item.startswith("red") for item in answers.item_ids[0])


def test_a_new_item_has_no_neighbours(beside):
    shop = mmrec.load(beside.export_dir)
    new = shop.embed_items(shop.items.assign(item_id=""))
    assert not new[:, 16:].any()


def test_neighbours_without_ids_are_refused(tmp_path):
    config = write_groups(tmp_path) | {"retrieval": {"neighbours": 6}}
    config["item"]["modalities"] = ["text"]
    with pytest.raises(InputError, match=r"`retrieval\.neighbours` needs `item_id` among `item\.modalities`"):
        mmrec.train(config)
