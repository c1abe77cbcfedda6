import random

import numpy as np
import pandas as pd
import pytest

from mmrec.config.data import InteractionsConfig
from mmrec.data.interactions import load_interactions
from mmrec.data.times import read_times
from mmrec.data.vocabulary import Vocabulary
from mmrec.errors import InputError

NAMES = ["user_id", "item_id", "timestamp", "stars", "event"]
ROWS = [
    ("eve", "b", 30, 5, "buy"),
    ("ann", "c", 20, 1, "view"),
    ("eve", "a", 10, 4, "view"),
    ("ann", "a", 20, 3, "buy"),
    ("ann", "b", 5, 2, "view"),
]


def load(folder, rows=ROWS, kind="csv", **changes):
    path = folder / f"events.{kind}"
    table = pd.DataFrame(rows, columns=NAMES)
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    return load_interactions(InteractionsConfig(path=str(path), **changes), Vocabulary(["a", "b", "c"]))


def refusal(*arguments, **options):
    with pytest.raises(InputError) as error:
        load(*arguments, **options)
    return str(error.value)


def test_events_are_sorted_by_user_time_and_item(tmp_path):
    events = load(tmp_path)
    assert len(events) == 5
    assert events.user_ids.tolist() == ["ann", "eve"]
    assert events.user.tolist() == [0, 0, 0, 1, 1]
    assert events.time.tolist() == [5, 20, 20, 10, 30]
    assert events.row.tolist() == [2, 1, 3, 1, 2]
    assert events.positive.all()
    assert events.counts == {}
    assert [part.dtype for part in (events.user, events.row, events.time)] == [np.int32, np.int32, np.float64]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_file_changes_nothing(tmp_path, seed):
    rows = [*ROWS, ("ann", "c", 20, 5, "view")]  # the same event again, with another rating
    mixed = random.Random(seed).sample(rows, len(rows))
    first, second = (load(tmp_path, part, rating="stars", min_rating=3) for part in (rows, mixed))
    for name in ("user_ids", "user", "row", "time", "positive"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist()


def test_whole_numbers_may_be_users_and_items_in_any_format(tmp_path):
    rows = [(7, 1, 3, 1, ""), (12, 2, 1, 1, ""), (7, 2, 1, 1, "")]
    for kind in ("csv", "parquet"):
        path = tmp_path / f"numbers.{kind}"
        table = pd.DataFrame(rows, columns=NAMES)
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
        events = load_interactions(InteractionsConfig(path=str(path)), Vocabulary(["1", "2"]))
        assert events.user_ids.tolist() == ["12", "7"]
        assert events.row.tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1.5, -2], [3, 1.5, -2]),
        (["3", " 1.5 ", "1e3"], [3, 1.5, 1000]),
        (["1970-01-02", "1970-01-01T00:00:01.5", "1970-01-01 01:00:00"], [86400, 1.5, 3600]),
        (["1970-01-01T02:00:00+02:00", "1970-01-01T00:00:00Z", "1969-12-31T19:00:00-05:00"], [0, 0, 0]),
        (["0001-01-01", "9999-12-31"], [-62135596800, 253402214400]),
    ],
)
def test_times_are_numbers_as_written_or_seconds_since_1970(values, expected):
    assert read_times(pd.Series(values)).seconds.tolist() == expected


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_date_time_columns_are_seconds_whatever_their_unit(zone, unit):
    # Regression: pandas turned them into numbers of their own unit, and a gap into a valid one.
    column = pd.Series(pd.to_datetime(["1970-01-01T00:00:02", None])).dt.tz_localize("UTC")
    column = (column.dt.tz_convert(zone) if zone else column.dt.tz_localize(None)).astype(
        f"datetime64[{unit}{', ' + zone if zone else ''}]"
    )
    times = read_times(column).seconds
    assert times[0] == 2.0
    assert np.isnan(times[1])


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "2024-13-01", "01/02/2024", None])
def test_what_is_no_time_is_nan(value):
    times = read_times(pd.Series(["2024-01-01", value], dtype=object)).seconds
    assert np.isfinite(times[0])
    assert np.isnan(times[1])


