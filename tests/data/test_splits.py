from dataclasses import replace

import numpy as np
import pytest

from mmrec.config.data import SplitConfig
from mmrec.data.splits import split
from mmrec.errors import InputError
from tests.data.builders import listed, make_events, random_events

TIME = SplitConfig(validation_fraction=0.2, test_fraction=0.2)
LAST_OUT = SplitConfig(kind="leave_last_out")
# Ten events at times 0 to 9: the cuts are at 6 and 8.
TEN = [
    (0, 1, 0),
    (1, 2, 1),
    (0, 2, 2),
    (1, 3, 3),
    (0, 3, 4, False),
    (2, 1, 5),
    (0, 4, 6),
    (1, 2, 7),
    (0, 1, 8),
    (1, 5, 9),
]


def queries(part):
    """Returns {user: (history, seen, relevant)}."""
    rows = zip(listed(part.history), listed(part.seen), listed(part.relevant), strict=True)
    return dict(zip(part.user.tolist(), rows, strict=True))


def test_two_cuts_in_time_give_histories_seen_and_relevant_items():
    parts = split(make_events(TEN), TIME)
    assert listed(parts.train.rows) == [[1, 2], [2, 3], [1]]
    assert parts.train.time.tolist() == [0, 2, 1, 3, 5]
    assert parts.train.counts(5).tolist() == [0, 2, 2, 1, 0, 0]
    assert queries(parts.validation) == {0: ([1, 2], [1, 2, 3], [4])}
    assert queries(parts.test) == {1: ([2, 3, 2], [2, 3], [5])}
    assert parts.validation.dropped == {"already_seen": 1, "nothing_new": 1}
    assert parts.test.dropped == {"already_seen": 1, "nothing_new": 1}


def test_under_repeat_consumption_seen_items_may_be_right_answers():
    parts = split(make_events(TEN), TIME, repeat_consumption=True)
    assert queries(parts.validation) == {0: ([1, 2], [], [4]), 1: ([2, 3], [], [2])}
    assert queries(parts.test) == {0: ([1, 2, 4], [], [1]), 1: ([2, 3, 2], [], [5])}
    assert parts.validation.dropped == parts.test.dropped == {}


def test_events_that_are_no_positives_are_seen_but_neither_history_nor_answer():
    events = [*TEN, (2, 6, 8.5, False), (2, 7, 8.6, False)]
    parts = split(make_events(events), SplitConfig(validation_fraction=0.3, test_fraction=0.2))
    assert parts.test.user.tolist() == [1]  # user 2 has no later event
    rated_down = [(0, 1, 0), (0, 2, 1, False), (0, 3, 2), (0, 2, 3), (0, 4, 3)]
    parts = split(make_events(rated_down), SplitConfig(validation_fraction=0.2, test_fraction=0.4), min_history=1)
    assert queries(parts.validation) == {0: ([1], [1, 2], [3])}
    assert queries(parts.test) == {0: ([1, 3], [1, 2, 3], [4])}  # 2 was refused before: no answer


def test_short_histories_give_no_query_and_are_counted():
    events = make_events([*TEN, (3, 1, 5.5), (3, 5, 8.5), (4, 5, 8.6)])
    config = SplitConfig(validation_fraction=0.2, test_fraction=0.3)
    kept = {minimum: split(events, config, min_history=minimum).test for minimum in (0, 1, 2)}
    assert [kept[minimum].user.tolist() for minimum in (0, 1, 2)] == [[1, 3, 4], [1, 3], [1]]
    assert [kept[minimum].dropped.get("short_history", 0) for minimum in (0, 1, 2)] == [0, 1, 2]
    assert queries(kept[0])[4] == ([], [], [5])


def test_an_item_taken_twice_is_one_relevant_item():
    events = [(0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 4, 3), (0, 4, 4)]
    parts = split(make_events(events), SplitConfig(validation_fraction=0.2, test_fraction=0.4))
    assert queries(parts.test) == {0: ([1, 2, 3], [1, 2, 3], [4])}


def test_the_lines_of_one_basket_are_never_in_each_others_history():
    events = [(0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 4, 3), (0, 5, 3), (0, 6, 3)]
    parts = split(make_events(events), SplitConfig(validation_fraction=0.1, test_fraction=0.49))
    assert queries(parts.test) == {0: ([1, 2, 3], [1, 2, 3], [4, 5, 6])}
    parts = split(make_events(events), LAST_OUT)
    assert listed(parts.train.rows) == [[1, 2]]
    assert queries(parts.validation) == {0: ([1, 2], [1, 2], [3])}
    assert queries(parts.test) == {0: ([1, 2, 3], [1, 2, 3], [4, 5, 6])}


