"""A file of histories is read once; its counts are right, and its rows come back."""

import numpy as np
import pytest

from mmrec.comparing.survey import Survey
from mmrec.errors import InputError
from mmrec.values import Spellings

ITEMS = ["a", "b", "c"]
OWNED = np.array([[False, True, True, False], [False, True, False, True]])  # version A has a and b, B has a and c


@pytest.fixture
def survey(tmp_path):
    """Returns `survey(text, columns, ...)`: of a csv file with this content."""

    def read(text, columns=(), named=False, batch=2, **settings):
        (tmp_path / "h.csv").write_text(text)
        return Survey(tmp_path / "h.csv", list(columns), named, Spellings(ITEMS), OWNED, batch, **settings)

    return read


TEXT = "user_id,history,country\nu1,a b a,DE\nu2,,DE\nu3,x c,FR\n"


@pytest.mark.parametrize("in_memory", [2**20, 1])
def test_it_counts_items_and_gives_the_rows_in_parts(survey, in_memory):
    read = survey(TEXT, ["country"], in_memory=in_memory)
    assert read.counts.tolist() == [1, 2, 1, 1]  # x, which no version has, and a, b, c
    assert read.unknown == pytest.approx([2 / 5, 2 / 5])  # A lacks x and c, B lacks x and b
    assert (read.users, read.columns) == (3, ["country"])
    parts = list(read.parts())
    assert [part.rows for part in parts] == [[1, 2], [3]]
    assert [part.histories for part in parts] == [[["a", "b", "a"], []], [["x", "c"]]]
    assert [part.columns for part in parts] == [{"country": ["DE", "DE"]}, {"country": ["FR"]}]


def test_a_column_with_many_values_is_in_no_part(survey):
    lines = [f"u{user},a,{user}" for user in range(51)]
    read = survey("\n".join(["user_id,history,age", *lines]), ["age"])
    assert read.columns == []
    assert all(part.columns == {} for part in read.parts())


def test_a_file_without_rows_is_refused(survey):
    with pytest.raises(InputError, match=r"h\.csv: holds no rows"):
        survey("user_id,history\n")
