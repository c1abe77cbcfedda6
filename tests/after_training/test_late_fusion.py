import numpy as np
import pytest

from mmrec.after_training.late_fusion import fusion_weights
from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries

# Two queries over three items; item 2 is right for both. Column 0 is padding.
FIRST = np.array([[9, 0.6, 0.5, 0.1], [9, 0.6, 0.5, 0.1]], np.float32)
HELPS = np.array([[9, 0.0, 0.4, 0.0], [9, 0.0, 0.4, 0.0]], np.float32)
HARMS = np.array([[9, 0.4, 0.0, 0.4], [9, 0.4, 0.0, 0.4]], np.float32)


def weights_of(*tables, seen=((), ()), **how):
    relevant = Ragged.of([[2], [2]])
    queries = Queries(np.arange(2), Ragged.of([[], []]), Ragged.of(seen), relevant, {})
    return fusion_weights([lambda asked, table=table: table[asked] for table in tables], queries, 3, **how)


def test_a_part_that_lifts_right_items_gets_a_weight_that_lifts_them():
    first, second = weights_of(FIRST, HELPS)
    assert first == 1
    assert 0.5 + second * 0.4 > 0.6  # so that item 2 comes before item 1


@pytest.mark.parametrize("useless", [HARMS, np.zeros_like(FIRST)])
def test_a_part_that_does_not_help_gets_none(useless):
    assert weights_of(FIRST, useless).tolist() == [1, 0]


def test_a_part_gets_no_weight_for_passing_an_excluded_item():
    assert weights_of(FIRST, HELPS, seen=([1], [1])).tolist() == [1, 0]


@pytest.mark.parametrize("batch", [1, 2])
def test_parts_that_only_help_together_with_others_get_weights(batch):
    left, right = HELPS * [[1], [0]], HELPS * [[0], [1]]
    _, second, third = weights_of(FIRST, left.astype(np.float32), right.astype(np.float32), batch=batch)
    assert second > 0.25
    assert third > 0.25


def test_several_right_items_count():
    queries = Queries(np.arange(1), Ragged.of([[]]), Ragged.of([[]]), Ragged.of([[2, 3]]), {})
    weights = fusion_weights([lambda asked: FIRST[asked], lambda asked: -HARMS[asked]], queries, 3)
    assert 0.6 - weights[1] * 0.4 < 0.5  # item 2 comes before item 1; item 3 never can
