import numpy as np
import pytest

from mmrec.evaluation.query_table import encode_query_table, read_query_table
from tests.evaluation.worlds import make_queries

USERS = np.array(["u2", "u10", "u1"], object)
ITEMS = np.array(["", "mug", "lamp", "bowl", "vase"], object)
VALUES = {"ndcg@10": np.array([0.1, 0.2, 0.3]), "mrr": np.array([1.0, 0.5, 0.25])}


@pytest.fixture
def table(tmp_path):
    """Returns `table(relevant, seen, ...)`, which writes a table and reads it back."""

    def write_and_read(relevant, seen=None, users=USERS, items=ITEMS, values=VALUES):
        path = tmp_path / "test_queries.parquet"
        path.write_bytes(encode_query_table(users, items, make_queries(relevant, seen), values))
        return read_query_table(path)

    return write_and_read


def test_users_come_back_sorted_with_their_values(table):
    actual = table([[1], [2], [3, 4]])
    assert actual.user_ids.tolist() == ["u1", "u10", "u2"]
    np.testing.assert_allclose(actual.values["ndcg@10"], [0.3, 0.2, 0.1], rtol=1e-7)
    assert actual.values["mrr"].tolist() == [0.25, 0.5, 1.0]
    assert {value.dtype for value in actual.values.values()} == {np.dtype("float32")}


def test_a_question_is_its_right_and_its_excluded_items(table):
    some = table([[1], [1], [2]], [[3], [], [3]]).question  # of u2, u10, u1; sorted: u1, u10, u2
    assert len(set(some.tolist())) == 3
    assert (table([[1], [1], [2]], [[3], [], [3]]).question == some).all()
    assert (table([[1], [1], [2]], [[3], [], [4]]).question == some).tolist() == [False, True, True]
    assert (table([[1], [4], [2]], [[3], [], [3]]).question == some).tolist() == [True, False, True]
    assert (table([[3], [1], [2]], [[1], [], [3]]).question == some).tolist() == [True, True, False]


def test_the_order_of_the_catalog_does_not_matter_and_its_items_do(table):
    actual = table([[1], [2], [3, 4]])
    turned = table([[4], [3], [1, 2]], items=np.array(["", "vase", "bowl", "lamp", "mug"], object))
    assert (turned.question == actual.question).all()
    assert turned.candidates == actual.candidates
    more = table([[1], [2], [3, 4]], items=np.append(ITEMS, "cup"))
    assert (more.question == actual.question).all()
    assert more.candidates != actual.candidates
