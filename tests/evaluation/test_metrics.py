import numpy as np
import pytest

from mmrec.data.ragged import Ragged
from mmrec.evaluation.metrics import coverage, per_query


def test_metrics_of_one_answer_at_rank_three():
    metrics = per_query(Ragged.of([[3]]), (2, 5))
    assert {name: value.tolist() for name, value in metrics.items()} == {
        "recall@2": [0.0],
        "ndcg@2": [0.0],
        "hit_rate@2": [0.0],
        "precision@2": [0.0],
        "recall@5": [1.0],
        "ndcg@5": [0.5],  # 1 / log2(4)
        "hit_rate@5": [1.0],
        "precision@5": [0.2],
        "mrr": [pytest.approx(0.333333333)],
    }


def test_recall_divides_by_all_answers_even_beyond_k():
    metrics = per_query(Ragged.of([[1, 2, 3, 4]]), (2,))
    assert metrics["recall@2"].tolist() == [0.5]
    assert metrics["precision@2"].tolist() == [1.0]
    assert metrics["ndcg@2"].tolist() == [1.0]  # no list of two is better


def test_ndcg_of_several_answers_by_hand():
    metrics = per_query(Ragged.of([[1, 3, 11]]), (10,))
    # gain 1/log2(2) + 1/log2(4) = 1.5; ideal 1/log2(2) + 1/log2(3) + 1/log2(4) = 2.1309298
    assert metrics["ndcg@10"][0] == pytest.approx(0.7039181, abs=1e-7)
    assert metrics["recall@10"][0] == pytest.approx(0.6666667, abs=1e-7)
    assert metrics["precision@10"][0] == pytest.approx(0.2)


def test_mrr_is_of_the_best_answer_of_each_query():
    assert per_query(Ragged.of([[8, 2], [4], [5, 10]]))["mrr"].tolist() == [0.5, 0.25, 0.2]


def test_a_query_without_answers_is_refused():
    with pytest.raises(ValueError, match="none for query 1"):
        per_query(Ragged.of([[1], []]))


def test_no_queries_give_empty_metrics():
    assert per_query(Ragged.of([]), (10,))["mrr"].shape == (0,)


def test_coverage_is_the_share_of_items_in_any_list():
    top = np.array([[1, 2], [1, 3], [4, 0]], np.int32)
    assert coverage(top, items=8, k=1) == 0.25  # 1 and 4
    assert coverage(top, items=8, k=2) == 0.5  # also 2 and 3; a missing answer is no item
