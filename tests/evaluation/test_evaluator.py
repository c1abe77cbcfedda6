import numpy as np
import pytest

from mmrec.errors import InputError
from mmrec.evaluation.evaluator import evaluate
from tests.evaluation.worlds import make_queries


def test_means_lists_intervals_and_slices_come_from_one_ranking():
    asked = []

    def scorer(queries):
        asked.extend(queries.tolist())
        return np.array([[0, 4, 3, 2, 1], [0, 1, 2, 3, 4]], np.float32)[queries]

    queries = make_queries([[2], [3, 4]], history=[[1], []], dropped={"short_history": 3})
    evaluation = evaluate(scorer, queries, 4, (1, 2, 10), item_slices={"last": np.array([0, 0, 0, 0, 1])}, seed=1)
    assert asked == [0, 1]
    assert evaluation.metrics["recall@1"] == 0.25  # 0 of 1, 1 of 2
    assert evaluation.metrics["recall@2"] == 1.0
    assert evaluation.metrics["hit_rate@1"] == 0.5
    assert evaluation.metrics["mrr"] == 0.75
    assert evaluation.metrics["mrr_ci95"] == [0.5, 1.0]
    assert evaluation.metrics["coverage@1"] == 0.5  # items 1 and 4
    assert evaluation.metrics["coverage@2"] == 1.0
    assert evaluation.per_query["mrr"].tolist() == [0.5, 1.0]
    assert evaluation.slices["last"] == {"recall@10": 1.0, "ndcg@10": 1.0, "mrr": 1.0, "hit_rate@10": 1.0, "queries": 1}
    assert evaluation.slices["history_1_to_5"]["mrr"] == 0.5
    assert (evaluation.queries, evaluation.candidates, evaluation.dropped) == (2, 4, {"short_history": 3})


def test_the_quick_way_has_means_only():
    evaluation = evaluate(
        lambda queries: np.ones((len(queries), 3)), make_queries([[1]]), 2, (10,), bootstrap_samples=0, top_k=0
    )
    assert set(evaluation.metrics) == {"recall@10", "ndcg@10", "hit_rate@10", "precision@10", "mrr"}
    assert evaluation.slices == {}


def test_a_constant_scorer_is_no_better_than_chance_in_any_metric():
    generator, items = np.random.default_rng(0), 100
    queries = make_queries([np.sort(generator.permutation(items)[:3] + 1) for _ in range(200)])
    constant = evaluate(lambda rows: np.zeros((len(rows), items + 1)), queries, items, bootstrap_samples=0).metrics
    chance = evaluate(
        lambda rows: generator.random((len(rows), items + 1)), queries, items, bootstrap_samples=0
    ).metrics
    assert chance["recall@10"] == pytest.approx(0.1, abs=0.03)
    assert all(constant[name] <= chance[name] for name in constant)
    assert constant["recall@50"] == 0.0


def test_no_query_at_all_is_an_error_that_says_what_was_left_out():
    with pytest.raises(InputError, match=r"at least one query. Received: none; left out: \{.short_history.: 7\}"):
        evaluate(lambda queries: np.zeros((0, 3)), make_queries([], dropped={"short_history": 7}), 2)