def test_a_date_time_more_than_a_day_ahead_is_refused_and_a_large_number_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 86400.0)  # 1970-01-02
    rows = [("ann", "a", when, 1, "") for when in ("1970-01-01", "1970-01-03", "1970-01-03T00:00:01")]
    assert "row 3, column `timestamp`: must not be a date-time more than a day after now" in refusal(tmp_path, rows)
    events = load(tmp_path, rows, on_bad_row="skip")
    assert events.time.tolist() == [0, 172800]
    assert events.counts == {"future_time": 1}
    assert len(load(tmp_path, [("ann", "a", 1e15, 1, "")])) == 1


def test_numbers_and_date_times_do_not_mix():
    assert np.isnan(read_times(pd.Series(["2024-01-01", "17"])).seconds).tolist() == [True, False]


@pytest.mark.parametrize(
    ("row", "rule", "reason"),
    [
        (("", "a", 1, 1, ""), "row 6, column `user_id`: must not be empty. Received: ''", "event_without_user"),
        (("ann", "", 1, 1, ""), "row 6, column `item_id`: must not be empty. Received: ''", "event_without_item"),
        (("ann", "a", "soon", 1, ""), "row 6, column `timestamp`: must be a number or an ISO 8601 date-time. "
         "Received: 'soon'", "unreadable_time"),
    ],
)  # fmt: skip
def test_a_bad_row_stops_or_is_skipped_and_counted(tmp_path, row, rule, reason):
    message = refusal(tmp_path, [*ROWS, row])
    assert f"events.csv, {rule}" in message
    assert "Set `data.interactions.on_bad_row: skip`" in message
    events = load(tmp_path, [*ROWS, row, row], on_bad_row="skip")
    assert len(events) == 5
    assert events.counts == {reason: 2}


def test_an_unknown_item_stops_or_is_skipped_and_counted(tmp_path):
    rows = [("zoe", "x", 1, 1, ""), *ROWS, ("zoe", "x", 1, 1, "")]
    message = refusal(tmp_path, rows, on_bad_row="skip")
    assert "events.csv, row 1 (and 1 more), column `item_id`: must be an item of the catalog. Received: 'x'" in message
    assert "Set `data.interactions.on_unknown_item: skip`" in message
    events = load(tmp_path, rows, on_unknown_item="skip")
    assert events.user_ids.tolist() == ["ann", "eve"]  # a user without events left is dropped
    assert events.counts == {"unknown_item": 2}


def test_a_row_with_several_faults_is_counted_once(tmp_path):
    events = load(tmp_path, [*ROWS, ("", "x", "soon", 1, "")], on_bad_row="skip", on_unknown_item="skip")
    assert events.counts == {"event_without_user": 1}


def test_events_rated_too_low_are_no_positives(tmp_path):
    events = load(tmp_path, rating="stars", min_rating=3)
    assert events.positive.tolist() == [False, True, False, True, True]


def test_only_the_named_event_types_are_positives(tmp_path):
    assert load(tmp_path, event="event", positive_events=("buy",)).positive.tolist() == [
        False,
        True,
        False,
        False,
        True,
    ]
    both = load(tmp_path, event="event", positive_events=("buy",), rating="stars", min_rating=4)
    assert both.positive.tolist() == [False, False, False, False, True]


def test_rules_for_positives_need_their_columns_and_sensible_values(tmp_path):
    assert "`data.interactions.rating`: must name a column" in refusal(tmp_path, min_rating=3)
    assert "`data.interactions.event`: must name a column" in refusal(tmp_path, positive_events=("buy",))
    message = refusal(tmp_path, event="event", positive_events=("bought",))
    assert "no event of type 'bought', which `positive_events` names. Found: buy, view." in message
    rows = [*ROWS, ("ann", "a", 1, "good", "")]
    assert "row 6, column `stars`: must be a number. Received: 'good'." in refusal(
        tmp_path, rows, rating="stars", min_rating=3
    )
    assert "no positive event is left" in refusal(tmp_path, rating="stars", min_rating=9)


