import json

import numpy as np
import pytest

from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.report import report
from tests.evaluation.worlds import make_queries

QUERIES = make_queries([[1], [2], [3]], history=[[4], [4], [4]], dropped={"already_seen": 2})


def evaluation(rows, queries=QUERIES):
    matrix = np.array(rows, np.float32)
    return evaluate(lambda asked: matrix[asked], queries, 4, (10,), item_slices={})


PERFECT = evaluation([[0, 9, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 9, 0]])  # mrr 1, 1, 1
POPULAR = evaluation([[0, 9, 8, 7, 6]] * 3)  # mrr 1, 1/2, 1/3


def test_a_report_has_the_parts_of_metrics_json_and_survives_json():
    actual = report(PERFECT, {"popularity": POPULAR})
    assert json.loads(json.dumps(actual, allow_nan=False)) == actual
    assert set(actual) == {"test", "baselines", "versus_baselines", "slices", "candidates", "queries", "dropped"}
    assert actual["test"]["mrr"] == 1.0
    assert actual["test"]["mrr_ci95"] == [1.0, 1.0]
    assert actual["baselines"]["popularity"]["test"]["mrr"] == pytest.approx(0.6111111)
    assert actual["slices"]["history_1_to_5"]["queries"] == 3
    assert (actual["candidates"], actual["queries"], actual["dropped"]) == (4, 3, {"already_seen": 2})


def test_a_difference_is_model_minus_baseline_paired_over_users():
    versus = report(PERFECT, {"popularity": POPULAR})["versus_baselines"]["popularity"]
    assert versus["mrr_difference"] == pytest.approx(0.3888889)  # (0 + 1/2 + 2/3) / 3
    low, high = versus["mrr_difference_ci95"]
    assert low == pytest.approx(0.0)
    assert high == pytest.approx(0.6666667)
    assert {"recall@10_difference_ci95", "ndcg@10_difference_ci95", "hit_rate@10_difference_ci95"} < set(versus)


def test_a_model_equals_itself_exactly():
    versus = report(POPULAR, {"same": POPULAR})["versus_baselines"]["same"]
    assert versus["ndcg@10_difference"] == 0.0
    assert versus["ndcg@10_difference_ci95"] == [0.0, 0.0]


def test_a_baseline_of_other_queries_is_refused():
    other = evaluation([[0, 9, 8, 7, 6]] * 2, make_queries([[1], [2]]))
    with pytest.raises(ValueError, match="baseline 'popularity' must be evaluated on the queries of the model"):
        report(PERFECT, {"popularity": other})
