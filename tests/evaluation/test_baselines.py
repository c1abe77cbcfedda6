import numpy as np
import pytest

from mmrec.data.item_knn import ItemKNN
from mmrec.data.ragged import Ragged
from mmrec.evaluation.baselines import Popularity
from mmrec.evaluation.evaluator import evaluate
from tests.evaluation.worlds import make_queries

PLAIN = ItemKNN(window=2, window_decay=0.5, backward=0.25, shrinkage=0, history_decay=0.5)


def similarity(model, rows, items, **kwargs):
    return model.fit(Ragged.of(rows), items, **kwargs).similarity.toarray()


def test_popularity_scores_alike_for_everyone():
    scores = Popularity(np.array([0, 3, 1]))(np.array([4, 0]))
    assert scores.dtype == np.float32
    assert scores.tolist() == [[0, 3, 1], [0, 3, 1]]


def test_similarity_is_decayed_directed_co_occurrence_over_the_roots_of_the_counts():
    similarities = similarity(PLAIN, [[1, 2, 3], [1, 2]], 3)
    # events: item 1 two, item 2 two, item 3 one
    assert similarities[1, 2] == pytest.approx(1.0)  # 2 / sqrt(2 * 2)
    assert similarities[2, 1] == pytest.approx(0.25)  # 2 * 0.25 / sqrt(2 * 2)
    assert similarities[1, 3] == pytest.approx(0.3535534)  # 0.5 / sqrt(2 * 1)
    assert similarities[3, 1] == pytest.approx(0.0883883)  # 0.5 * 0.25 / sqrt(2 * 1)
    assert similarities[2, 3] == pytest.approx(0.7071068)  # 1 / sqrt(2 * 1)


def test_nothing_is_near_beyond_the_window_or_another_user_or_itself():
    similarities = similarity(PLAIN, [[1, 2, 2, 3], [4]], 4)
    assert similarities[1, 3] == 0.0
    assert similarities[3, 4] == similarities[4, 3] == 0.0
    assert similarities[2, 2] == 0.0


def test_the_items_of_one_basket_follow_each_other_both_ways():
    similarities = similarity(PLAIN, [[1, 2, 3]], 3, times=np.array([5, 5, 6]))
    assert similarities[1, 2] == similarities[2, 1] == 1.0
    assert (similarities[2, 3], similarities[3, 2]) == (1.0, 0.25)


def test_shrinkage_lowers_similarities_that_rest_on_few_events():
    similarities = similarity(ItemKNN(shrinkage=3), [[1, 2]], 2)
    assert similarities[1, 2] == pytest.approx(0.25)  # 1 / sqrt(4 * 4)


def test_only_the_nearest_neighbours_are_kept():
    similarities = similarity(ItemKNN(window=1, neighbours=1, shrinkage=0), [[1, 2], [1, 3], [1, 3]], 3)
    assert np.flatnonzero(similarities[1]).tolist() == [3]


def test_a_fit_in_blocks_is_the_fit_as_a_whole():
    generator = np.random.default_rng(0)
    rows = [generator.integers(1, 31, generator.integers(0, 12)) for _ in range(60)]
    whole = similarity(ItemKNN(neighbours=5), rows, 30)
    in_blocks = similarity(ItemKNN(neighbours=5), rows, 30, most_pairs=50)
    np.testing.assert_allclose(in_blocks, whole, rtol=1e-6)


def test_a_query_sums_the_neighbours_of_its_history_recent_ones_more():
    fitted = PLAIN.fit(Ragged.of([[1, 3], [2, 4]]), 4)
    scores = fitted.scorer(Ragged.of([[3, 4], [1, 2]]))(np.array([1]))
    assert scores.dtype == np.float32
    assert scores[0, 3] == pytest.approx(0.5, abs=1e-5)  # from item 1, one back
    assert scores[0, 4] == pytest.approx(1.0, abs=1e-5)  # from item 2, the last
    assert np.argsort(-scores[0])[0] == 4


def test_popularity_answers_an_empty_history_and_orders_equal_scores():
    fitted = PLAIN.fit(Ragged.of([[2], [3], [3], [3], [1], [1]]), 4)
    scores = fitted.scorer(Ragged.of([[], [2]]))(np.array([0, 1]))
    assert np.argsort(-scores[0], kind="stable")[:3].tolist() == [3, 1, 2]
    assert np.argsort(-scores[1], kind="stable")[:3].tolist() == [3, 1, 2]
    assert scores[0, 4] == 0.0  # no events


def test_popularity_never_overrules_a_neighbour():
    fitted = ItemKNN().fit(Ragged.of([[1, 2], *[[3]] * 1000]), 3)
    assert np.argmax(fitted.scorer(Ragged.of([[1]]))(np.array([0]))) == 2


def test_neighbours_find_the_one_right_answer_of_a_cycle_and_popularity_does_not():
    items = 40
    train = Ragged.of([[1 + (start + step) % items for step in range(6)] for start in range(items)])
    queries = make_queries([[1 + (i + 1) % items] for i in range(items)], [[1 + i] for i in range(items)])
    history = Ragged.of([[1 + i] for i in range(items)])
    knn = evaluate(ItemKNN().fit(train, items).scorer(history), queries, items, bootstrap_samples=0).metrics
    popular = evaluate(Popularity(np.bincount(train.values)), queries, items, bootstrap_samples=0).metrics
    assert knn["mrr"] == 1.0
    assert popular["recall@10"] == 0.0  # all equally popular: ties count against it


def test_the_order_within_a_basket_changes_nothing():
    generator = np.random.default_rng(0)
    baskets = [[generator.permutation(30)[: generator.integers(1, 15)] + 1 for _ in range(4)] for _ in range(20)]
    times = np.concatenate([np.repeat(np.arange(4), [len(basket) for basket in user]) for user in baskets])
    rows = [np.concatenate(user) for user in baskets]
    turned = [np.concatenate([basket[::-1] for basket in user]) for user in baskets]
    one, other = (similarity(ItemKNN(neighbours=30), order, 30, times=times) for order in (rows, turned))
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_all_of_a_basket_is_near_all_of_the_next_one():
    similarities = similarity(PLAIN, [[1, 2, 3, 4, 5, 6]], 6, times=np.array([1, 1, 1, 1, 2, 3]))
    assert similarities[1, 2] == similarities[1, 4] == similarities[4, 1] == similarities[1, 5] == 1.0
    assert similarities[5, 1] == 0.25
    assert (similarities[1, 6], similarities[6, 1]) == (0.5, 0.125)


def test_baskets_are_near_while_few_events_lie_between():
    similarities = similarity(PLAIN, [[1, 2, 3, 4, 5]], 5, times=np.array([1, 2, 2, 3, 4]))  # fewer than two between
    assert similarities[1, 2] == 1.0
    assert similarities[1, 4] == 0.0  # 2 and 3
    assert similarities[2, 5] == 0.5  # 4


def test_the_items_of_a_basket_weigh_alike_in_a_query():
    fitted = PLAIN.fit(Ragged.of([[1, 4], [2, 5], [3, 6]]), 6)
    scores = fitted.scorer(Ragged.of([[1, 2, 3]]), np.array([1, 2, 2]))(np.array([0]))[0]
    np.testing.assert_allclose(scores[4:], [0.5, 1.0, 1.0], atol=1e-5)
