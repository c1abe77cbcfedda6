"""What `--set KEY=VALUE` means."""

import pytest

from mmrec.cli.assignments import parse_assignments
from mmrec.config import Config
from mmrec.errors import InputError


def test_assignments_are_read_as_yaml():
    assignments = parse_assignments(
        ["training.epochs=3", "name = 'a=b'", "evaluation.k=[1, 2]", "item.image.weights=null"]
    )
    assert assignments == {"training.epochs": 3, "name": "a=b", "evaluation.k": [1, 2], "item.image.weights": None}
    assert Config.load(**parse_assignments(["training.learning_rate=1e-3"])).training.learning_rate == 0.001


def test_of_a_key_that_is_assigned_twice_the_last_value_counts():
    assignments = parse_assignments(["training.epochs=3", "training={epochs: 4, patience: 2}", "training.epochs=5"])
    training = Config.load(**assignments).training
    assert (training.epochs, training.patience) == (5, 2)


@pytest.mark.parametrize(
    "text", ["training.epochs", "=3", "training={epochs: 1, epochs: 2}", "a=[1", "a=!!python/object/apply:os.getcwd []"]
)
def test_an_assignment_that_cannot_be_read_is_refused(text):
    with pytest.raises(InputError, match="--set"):
        parse_assignments([text])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.epochs", "`--set` takes KEY=VALUE, such as training.epochs=3. Received: 'training.epochs'."),
        (
            "training={epochs: 1, epochs: 2}",
            "`--set training`: `epochs` appears twice: line 1. Received: '{epochs: 1, epochs: 2}'. Leave one of them "
            "out.",
        ),
    ],
)
def test_what_is_wrong_with_an_assignment_is_said(text, message):
    with pytest.raises(InputError) as error:
        parse_assignments([text])
    assert str(error.value) == message


def test_no_assignments_override_nothing():
    assert parse_assignments(None) == {}
