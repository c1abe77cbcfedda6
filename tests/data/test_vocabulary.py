import numpy as np
import pytest

from mmrec.data.vocabulary import Vocabulary


def test_rows_start_at_one_and_unknown_ids_are_row_zero():
    vocabulary = Vocabulary(["b", "a"])
    assert vocabulary.items == 2
    assert vocabulary.ids.tolist() == ["", "b", "a"]
    rows = vocabulary.rows(["a", "x", "b", "", "a"])
    assert rows.tolist() == [2, 0, 1, 0, 2]
    assert rows.dtype == np.int32
    assert vocabulary.rows([]).tolist() == []


@pytest.mark.parametrize("ids", [["a", "a"], ["a", ""]])
def test_ids_must_be_unique_and_not_empty(ids):
    with pytest.raises(ValueError, match="must be unique and not empty"):
        Vocabulary(ids)


def test_ids_are_found_however_they_are_spelt():
    vocabulary = Vocabulary(["9", "1.0", "mug"])
    assert vocabulary.rows(["9.0", " 9", "1", "mug ", "7.0", ""]).tolist() == [1, 1, 2, 3, 0, 0]
