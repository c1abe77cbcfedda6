import numpy as np
import pandas as pd
import pytest

from mmrec.data.time_formats import propose_remedy
from mmrec.data.times import read_times


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["31/12/2023", "01/02/2024"], "%d/%m/%Y"),
        (["01/02/2024", "12/31/2023"], "%m/%d/%Y"),
        (["31.12.2023 7:05", "1.2.2024 18:30"], "%d.%m.%Y %H:%M"),
        (["2023/12/31 07:05:09.25"], "%Y/%m/%d %H:%M:%S.%f"),
        (["12/31/23 7:05 PM"], "%m/%d/%y %I:%M %p"),
        (["2019-10-01 00:00:00 UTC"], "%Y-%m-%d %H:%M:%S UTC"),
        (["Wed Oct 10 20:19:24 +0000 2018"], "%a %b %d %H:%M:%S %z %Y"),
        (["10/Oct/2018:20:19:24 +0200"], "%d/%b/%Y:%H:%M:%S %z"),
        (["Tuesday, 9 October 2018", "Monday, 1 May 2017"], "%A, %d %B %Y"),
        (["Dec 31, 2023", "May 1, 2024"], "%b %d, %Y"),
        (["20231231 07:05"], "%Y%m%d %H:%M"),
    ],
)
def test_a_format_is_proposed_that_reads_the_texts(texts, form):
    column = pd.Series(texts, dtype=object)
    assert propose_remedy(column, False) == f" Set `data.interactions.timestamp_format: '{form}'` to read it."
    assert np.isfinite(read_times(column, [form]).seconds).all()


def test_where_day_and_month_look_alike_both_are_named():
    (both,) = {propose_remedy(pd.Series(texts), False) for texts in (["01/02/2024"], ["12/12/2024", "03/04/2024"])}
    assert "'%d/%m/%Y'` ('%m/%d/%Y' if the month comes first)" in both


def test_a_day_above_12_behind_the_first_ten_texts_decides():
    texts = [f"{month:02}/05/2024" for month in range(1, 13)]
    assert "('%m/%d/%Y' if" in propose_remedy(pd.Series(texts), False)
    assert "'%m/%d/%Y'` to read" in propose_remedy(pd.Series([*texts, "05/13/2024"]), False)


def test_several_forms_are_proposed_as_a_list():
    texts = pd.Series(["31/12/2023", "30/12/2023", "29.12.2023"])
    assert "timestamp_format: ['%d/%m/%Y', '%d.%m.%Y']`" in propose_remedy(texts, False)
    assert "timestamp_format: [ISO8601, '%d/%m/%Y']`" in propose_remedy(texts[:2], True)


@pytest.mark.parametrize(
    "texts", [["soon"], ["1,2"], ["2024-13-45"], [""], ["31/12/2023", "soon", "later"], [None, []]]
)
def test_what_is_no_date_time_gives_no_proposal(texts):
    assert propose_remedy(pd.Series(texts, dtype=object), False) == ""
