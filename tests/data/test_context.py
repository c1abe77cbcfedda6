import numpy as np
import pytest

from mmrec.data.context import EventContext, QueryContext
from mmrec.data.ragged import Ragged

EVENTS = EventContext(
    time=np.array([10.0, 20.0, 50.0, 7.0]), event=np.array([1, 2, 0, 1], np.int32), event_types=("", "buy", "view")
)
NAN = float("nan")


@pytest.fixture
def queries():
    """The first query sees events 0 to 2, the second none, the third event 3."""
    place = Ragged.of([[0, 1, 2], [], [3]])
    return QueryContext(EVENTS, place, np.array([60.0, 5.0, 9.0]), np.array([4, 5, 6], np.int32))


def test_times_end_with_the_time_of_the_query(queries):
    inputs = queries.inputs(3)
    np.testing.assert_array_equal(inputs["history_time"], [[10, 20, 50, 60], [5, NAN, NAN, NAN], [7, 9, NAN, NAN]])
    assert inputs["history_event"].tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 0]]
    assert [column.dtype for column in inputs.values()] == [np.float64, np.int32]


def test_only_the_last_events_of_a_long_history_are_read(queries):
    inputs = queries.take([2, 0]).inputs(2)
    np.testing.assert_array_equal(inputs["history_time"], [[7, 9, NAN], [20, 50, 60]])
    assert inputs["history_event"].tolist() == [[1, 0], [2, 0]]


def test_inputs_that_are_not_read_are_absent(queries):
    bare = QueryContext(EventContext(), queries.place, queries.now, queries.user)
    assert bare.inputs(3) == {}
    assert bare.raw() == {}


def test_raw_values_are_whole_lists_of_times_and_names_of_types(queries):
    assert queries.raw() == {
        "history_time": [[10.0, 20.0, 50.0], [], [7.0]],
        "now": [60.0, 5.0, 9.0],
        "history_event": [["buy", "view", ""], [], ["buy"]],
    }
    assert queries.take([1]).user.tolist() == [5]


def test_a_part_of_the_events_keeps_the_types():
    actual = EVENTS.where(np.array([False, True, False, True]))
    assert (actual.time.tolist(), actual.event.tolist(), actual.event_types) == ([20, 7], [2, 1], ("", "buy", "view"))
    assert actual.negative is None
