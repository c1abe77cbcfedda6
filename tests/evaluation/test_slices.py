import numpy as np
import pytest

from mmrec.data.ragged import Ragged
from mmrec.evaluation.slices import popularity_slices, sliced_metrics
from tests.evaluation.worlds import make_queries


def test_deciles_hold_equal_shares_of_the_trained_items():
    counts = np.array([99, 5, 0, *range(20, 1, -1)])  # row 1: 5 events, row 2: cold, rows 3..21: 20 down to 2
    slices = popularity_slices(counts)
    assert np.flatnonzero(slices["cold_items"]).tolist() == [2]
    assert np.flatnonzero(slices["popularity_decile_1"]).tolist() == [20, 21]  # 3 and 2 events
    assert np.flatnonzero(slices["popularity_decile_2"]).tolist() == [
        1,
        19,
    ]  # 5 and 4; row 18 has 5 too, but comes later
    assert np.flatnonzero(slices["popularity_decile_10"]).tolist() == [3, 4]
    assert sum(mask.sum() for mask in slices.values()) == 21


def test_without_training_everything_is_cold():
    slices = popularity_slices(np.zeros(4))
    assert slices["cold_items"].tolist() == [False, True, True, True]
    assert not slices["popularity_decile_1"].any()


def test_an_item_slice_keeps_its_answers_and_their_ranks():
    queries = make_queries([[1, 2], [2], [3]])
    ranks = Ragged.of([[1, 4], [2], [1]])
    mask = np.array([False, False, True, False])
    slices = sliced_metrics(ranks, queries, 3, {"new": mask})["new"]
    assert slices["queries"] == 2
    assert slices["mrr"] == pytest.approx(0.375)  # (1/4 + 1/2) / 2
    assert slices["recall@10"] == 1.0
    assert slices["hit_rate@10"] == 1.0
    assert slices["ndcg@10"] == pytest.approx(0.5308030)  # (1/log2(5) + 1/log2(3)) / 2


def test_queries_are_sliced_by_the_length_of_their_history():
    lengths = [0, 1, 5, 6, 20, 21]
    queries = make_queries([[1]] * 6, history=[[2] * length for length in lengths])
    slices = sliced_metrics(Ragged.of([[1], [2], [4], [1], [1], [5]]), queries, 2, {})
    assert {name: (part["queries"], part["mrr"]) for name, part in slices.items()} == {
        "history_0": (1, 1.0),
        "history_1_to_5": (2, 0.375),
        "history_6_to_20": (2, 1.0),
        "history_over_20": (1, 0.2),
    }


def test_an_empty_slice_says_so_and_claims_nothing():
    slices = sliced_metrics(Ragged.of([[1]]), make_queries([[1]]), 1, {"none": np.zeros(2, bool)})
    assert slices["none"] == {"queries": 0}


def test_a_mask_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=r"item_slices\['x'\]` must be \[items \+ 1\] = \[2\]. Received: \[3\]"):
        sliced_metrics(Ragged.of([[1]]), make_queries([[1]]), 1, {"x": np.zeros(3, bool)})
