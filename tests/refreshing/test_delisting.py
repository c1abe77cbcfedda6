"""A catalog that drops most of an export, or spells its ids differently, is refused before anything is written."""

import pandas as pd
import pytest

import mmrec
from mmrec.refreshing.delisting import DelistingLimit


def refusal(exported, left, max_delisted=0.3, histories=None):
    """Returns the message that refuses a catalog; "" where it may replace the export's items."""
    limit = DelistingLimit("new.csv", exported, max_delisted, histories)
    try:
        limit.require(left)
    except mmrec.InputError as error:
        return str(error)
    return ""


TEN = [f"A-{number}" for number in range(10)]


@pytest.mark.parametrize(("left", "most", "fine"), [(7, 0.3, True), (6, 0.3, False), (1, 1, True), (9, 0, False)])
def test_up_to_the_limit_items_may_go(left, most, fine):
    assert (refusal(TEN, TEN[:left], most) == "") == fine


def test_a_catalog_that_was_cut_is_told_how_much_it_lacks():
    assert refusal(TEN, TEN[:1]) == (
        "new.csv: 9 of 10 items of the export are not in it (such as 'A-1'); at most 30% may be delisted. Correct the "
        "catalog or `data.catalog.item_id`, or set `max_delisted` to 1 to delist them."
    )


@pytest.mark.parametrize(
    ("exported", "left", "example"),
    [
        (["A-1", "B-2"], ["b-2", "a-1"], "'A-1'; the catalog has 'a-1'"),
        (["9", "10"], ["9.0", "10.0"], "'9'; the catalog has '9.0'"),
        (["9", "10"], ["0009", "0010"], "'9'; the catalog has '0009'"),
        (["A-1", "B-2"], ["A1", "B2"], "'A-1'; the catalog has 'A1'"),
        (["9", "10"], ["shop:9", "shop:10"], "'9'; the catalog has 'shop:9'"),
        (["SKU0009", "SKU0010"], ["9", "10"], "'SKU0009'; the catalog has '9'"),
        (["９", "10"], ["9 ", "10 "], "'９'; the catalog has '9 '"),
        (["a", "b"], ["x", "y"], "'a'"),
        (["hat-1", "hat-2", "hat-3"], ["mug-1", "x", "y"], "'hat-1'"),  # one number alike is chance
    ],
)  # fmt: skip
def test_both_spellings_are_named(exported, left, example):
    assert f"(such as {example});" in refusal(exported, left)


def test_recent_histories_bound_what_may_go_as_well(tmp_path):
    path = tmp_path / "users.csv"
    pd.DataFrame({"user_id": ["u", "v"], "history": ["A-9 A-9 gone A-1", "A-9 A-2"]}).to_csv(path, index=False)
    assert refusal(TEN, TEN[:9]) == ""
    said = refusal(TEN, TEN[:9], histories=path)
    assert said.startswith(f"new.csv: 1 of 10 items of the export, 60% of what {path} names, are not in it (such as")
    assert refusal(TEN, TEN[:9], 0.6, path) == ""
    assert refusal(TEN, TEN[1:6], histories=path)  # half of the items, whoever names them


def test_histories_that_name_nothing_of_the_export_are_refused(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("user_id,history\nu,x y\n")
    with pytest.raises(mmrec.InputError, match=r"users\.csv: holds no item of the export\. Received: 'x'"):
        DelistingLimit("new.csv", TEN, 0.3, path)


@pytest.mark.parametrize("most", [-0.1, 1.5, True, "0.5", float("nan")])
def test_a_limit_is_a_share(most):
    with pytest.raises(mmrec.InputError, match=r"`max_delisted` must be a number from 0 to 1\. Received: "):
        DelistingLimit("new.csv", TEN, most)
