"""How a batch job reads columns and events, without an export."""

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from mmrec.errors import InputError
from mmrec.scoring.events import EVENTS, append_events, histories_of
from mmrec.scoring.histories import Questions, require_types
from mmrec.scoring.lists import as_texts, columns_of, lists
from mmrec.values import Spellings

INPUTS = {
    "history": tf.TensorSpec([None, None], tf.string),
    "k": tf.TensorSpec([None], tf.int32),
    "exclude": tf.TensorSpec([None, None], tf.string),
    "include": tf.TensorSpec([None, None], tf.string),
    "history_time": tf.TensorSpec([None, None], tf.float64),
    "history_event": tf.TensorSpec([None, None], tf.string),
    "now": tf.TensorSpec([None], tf.float64),
    "user_town": tf.TensorSpec([None], tf.string),
}


def as_lists(tensor):
    """Returns a tensor as lists, NaN as None."""
    values = tensor.numpy().tolist()
    return [[None if value != value else value for value in row] for row in values]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a", None, "b"], [], None, ["a"]]),
        pa.array([["x"], ["a", None, "b"], [], None, ["a"], ["y"]])[1:5],
        pa.array([["a", "", "b"], [], [], ["a"]], pa.large_list(pa.large_string())),
        pa.array(["a  b", "", None, "a"]),
        pa.array([["a", None, "b"], [], None, ["a"]], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
    ],
    ids=["list", "slice", "large", "text", "dictionary"],
)
def test_lists_of_texts_become_padded_tensors_in_any_order(column):
    read = lists(pa.chunked_array([column]))
    assert read.lengths.tolist() == [3, 0, 0, 1]
    wanted = [[b"a", b"", b""], [b"a", b"", b"b"], [b"", b"", b""]]
    assert read.padded(np.array([3, 0, 2]), 3).numpy().tolist() == wanted


def test_texts_that_are_no_numbers_are_named_by_row():
    read = lists(pa.chunked_array([["1 2.5", "", "3  x", " 4"]]), numbers=True)
    assert read.bad.tolist() == [False, False, True, False]
    assert as_lists(read.padded(np.array([0, 3]), 2)) == [[1.0, 2.5], [None, 4.0]]


def test_whole_numbers_are_ids_without_a_fraction():
    assert as_texts(pa.array([7.0, None])).tolist() == ["7", ""]
    assert as_texts(pa.array([7, 8])).tolist() == ["7", "8"]


def test_answers_become_lists_without_padding():
    outputs = {
        "scores": tf.constant([[0.5, 0.25], [-1.0, -9.0]]),
        "item_ids": tf.constant([["b", "äé"], ["c", ""]]),
    }
    assert {name: column.to_pylist() for name, column in columns_of(outputs).items()} == {
        "item_ids": [["b", "äé"], ["c"]],
        "scores": [[0.5, 0.25], [-1.0]],
    }
    other = columns_of({"status": tf.constant([0, 4]), "label": tf.constant(["x", ""])})
    assert {name: column.to_pylist() for name, column in other.items()} == {"label": ["x", ""], "status": [0, 4]}


def test_a_question_holds_the_context_beside_the_history():
    table = pa.table(
        {
            "user_id": [7, 8, 9],
            "history": [["a", "b"], ["c"], []],
            "exclude": [["x", "y", "z"], None, []],
            "history_time": [[1, 2], [], None],
            "history_event": [["buy", None], ["view"], []],
            "now": [5, None, 6],
            "user_town": ["Graz", None, ""],
        }
    )
    questions = Questions(table, INPUTS, 4)
    assert questions.ids.tolist() == ["7", "8", "9"]
    asked = questions.ask(np.array([1, 0]))
    assert {name: tensor.shape.rank for name, tensor in asked.items()} == {
        name: spec.shape.rank for name, spec in INPUTS.items()
    }
    assert asked["history"].numpy().tolist() == [[b"c", b""], [b"a", b"b"]]
    assert asked["exclude"].numpy().tolist() == [[b"", b"", b""], [b"x", b"y", b"z"]]
    assert asked["include"].shape == (2, 0)
    assert as_lists(asked["history_time"]) == [[None, None], [1, 2]]
    assert asked["history_event"].numpy().tolist() == [[b"view", b""], [b"buy", b""]]
    assert as_lists(asked["now"][:, tf.newaxis]) == [[None], [5]]
    assert asked["user_town"].numpy().tolist() == [b"", b"Graz"]
    assert asked["k"].numpy().tolist() == [4, 4]


