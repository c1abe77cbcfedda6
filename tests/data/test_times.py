import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from mmrec.data.times import read_times, time_rule


def test_one_number_among_dates_is_the_unreadable_one():
    # Regression: it made all dates unreadable, and `on_bad_row: skip` then skipped them.
    times = read_times(pd.Series(["1970-01-02", "soon", "7", "1970-01-01T00:01:00"]))
    assert times.dated
    np.testing.assert_array_equal(times.seconds, [86400, np.nan, np.nan, 60])


def test_one_date_among_numbers_is_the_unreadable_one():
    times = read_times(pd.Series(["5", "1970-01-02", "7.5"]))
    assert not times.dated
    np.testing.assert_array_equal(times.seconds, [5, np.nan, 7.5])


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["02/01/1970", " 2/1/1970 "], "%d/%m/%Y"),
        (["1970-01-02 00:00:00 UTC"], "%Y-%m-%d %H:%M:%S UTC"),
        (["Fri Jan 02 02:00:00 +0200 1970"], "%a %b %d %H:%M:%S %z %Y"),
        (["January 2, 1970"], "%B %d, %Y"),
        ([19700102, "19700102"], "%Y%m%d"),
        ([datetime.date(1970, 1, 2), pd.Timestamp("1970-01-02T01:00", tz="Europe/Berlin")], "%d.%m.%Y"),
    ],
)
def test_a_format_reads_texts_and_numbers_as_it_says(values, form):
    times = read_times(pd.Series(values, dtype=object), [form])
    assert times.dated
    assert times.seconds.tolist() == [86400] * len(values)


def test_the_first_format_that_fits_reads_a_time_and_iso_must_be_named():
    texts = pd.Series(["02/01/1970", "01/31/1970", "1970-01-02", "5", None], dtype=object)
    nothing = np.nan
    for formats, expected in (
        (["%d/%m/%Y"], [86400, nothing, nothing, nothing, nothing]),
        (["%d/%m/%Y", "%m/%d/%Y"], [86400, 2592000, nothing, nothing, nothing]),
        (["%m/%d/%Y", "ISO8601"], [2678400, 2592000, 86400, nothing, nothing]),
    ):
        np.testing.assert_array_equal(read_times(texts, formats).seconds, expected)
    assert time_rule(["%m/%d/%Y", "ISO8601"]) == "a date-time of the form '%m/%d/%Y' or ISO 8601"


@pytest.mark.parametrize("form", ["%d/%m/%Y %z", "%d/%m/%Y %Z", "%d/%m/%Y UTC"])
def test_a_format_that_names_a_zone_gives_every_time_one(form):
    text = {"%z": "02/01/1970 +00:00"}.get(form[-2:], "02/01/1970 UTC")
    assert read_times(pd.Series([text, "x"]), [form]).zoned.tolist() == [True, False]
    assert not read_times(pd.Series(["02/01/1970"]), ["%d/%m/%Y"]).zoned.any()


def test_numbers_of_any_kind_and_size_are_read_or_unreadable():
    # Regression: an integer beyond float64 ended in a traceback.
    values = [2**63, 2**64, -(10**30), 10**400, decimal.Decimal("1.5"), float("inf"), 2j, [1], True, 7]
    times = read_times(pd.Series(values, dtype=object)).seconds
    np.testing.assert_array_equal(times, [2.0**63, 2.0**64, -1e30, np.nan, 1.5, *[np.nan] * 4, 7])


@pytest.mark.parametrize("kind", ["timestamp[ns][pyarrow]", "timestamp[us, tz=UTC][pyarrow]", "date32[day][pyarrow]"])
def test_arrow_columns_are_read_as_those_of_pandas(kind):
    values = pd.Series([pd.Timestamp("1970-01-02"), None])
    column = values.dt.tz_localize("UTC").astype(kind) if "tz" in kind else values.astype(kind)
    np.testing.assert_array_equal(read_times(column).seconds, [86400, np.nan])