def test_the_rating_of_a_skipped_row_does_not_matter(tmp_path):
    rows = [*ROWS, ("", "a", 1, "", "")]
    assert len(load(tmp_path, rows, rating="stars", min_rating=3, on_bad_row="skip")) == 5


def test_a_row_with_an_unreadable_rating_can_be_skipped_and_is_counted(tmp_path):
    rows = [*ROWS, ("ann", "a", 1, "good", "")]
    loaded = load(tmp_path, rows, rating="stars", min_rating=3, on_bad_row="skip")
    assert (len(loaded), loaded.counts) == (5, {"unreadable_rating": 1})


def test_date_times_of_another_form_are_refused_with_the_format_that_reads_them(tmp_path):
    rows = [("ann", "a", when, 1, "") for when in ("31/01/2024", "01/02/2024")]
    message = refusal(tmp_path, rows)
    assert (
        "row 1 (and 1 more), column `timestamp`: must be a number or an ISO 8601 date-time. Received: '31/01/"
        in message
    )
    assert (
        "Set `data.interactions.timestamp_format: '%d/%m/%Y'` to read it. Set `data.interactions.on_bad_row" in message
    )
    assert load(tmp_path, rows, timestamp_format="%d/%m/%Y").time.tolist() == [1706659200, 1706745600]
    message = refusal(tmp_path, [*rows, ("ann", "a", "2024-03-01", 1, "")], timestamp_format=["%d/%m/%Y"])
    assert "row 3, column `timestamp`: must be a date-time of the form '%d/%m/%Y'. Received: '2024-03-01'" in message
    assert "Add their format to `data.interactions.timestamp_format`." in message


def test_all_faults_of_a_table_are_reported_at_once_with_their_counts(tmp_path):
    rows = [*ROWS, ("", "a", 1, "good", ""), ("ann", "x", "soon", 1, ""), ("", "x", 1, 1, "")]
    with pytest.raises(InputError) as error:
        load(tmp_path, rows, rating="stars", min_rating=3)
    said = ("row 6 (and 1 more), column `user_id`", "row 7, column `timestamp`", "row 7 (and 1 more), column `item_id`",
            "row 6, column `stars`")  # fmt: skip
    assert len(error.value.messages) == 4
    assert all(part in message for part, message in zip(said, error.value.messages, strict=True))
    with pytest.raises(InputError) as error:
        load(
            tmp_path, rows, event="event", positive_events=("bought",), negative_events=("sent", "back"), weight="stars"
        )
    said = ("'bought'", "'back', 'sent'", "`user_id`", "`timestamp`", "`item_id`")
    assert all(part in message for part, message in zip(said, error.value.messages, strict=True))
    with pytest.raises(InputError) as error:
        load(tmp_path, min_rating=3, seen_events=("buy",), negative_events=("view",))
    said = ("`min_rating`", "`negative_events`", "`seen_events`")
    assert all(part in message for part, message in zip(said, error.value.messages, strict=True))


def test_only_the_named_types_count_as_seen(tmp_path):
    assert load(tmp_path, event="event").seen is None
    assert load(tmp_path, event="event", seen_events=("buy",)).seen.tolist() == [False, True, False, False, True]
    assert "`data.interactions.event`: must name a column when `seen_events`" in refusal(tmp_path, seen_events=("buy",))
    assert "no event of type 'bought', which `seen_events` names" in refusal(
        tmp_path, event="event", seen_events=("bought",)
    )


def test_a_weight_that_would_drown_all_others_is_refused_or_skipped(tmp_path):
    # Regression: the mean of the weights became infinite, all weights 0, and the loss 0.
    rows = [
        (user, item, time, weight, "") for (user, item, time, *_), weight in zip(ROWS, (1, 2, 3, 4e6, 0), strict=True)
    ]
    message = refusal(tmp_path, rows, weight="stars")
    assert "row 4, column `stars`: must be at most 3e+06, a million times the median of the weights" in message
    loaded = load(tmp_path, rows, weight="stars", on_bad_row="skip")
    assert (len(loaded), loaded.counts) == (4, {"outsized_weight": 1})
    large = [(user, item, time, 1.7e308, "") for user, item, time, *_ in ROWS]
    assert load(tmp_path, large, weight="stars").weight.tolist() == [1.7e308] * 5


