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


def test_ids_are_recognised_however_they_are_spelt():
    vocabulary = Vocabulary(["9", "1.0", "mug"])
    assert vocabulary.rows(["9.0", " 9", "1", "mug ", "7.0", ""]).tolist() == [1, 1, 2, 3, 0, 0]


def test_a_later_catalog_moves_no_row_and_new_ids_come_last():
    first = Vocabulary(["9", "mug", "lamp"])
    later = first.grown(["vase", "mug", "9.0", "bowl"])  # 9 has another spelling now, the lamp is gone
    assert later.ids.tolist() == ["", "9", "mug", "lamp", "vase", "bowl"]
    assert first.ids.tolist() == ["", "9", "mug", "lamp"]
    assert later.grown([]).ids.tolist() == later.ids.tolist()


def test_a_numbering_is_written_and_read():
    ids = ["b", "a\nc", "é, ü"]
    assert Vocabulary.from_bytes(Vocabulary(ids).to_bytes()).ids.tolist() == ["", *ids]
