from datetime import date, datetime

import numpy as np
import pytest
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.serving.context import context_inputs

HISTORIES = np.array([["a", "b"], ["a", ""], ["", ""]], object)
INPUTS = {
    "history_time": tf.TensorSpec([None, None], tf.float64),
    "history_event": tf.TensorSpec([None, None], tf.string),
    "now": tf.TensorSpec([None], tf.float64),
    "user_town": tf.TensorSpec([None], tf.string),
}
NAN = float("nan")


def test_context_stands_beside_the_items_and_all_else_is_unknown():
    context = {"history_time": [[1, 2.5], (3,), None], "now": [4, None, NAN], "user_town": ["Ulm", None, 7]}
    inputs = context_inputs(context, HISTORIES, INPUTS)
    np.testing.assert_array_equal(inputs["history_time"], [[1, 2.5], [3, NAN], [NAN, NAN]])
    np.testing.assert_array_equal(inputs["now"], [4, NAN, NAN])
    assert inputs["user_town"].tolist() == ["Ulm", "", "7"]
    assert inputs["history_event"].tolist() == [["", ""]] * 3
    assert (inputs["now"].dtype, inputs["history_event"].dtype) == (np.float64, object)


def test_times_may_be_date_times_where_training_read_them_by_a_format():
    context = {"history_time": [["02/01/1970", 5], [date(1970, 1, 3)], []], "now": [None, datetime(1970, 1, 4, 1), 7]}
    inputs = context_inputs(context, HISTORIES, INPUTS, ["%d/%m/%Y"])
    np.testing.assert_array_equal(inputs["history_time"], [[86400, 5], [172800, NAN], [NAN, NAN]])
    np.testing.assert_array_equal(inputs["now"], [NAN, 262800, 7])
    with pytest.raises(InputError, match=r"numbers, date-times of the form '%d/%m/%Y' or None. Received: '1970-01-02'"):
        context_inputs({"now": ["1970-01-02", 1, 2]}, HISTORIES, INPUTS, ["%d/%m/%Y"])


def test_nothing_is_needed():
    assert context_inputs(None, HISTORIES, {}) == {}
    assert context_inputs({}, HISTORIES[:0], INPUTS)["history_time"].shape == (0, 2)


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"nwo": [1, 2, 3]}, "the export does not read `nwo`. Did you mean `now`? It reads: history_time,"),
        ({"now": [1, 2]}, "`now` must have a row per history (3). Received: 2."),
        ({"now": 5}, "`now` must hold a list. Received: 5."),
        ({"now": ["noon", 1, 2]}, "`now` must hold numbers or None. Received: 'noon'."),
        (
            {"history_event": [["buy"], ["buy"], []]},
            "must have a value per item of the history, 2 in row 1. Received: 1",
        ),
        (
            {"history_event": [["buy"] * 3, [], []]},
            "must have a value per item of the history, 2 in row 1. Received: 3",
        ),
        ({"history_time": [["1", 2], [1], []]}, "`history_time` must hold numbers or None. Received: '1'."),
        ({"now": [10**400, 1, 2]}, "`now` must hold numbers or None. Received: 1000"),
        ([1], "`context` must be a dict of history_time, history_event, now, user_town. Received: [1]."),
    ],
)
def test_mistakes_are_explained(context, said):
    with pytest.raises(InputError) as error:
        context_inputs(context, HISTORIES, INPUTS)
    assert said in str(error.value)


def test_an_export_that_reads_histories_alone_says_so():
    with pytest.raises(InputError, match=r"does not read `now`\. It reads histories alone\."):
        context_inputs({"now": [1, 2, 3]}, HISTORIES, {})