def test_numbers_that_float64_cannot_hold_are_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"user_id": "ann", "item_id": "a", "timestamp": 1%s, "stars": Infinity}' % ("0" * 400))
    config = InteractionsConfig(path=str(path), rating="stars", min_rating=1, weight="stars")
    with pytest.raises(InputError) as error:
        load_interactions(config, Vocabulary(["a"]))
    assert [message.partition(": ")[0].partition("column ")[2] for message in error.value.messages] == [
        "`timestamp`", "`stars`", "`stars`",
    ]  # fmt: skip


def test_event_types_are_numbered_in_order_and_none_is_0(tmp_path):
    loaded = load(tmp_path, [*ROWS, ("eve", "c", 40, 1, "")], event="event")
    assert loaded.event_types == ("", "buy", "view")
    assert (loaded.event.tolist(), loaded.event.dtype) == ([2, 1, 2, 2, 1, 0], np.int32)
    assert load(tmp_path).event is None


def test_negative_events_are_no_positives_and_need_no_rating_or_weight(tmp_path):
    rows = [*ROWS, ("eve", "c", 40, "", "return")]
    names = {"event": "event", "negative_events": ("return",), "weight": "stars"}
    loaded = load(tmp_path, rows, rating="stars", min_rating=3, **names)
    assert loaded.negative.tolist() == [False, False, False, False, False, True]
    assert loaded.positive.tolist() == [False, True, False, True, True, False]
    np.testing.assert_array_equal(loaded.weight, [2, 3, 1, 4, 5, np.nan])


def test_negative_events_must_be_there_and_not_positive_too(tmp_path):
    assert "`data.interactions.event`: must name a column" in refusal(tmp_path, negative_events=("return",))
    message = refusal(tmp_path, event="event", negative_events=("return",))
    assert "no event of type 'return', which `negative_events` names. Found: buy, view." in message
    message = refusal(tmp_path, event="event", negative_events=("view",), positive_events=("buy", "view"))
    assert "must not name positive events. Received: 'view'" in message


@pytest.mark.parametrize("weight", ["", "heavy", -1, "inf"])
def test_a_weight_that_is_no_number_of_at_least_0_stops_or_is_skipped(tmp_path, weight):
    rows = [*ROWS, ("ann", "a", 1, weight, "buy")]
    message = refusal(tmp_path, rows, weight="stars")
    assert "row 6, column `stars`: must be a number of at least 0. Received:" in message
    loaded = load(tmp_path, rows, weight="stars", on_bad_row="skip")
    assert (loaded.weight.tolist(), loaded.counts) == ([2, 3, 1, 4, 5], {"unreadable_weight": 1})


def test_types_and_weights_follow_the_events_whatever_the_order_of_the_file(tmp_path):
    rows = [*ROWS, ("ann", "c", 20, 5, "buy"), ("ann", "c", 20, 5, "view")]  # the same event, with another type
    actual = [load(tmp_path, part, event="event", weight="stars") for part in (rows, rows[::-1])]
    for name in ("row", "event", "weight"):
        assert getattr(actual[0], name).tolist() == getattr(actual[1], name).tolist()


def test_types_written_as_numbers_are_recognised_however_the_config_spells_them(tmp_path):
    rows = [("ann", "a", 1, 1, 1.0), ("ann", "b", 2, 1, 2.0)]
    for named in ("1", "1.0"):
        events = load(tmp_path, rows, event="event", positive_events=(named,))
        assert events.event_types == ("", "1", "2")
        assert events.positive.tolist() == [True, False]


def test_lists_are_refused_as_types_and_ratings(tmp_path):
    rows = [("ann", "a", 1, [1], ["buy"]), ("ann", "b", 2, [2], ["view"])]
    for options, column in (({"event": "event"}, "event"), ({"rating": "stars", "min_rating": 1}, "stars")):
        assert f"row 1 (and 1 more), column `{column}`: must be a" in refusal(tmp_path, rows, "parquet", **options)
