import numpy as np
import pandas as pd

from mmrec.data.times import read_times


def test_one_number_among_dates_is_the_unreadable_one():
    # Regression: it made all dates unreadable, and a switch then skipped them.
    found = read_times(pd.Series(["1970-01-02", "soon", "7", "1970-01-01T00:01:00"]))
    assert found.dated
    np.testing.assert_array_equal(found.seconds, [86400, np.nan, np.nan, 60])


def test_one_date_among_numbers_is_the_unreadable_one():
    found = read_times(pd.Series(["5", "1970-01-02", "7.5"]))
    assert not found.dated
    np.testing.assert_array_equal(found.seconds, [5, np.nan, 7.5])