def test_leave_last_out_has_whole_baskets_as_answers():
    # Regression: only one item of the last basket was the answer, that with the highest id.
    events = [
        *[(0, 1, 10), (0, 9, 10), (0, 2, 20), (0, 8, 20), (0, 3, 30), (0, 7, 30), (0, 7, 30)],
        *[(1, 1, 5), (1, 2, 5), (1, 3, 6), (1, 4, 6)],  # two baskets of two: all of it is for training
        *[(2, 1, 1), (2, 2, 2), (2, 3, 2, False), (2, 1, 3), (2, 4, 3)],  # item 1 of the last basket was seen before
    ]
    parts = split(make_events(events), LAST_OUT)
    assert listed(parts.train.rows) == [[1, 9], [1, 2, 3, 4], [1]]
    assert queries(parts.validation) == {0: ([1, 9], [1, 9], [2, 8]), 2: ([1], [1], [2])}
    assert queries(parts.test) == {0: ([1, 9, 2, 8], [1, 2, 8, 9], [3, 7]), 2: ([1, 2], [1, 2, 3], [4])}
    assert (parts.validation.dropped, parts.test.dropped) == ({}, {"already_seen": 1})
    longer = split(make_events(events), LAST_OUT, min_history=2)
    assert (longer.validation.user.tolist(), longer.validation.dropped) == ([0], {"short_history": 1})
    assert longer.test.user.tolist() == [0, 2]


def test_events_exactly_at_a_cut_are_answers():
    # Regression: 1 - 0.4 - 0.2 is a little less than 0.4, which moved the first cut one event down.
    events = [(0, 1, 0), (0, 2, 0), (0, 3, 1), (0, 4, 1), (0, 5, 2)]
    parts = split(make_events(events), SplitConfig(validation_fraction=0.4, test_fraction=0.2))
    assert listed(parts.train.rows) == [[1, 2]]
    assert queries(parts.validation) == {0: ([1, 2], [1, 2], [3, 4])}
    assert queries(parts.test) == {0: ([1, 2, 3, 4], [1, 2, 3, 4], [5])}


def test_leave_last_out_has_the_last_two_positives_of_each_user_as_answers():
    events = [
        *[(0, 1, 10), (0, 2, 20), (0, 3, 30), (0, 4, 40), (0, 9, 35, False), (0, 8, 50, False)],
        *[(1, 5, 1), (1, 6, 2)],  # too short: all of it is for training
        *[(2, 1, 5), (2, 2, 6), (2, 1, 7)],  # the last one was seen before
    ]
    parts = split(make_events(events), LAST_OUT)
    assert listed(parts.train.rows) == [[1, 2], [5, 6], [1]]
    assert parts.train.time.tolist() == [10, 20, 1, 2, 5]
    assert queries(parts.validation) == {0: ([1, 2], [1, 2], [3]), 2: ([1], [1], [2])}
    assert queries(parts.test) == {0: ([1, 2, 3], [1, 2, 3, 9], [4])}
    assert parts.test.dropped == {"already_seen": 1, "nothing_new": 1}
    again = split(make_events(events), LAST_OUT, repeat_consumption=True)
    assert queries(again.test) == {0: ([1, 2, 3], [], [4]), 2: ([1, 2], [], [1])}


ONCE = [(user, 1, user) for user in range(5)]
TWICE = [(0, 1, 1), (0, 2, 2), (1, 1, 3), (1, 2, 4)]
RETAKEN = [(0, 1, 1), (0, 2, 2), (0, 3, 3), (0, 4, 4), (0, 1, 5)]


@pytest.mark.parametrize(
    ("events", "config", "reason", "remedy"),
    [
        ([(0, 1, 0), (0, 2, 0), (0, 3, 0)], TIME, "no validation query: all events have one single time", "timestamp`"),
        ([(0, 1, 0), (0, 2, 0), (0, 3, 7)], TIME, "no validation query: all events have only 2 different times",
         "timestamp`"),
        (ONCE, TIME, "no validation query: 1 of its users have no earlier event", "`evaluation.min_history` below 1"),
        (TWICE, LAST_OUT, "every user has fewer than three baskets, that is positive events at different times (2 at",
         "Give more events of each user, or set `data.split.kind: time`."),
        ([*TWICE, (0, 3, 2)], LAST_OUT, "fewer than three baskets, that is positive events at different times.",
         "a finer column, or set"),
        (RETAKEN, TIME, "no test query: 1 of its users had all right answers before",
         "Set `retrieval.repeat_consumption: true`"),
        ([(0, 1, 0), *[(0, row, 3) for row in range(2, 9)], (0, 9, 4)], TIME,
         "no validation query: no positive event lies in its time", "Enlarge `data.split.validation_fraction`"),
    ],
)  # fmt: skip
def test_a_split_without_queries_is_refused_with_reason_and_remedy(events, config, reason, remedy):
    with pytest.raises(InputError) as error:
        split(make_events(events), config)
    message = str(error.value)
    assert reason in message
    assert f"Received: kind {config.kind}, {len(events)} events." in message
    assert remedy in message.split("Received")[1]
    assert config.kind == "time" or "_fraction" not in message


