"""An export answers to ids and filter values however they are spelt."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import mmrec
from mmrec.serving.filters import FilterValues
from tests.scoring.world import five_items

IDS = np.array(["", "9", "13", "1.0", "x,y", "7"], object)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return five_items(tmp_path_factory.mktemp("shop"), ids=IDS)


@pytest.fixture(scope="module")
def shop(export):
    return mmrec.load(export)


@pytest.mark.parametrize(
    "history",
    [
        [9, 13],
        [9.0, 13.0],
        np.array([9, 13]),
        np.array([9, 13], np.float32),
        [Decimal("9.0"), np.int8(13)],
        ["9.0", " 13 "],
        [b"9", None, "13"],
        [9, float("nan"), pd.NA, 13],
    ],
)
def test_numbers_and_texts_of_them_are_ids(shop, history):
    expected = shop.recommend([["9", "13"]], k=5)
    answers = shop.recommend([history], k=5)
    assert answers.item_ids.tolist() == expected.item_ids.tolist()
    np.testing.assert_array_equal(answers.scores, expected.scores)
    np.testing.assert_array_equal(shop.embed_queries([history]), shop.embed_queries([["9", "13"]]))


def test_every_argument_that_holds_ids_takes_any_spelling(shop):
    assert shop.similar([9.0], k=2).item_ids.tolist() == shop.similar(["9"], k=2).item_ids.tolist()
    assert shop.unknown([9.0, "13.0", 1, "x,y", "8"]) == ["8"]
    assert shop.recommend([[]], k=5, include=[[9.0, 1]], exclude=[[" 9"]]).item_ids.tolist() == [["1.0", *[""] * 4]]


def test_filter_values_are_recognised_as_they_are_spelt_and_others_are_warned_of():
    items = pd.DataFrame({"year": ["2019", "2020", ""], "tags": [["red", "new"], [], [" old "]]})
    values = FilterValues(items)
    asked = np.array([["year=2019.0", "tags=old"], ["tags=new", ""]], object)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert values.spelt(asked).tolist() == [["year=2019", "tags= old "], ["tags=new", ""]]
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"^no item has tags=rad\. Did you mean `red`\?$"):
            assert values.spelt(np.array([["tags=rad"]], object)).tolist() == [["tags=rad"]]


@pytest.mark.slow
def test_ids_with_commas_can_be_asked_on_the_command_line(export, shop, command):
    def asked(*arguments):
        code, out, errors = command("recommend", export, "-k", 5, *arguments)
        assert code == 0, errors
        return [line.split()[1] for line in out.splitlines()], errors

    def expected(*history, **chosen):
        return [item for item in shop.recommend([history], k=5, **chosen).item_ids[0] if item]

    assert asked("--history", "x,y") == (expected("x,y"), "")
    assert asked("--history", "9.0, 13", "--history", "x,y") == (expected("9", "13", "x,y"), "")
    assert asked("--history", "9,x,y")[1] == "not in the export, skipped: x, y\n"
    assert asked("--include", "x,y", "--include", "7,9", "--exclude", "7") == (
        expected(include=[["x,y", "9"]]),
        "",
    )