def test_histories_of_like_length_are_asked_together_and_huge_ones_apart():
    long = ["a"] * 600_000  # two of them would be more than a million ids
    questions = Questions(pa.table({"user_id": list("abcde"), "history": [long, ["a"], long, [], ["a"]]}), INPUTS, 1)
    assert [sorted(part.tolist()) for part in questions.batches(2)] == [[2], [0], [1, 4], [3]]
    columns = {"user_id": list("abc"), "history": [["a"]] * 3, "exclude": [long, [], long]}
    assert [sorted(part.tolist()) for part in Questions(pa.table(columns), INPUTS, 1).batches(3)] == [[2], [0], [1]]


def test_histories_without_any_item_of_the_export_are_counted_and_empty_ones_are_not():
    for history in (["x a", "", "x y", "a", None], [["x", "a"], [""], ["x", None, "y"], ["a"], None]):
        questions = Questions(pa.table({"user_id": list("uvwxy"), "history": history}), INPUTS, 1)
        assert questions.unknown({b"a", b"b"}).tolist() == [False, False, True, False, False]
    questions = Questions(pa.table({"user_id": [], "history": pa.array([], pa.list_(pa.string()))}), INPUTS, 1)
    assert questions.unknown({b"a"}).tolist() == []


def test_empty_columns_are_unknown():
    lists = {"history": [[], []], "exclude": [None, None], "history_time": [None, None]}
    table = pa.table({"user_id": ["a", "b"], **lists, "now": [None, None], "user_town": [None, None]})
    require_types("file", table.schema)
    questions = Questions(table, INPUTS, 1)
    assert questions.faults == {}
    asked = questions.ask(np.array([0, 1]))
    assert [asked[name].shape.as_list() for name in lists] == [[2, 0]] * 3
    assert np.isnan(asked["now"]).all()


def test_numbers_are_ids_as_they_are_in_training_and_nan_is_none():
    history = pa.array([[1.0, np.nan], [2.0], [np.inf, 2.0], [3.0]])
    questions = Questions(pa.table({"user_id": [1.0, np.nan, np.inf, 1e19], "history": history}), INPUTS, 1)
    assert sorted(questions.faults) == [1]
    assert questions.ids.tolist() == ["1", "", "inf", "10000000000000000000"]
    assert questions.ask(np.array([0, 2]))["history"].numpy().tolist() == [[b"1", b""], [b"inf", b"2"]]


def test_rows_that_break_a_rule_are_named_with_what_was_received():
    table = pa.table(
        {
            "user_id": ["", "b", "c", "d", "e"],
            "history": ["a", "a  b", "a b", "a", "a b"],
            "history_time": ["1", "1 2", "1", "x", ""],
            "now": ["", "", "", "", "soon"],
        }
    )
    questions = Questions(table, INPUTS, 1)
    assert questions.faults == {
        0: "column `user_id`: must not be empty. Received: ''",
        1: "column `history`: must be item ids with a single space between each two. Received: 'a  b'",
        2: "column `history_time`: must have a value per item of the history, or none at all. Received: '1'",
        3: "column `history_time`: must hold numbers. Received: 'x'",
        4: "column `now`: must be a number. Received: 'soon'",
    }
    assert [part.tolist() for part in questions.batches(9)] == [[]]


@pytest.mark.parametrize(
    ("column", "values"),
    [("history", ["a b"]), ("history", [[["a"]]]), ("user_id", [["u"]]), ("now", [[1]]), ("user_id", [{"a": 1}])],
)
def test_columns_of_another_type_are_refused(column, values):
    with pytest.raises(InputError, match=f"^file: column `{column}` must hold .* Received: .* Write it as such."):
        require_types("file", pa.table({column: values}).schema)


def test_events_are_grouped_by_user_and_sorted_by_time_and_row(tmp_path):
    first = [["u2", "u1", "u1"], ["b", "z", "a"], [1.0, 9.0, 2.0], ["buy", "view", None]]
    second = [["u1", "u1"], ["b", "c"], [2.0, 1.0], ["buy", "view"]]
    flags = [[True] * 3, [False] * 3], [[True, False], [False, True]]  # in_history, exclude
    for columns, of_columns in zip((first, second), flags, strict=True):
        append_events(tmp_path / "e", pa.table([*columns, *of_columns], schema=EVENTS))
    wanted = ["user_id", "history", "history_time", "history_event", "exclude"]
    items = Spellings(["b", "a", "c"])
    histories = histories_of(tmp_path / "e", items, wanted)  # at one time, b comes before a, as in the export
    assert histories.to_pylist() == [
        {
            "user_id": "u1",
            "history": ["b", "a", "z"],
            "history_time": [2, 2, 9],
            "history_event": ["buy", None, "view"],
            "exclude": ["c"],
        },
        {"user_id": "u2", "history": ["b"], "history_time": [1], "history_event": ["buy"], "exclude": []},
    ]
    assert histories_of(tmp_path / "e", items, wanted[:2]).column_names == wanted[:2]