def test_where_views_make_all_answers_seen_the_remedy_is_which_types_count():
    views = [(0, row, 2 * row, False) for row in range(1, 5)]
    buys = [(0, row, 2 * row + 1) for row in range(1, 5)]
    events = make_events([*views, *buys])
    events = replace(events, event=np.where(events.positive, 1, 2).astype(np.int32), event_types=("", "buy", "view"))
    with pytest.raises(InputError, match=r"1 of its users had all .* `data\.interactions\.seen_events` .*\[buy\]"):
        split(events, LAST_OUT)
    assert queries(split(replace(events, seen=events.positive), LAST_OUT).test) == {0: ([1, 2, 3], [1, 2, 3], [4])}


def test_queries_can_be_taken_in_any_order():
    part = split(make_events(TEN), TIME, repeat_consumption=True).test
    taken = part.take([1, 0])
    assert taken.user.tolist() == [1, 0]
    assert listed(taken.relevant) == [[5], [1]]
    assert listed(taken.history) == [[2, 3, 2], [1, 2, 4]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("repeat", [False, True])
def test_queries_agree_with_a_plain_reading_of_the_rules(seed, repeat):
    rows = random_events(seed)
    parts = split(make_events(rows), TIME, repeat_consumption=repeat)
    ordered = sorted(row[2] for row in rows)
    cuts = ordered[180], ordered[240], float("inf")  # 60% and 80% of 300
    for part, first, end in ((parts.validation, *cuts[:2]), (parts.test, *cuts[1:])):
        expected = {}
        for user in range(20):
            mine = sorted((row for row in rows if row[0] == user), key=lambda row: (row[2], row[1]))
            history = [row[1] for row in mine if row[2] < first and row[3]]
            seen = {row[1] for row in mine if row[2] < first and not repeat}
            relevant = {row[1] for row in mine if first <= row[2] < end and row[3]} - seen
            if history and relevant:
                expected[user] = (history, sorted(seen), sorted(relevant))
        assert queries(part) == expected


@pytest.mark.parametrize("seed", range(5))
def test_changing_the_future_changes_no_training_history_and_no_query_before_it(seed):
    rows = random_events(seed)
    second = sorted(row[2] for row in rows)[240]
    changed = [
        (user, 31 - row, time, True) if time >= second else (user, row, time, kind) for user, row, time, kind in rows
    ]
    assert changed != rows
    one, other = (split(make_events(part), TIME) for part in (rows, changed))
    assert listed(one.train.rows) == listed(other.train.rows)
    assert one.train.time.tolist() == other.train.time.tolist()
    assert queries(one.validation) == queries(other.validation)
    both = set(one.test.user.tolist()) & set(other.test.user.tolist())
    assert len(both) >= 10
    for user in both:
        assert queries(one.test)[user][:2] == queries(other.test)[user][:2]


def test_changing_the_answers_of_a_user_changes_no_history_in_leave_last_out():
    rows = [(user, 1 + (user + step) % 7, 10 * step + user) for user in range(5) for step in range(6)]
    last = {user: max(row[2] for row in rows if row[0] == user) for user in range(5)}
    changed = [(user, 9, time) if time == last[user] else (user, row, time) for user, row, time in rows]
    one, other = (split(make_events(part), LAST_OUT) for part in (rows, changed))
    assert listed(one.train.rows) == listed(other.train.rows)
    assert queries(one.validation) == queries(other.validation)
    assert listed(one.test.history) == listed(other.test.history)
    assert listed(one.test.relevant) != listed(other.test.relevant)


@pytest.mark.parametrize("config", [SplitConfig(validation_fraction=0.4, test_fraction=0.2), LAST_OUT])
def test_changing_the_other_lines_of_a_basket_changes_no_history(config):
    rows = [(0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 4, 3), (0, 5, 4), (0, 9, 4), (1, 7, 5)]
    changed = [(0, 6, 4) if row == (0, 5, 4) else row for row in rows]
    one, other = (split(make_events(part), config) for part in (rows, changed))
    for first, second in ((one.validation, other.validation), (one.test, other.test)):
        assert first.user.tolist() == second.user.tolist() == [0]
        assert listed(first.history) == listed(second.history)
        assert listed(first.seen) == listed(second.seen)


def test_only_the_types_that_are_named_keep_an_item_from_being_an_answer():
    # A user looks at 4, 5 and 6 and then buys 4; 2 is bought again, together with the new 7.
    rows = [(0, 1, 0), (0, 2, 1), (0, 4, 2, False), (0, 5, 3, False), (0, 3, 4), (0, 6, 4, False)]
    events = make_events([*rows, (0, 2, 5), (0, 4, 5), (0, 7, 5)])
    parts = split(events, LAST_OUT)
    assert queries(parts.test) == {0: ([1, 2, 3], [1, 2, 3, 4, 5, 6], [7])}
    assert parts.test.dropped == {"already_seen": 2}
    parts = split(replace(events, seen=events.positive), LAST_OUT)
    assert queries(parts.validation) == {0: ([1, 2], [1, 2], [3])}
    assert queries(parts.test) == {0: ([1, 2, 3], [1, 2, 3], [4, 7])}
    assert parts.test.dropped == {"already_seen": 1}


# One user took 1, returned 2 and 3, took 4, returned 6, took 5: a mark of -1 is a negative event.
RETURNS = [(0, 1, 0, 1), (0, 2, 1, -1), (0, 3, 2, -1), (0, 4, 3, 1), (0, 6, 4, -1), (0, 5, 5, 1), (0, 7, 6, 0)]


def with_returns():
    events = make_events([(user, row, time, mark > 0) for user, row, time, mark in RETURNS])
    marks = np.array([mark for *_, mark in RETURNS])
    return replace(
        events, negative=marks < 0, event=(2 - marks).astype(np.int32), event_types=("", "buy", "", "return")
    )


def test_negative_events_are_history_and_seen_but_never_answers():
    parts = split(with_returns(), LAST_OUT, context=("event", "time_gap"))
    assert queries(parts.validation) == {0: ([1, 2, 3], [1, 2, 3], [4])}
    assert queries(parts.test) == {0: ([1, 2, 3, 4, 6], [1, 2, 3, 4, 6], [5])}
    assert listed(parts.train.rows) == [[1, 2, 3]]  # events after the validation event are not read
    assert parts.train.counts(7).tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert listed(parts.train.liked.rows) == [[1]]
    assert listed(parts.test.liked) == [[1, 4]]
    assert listed(parts.test.take([0, 0]).liked) == [[1, 4], [1, 4]]


def test_the_context_of_queries_is_parallel_to_their_histories_and_ends_at_their_limit():
    parts = split(with_returns(), LAST_OUT, context=("event", "time_gap"))
    context = parts.test.context
    assert context.events.event[context.place[0]].tolist() == [1, 3, 3, 1, 3]
    assert context.events.time[context.place[0]].tolist() == [0, 1, 2, 3, 4]
    assert (parts.validation.context.now.tolist(), context.now.tolist()) == ([3], [5])
    assert parts.train.context.event.tolist() == [1, 3, 3]


def test_the_typical_gap_is_the_median_between_baskets_of_training():
    # Between baskets: 2, 3 and 10 for the first user, 6 for the second; lines of one basket and the test do not count.
    rows = [*[(0, 1, 0), (0, 2, 2), (0, 3, 2), (0, 4, 5), (0, 5, 15), (0, 6, 16), (0, 7, 99)], (1, 1, 4), (1, 2, 10)]
    train = split(make_events(rows), LAST_OUT).train
    assert train.time.tolist() == [0, 2, 2, 5, 15, 4, 10]
    assert train.median_gap == 4.5
    assert split(make_events([(0, 1, 0), (0, 2, 7), (0, 3, 9)]), LAST_OUT).train.median_gap == 1.0


def test_with_cuts_in_time_the_time_of_a_query_is_the_cut():
    parts = split(make_events(TEN), TIME, context=("time_gap",))
    assert parts.validation.context.now.tolist() == [6]
    assert parts.test.context.now.tolist() == [8]
    assert parts.test.context.events.event is None
    assert split(make_events(TEN), TIME).test.context.events.time is None


def test_the_future_changes_nothing_of_a_context_before_it():
    rows = [(0, 1, 0), (0, 2, 1), (0, 3, 5), (0, 4, 9)]
    later = [(0, 1, 0), (0, 2, 1), (0, 3, 5), (0, 4, 90)]
    one, other = (
        split(make_events(part), LAST_OUT, context=("time_gap",)).validation.context for part in (rows, later)
    )
    assert one.now.tolist() == other.now.tolist() == [5]
    assert one.events.time[one.place[0]].tolist() == other.events.time[other.place[0]].tolist() == [0, 1]


def test_training_answers_need_some_weight():
    events = replace(make_events(TEN), weight=np.array([0.0] * 8 + [1.0, 1.0]))
    kept = split(replace(events, weight=np.arange(10.0)), TIME).train
    assert kept.weight.tolist() == [0, 1, 5, 6, 9]
    with pytest.raises(InputError, match=r"`data\.interactions\.weight`: must be above 0 somewhere"):
        split(replace(events, weight=events.weight * 0), TIME)
