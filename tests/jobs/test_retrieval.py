import numpy as np
import pytest

import mmrec
from mmrec.after_training import neighbours
from mmrec.data import factors
from mmrec.errors import InputError
from tests.jobs.worlds import write_groups

SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "retrieval",
    [
        {"negatives": "catalog"},
        {"negatives": "catalog", "similarity": "dot", "temperature": 1.0},
        pytest.param({"negatives": "mixed", "negative_samples": 8}, marks=pytest.mark.slow),
        pytest.param(
            {"negatives": "sampled", "negative_samples": 8, "learn_temperature": True}, marks=pytest.mark.slow
        ),
    ],
    ids=["catalog", "dot", "mixed", "sampled"],
)
def test_whatever_competes_the_users_group_is_learnt(tmp_path, retrieval):
    config = write_groups(tmp_path) | {"retrieval": retrieval}
    assert mmrec.train(config).metrics["test"]["recall@10"] > 0.95


@SLOW
@pytest.mark.parametrize("loss", ["bpr", "gbce", "cosine"])
def test_whatever_the_loss_the_users_group_is_learnt(tmp_path, loss):
    config = write_groups(tmp_path, epochs=6) | {"retrieval": {"loss": loss}}
    assert mmrec.train(config).metrics["test"]["recall@10"] > 0.85  # by chance, 10 of 18


def test_fitted_text_vectors_are_cached_exported_and_find_the_group(tmp_path):
    config = write_groups(tmp_path, epochs=12)
    config["item"] |= {"modalities": ["text"], "text": {"tokenizer": "word", "encoder": "latent", "latent_dim": 16}}
    result = mmrec.train(config)
    assert result.metrics["test"]["recall@10"] > 0.95
    shop = mmrec.load(result.export_dir)
    np.testing.assert_allclose(shop.embed_items(shop.items), shop.item_table[1:], atol=1e-4)


@pytest.mark.parametrize(("initial", "low", "high"), [("auto", 0.95, 1.0), ("random", 0.0, 0.9)])
def test_ids_that_start_from_neighbours_know_the_group_before_they_learn(tmp_path, initial, low, high):
    config = write_groups(tmp_path, epochs=1, learning_rate=1e-6)
    config["item"]["item_id"] = {"initial": initial}
    assert low <= mmrec.train(config).metrics["test"]["recall@10"] <= high


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """Neighbours with towers that have learnt almost nothing."""
    config = write_groups(tmp_path_factory.mktemp("neighbours"), epochs=1, learning_rate=1e-5)
    return mmrec.train(config | {"retrieval": {"neighbours": 6}})


def test_neighbours_stand_in_the_export_and_their_weight_in_the_metrics(beside):
    neighbours, shop = beside.metrics["neighbours"], mmrec.load(beside.export_dir)
    assert neighbours["rank"] == 6
    assert neighbours["weight"] > 0
    assert neighbours["text_weight"] == 0  # no texts are read
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


def test_fitted_texts_stand_beside_the_towers_where_only_they_know_the_answer(tmp_path):
    config = write_groups(tmp_path, epochs=1, learning_rate=1e-6)
    config["item"] |= {"modalities": ["text", "item_id"]}
    config["item"]["text"] = {"tokenizer": "word", "encoder": "latent", "latent_dim": 4}
    colours = [("red", "blue")[user % 2] for user in range(60)]
    events = [  # the answers at the end are never trained on
        f"u{user},{colour}-{item},{time}"
        for user, colour in enumerate(colours)
        for time, item in enumerate([user % 7, (user + 2) % 7, 9 + user % 3, 9 + (user + 1) % 3])
    ]
    (tmp_path / "events.csv").write_text("\n".join(["user_id,item_id,timestamp", *events]))
    result = mmrec.train(config | {"retrieval": {"neighbours": 2}})
    neighbours, shop = result.metrics["neighbours"], mmrec.load(result.export_dir)
    assert neighbours["text_weight"] > 0
    # With so few directions, all are singular vectors.
    assert neighbours["random_weight"] == neighbours["random_text_weight"] == 0
    assert shop.item_table.shape == (25, 16 + 4 + 2)
    new = shop.embed_items(shop.items.assign(item_id=""))
    similarity = (new[:, 16:20] @ new[:, 16:20].T) / neighbours[
        "text_weight"
    ]  # of texts, as far as 4 dimensions know them
    assert (similarity.diagonal() > 0).all()
    assert (similarity.diagonal() < 1.001).all()
    np.testing.assert_allclose(shop.embed_items(shop.items), shop.item_table[1:], atol=1e-4)


def test_neighbours_without_ids_are_refused(tmp_path):
    config = write_groups(tmp_path) | {"retrieval": {"neighbours": 6}}
    config["item"]["modalities"] = ["text"]
    with pytest.raises(InputError, match=r"`retrieval\.neighbours` needs `item_id` among `item\.modalities`"):
        mmrec.train(config)


def test_there_are_no_more_directions_than_items(tmp_path):
    config = write_groups(tmp_path, epochs=1, learning_rate=1e-6)
    neighbours = mmrec.train(config | {"retrieval": {"neighbours": 512}}).metrics["neighbours"]
    assert neighbours["rank"] == 24
    assert neighbours["random_weight"] == 0  # not a weight of rounding errors


def test_random_directions_know_the_group_and_have_a_weight_of_their_own(tmp_path, monkeypatch):
    for module in (factors, neighbours):
        monkeypatch.setattr(module, "singular_vectors", lambda rank, exact=0, singular=0: 0)
    config = write_groups(tmp_path, epochs=1, learning_rate=1e-6)
    result = mmrec.train(config | {"retrieval": {"neighbours": 24}})
    chosen, shop = result.metrics["neighbours"], mmrec.load(result.export_dir)
    assert chosen["random_weight"] > 0
    assert chosen["weight"] == 0  # of no singular vectors
    assert result.metrics["test"]["recall@10"] > 0.7  # by chance, 10 of 18; so few directions are noisy
    np.testing.assert_allclose(shop.embed_items(shop.items), shop.item_table[1:], atol=1e-4)
