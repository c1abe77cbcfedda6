import numpy as np
import pandas as pd
import pytest

from mmrec.config.data import UsersConfig
from mmrec.data.users import load_users
from mmrec.errors import InputError

USERS = np.array(["ann", "bob", "eve"], object)
ALL = np.ones(3, bool)


def load(folder, rows, trained=ALL, **changes):
    path = folder / "users.csv"
    pd.DataFrame(rows, columns=["user_id", "town", "age"]).to_csv(path, index=False)
    attributes = {"town": "category", "age": "number"}
    return load_users(UsersConfig(path=str(path), attributes=attributes, **changes), USERS, trained)


def test_attributes_stand_by_the_users_of_the_events_whatever_the_order_of_the_file(tmp_path):
    users = load(tmp_path, [("eve", "Ulm", 20), ("zoe", "Bonn", 99), ("ann", "Jena", 40)])
    features = users.features()
    assert sorted(features) == ["user_category", "user_known", "user_number"]
    assert features["user_category"].tolist() == [[2], [0], [3]]  # Jena and Ulm are known, zoe's town is not
    assert features["user_number"].tolist() == [[1], [0], [-1]]  # mean 30, deviation 10
    assert features["user_known"].tolist() == [[True, True], [False, False], [True, True]]
    assert users.counts == {"user_without_attributes": 1}


def test_categories_and_scales_are_those_of_users_with_training_events(tmp_path):
    rows = [("ann", "Jena", 10), ("bob", "Ulm", 30), ("eve", "Bonn", 1000)]
    loaded = load(tmp_path, rows, np.array([True, True, False])).features()
    assert loaded["user_category"].tolist() == [[2], [3], [1]]  # 1: a town that training lacks
    assert loaded["user_number"].tolist() == [[-1], [1], [5]]  # mean 20, deviation 10, at most 5


def test_raw_values_go_by_the_names_of_the_signature_inputs(tmp_path):
    loaded = load(tmp_path, [("ann", "Jena", 40)]).raw(np.array([0, 2, 0]))
    assert loaded["user_town"].tolist() == ["Jena", "", "Jena"]
    np.testing.assert_array_equal(loaded["user_age"], [40, np.nan, 40])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("ann", "", 1), ("ann", "", 2)], "row 2, column `user_id`: must be unique. Received: 'ann'."),
        ([("", "", 1)], "row 1, column `user_id`: must not be empty."),
        ([("ann", "", "old")], "set `data.users.on_bad_attribute: mask` to train the user without it"),
    ],
)
def test_faults_are_named_with_their_place_and_remedy(tmp_path, rows, said):
    with pytest.raises(InputError) as error:
        load(tmp_path, rows)
    assert said in str(error.value)


def test_faults_can_be_skipped_and_masked_and_are_counted(tmp_path):
    rows = [("", "Ulm", 1), ("ann", "Jena", "old"), ("ann", "Ulm", 3), ("bob", "Ulm", 3), ("eve", "", 3)]
    users = load(tmp_path, rows, on_bad_row="skip", on_bad_attribute="mask")
    assert users.columns["town"].tolist() == ["Jena", "Ulm", ""]
    np.testing.assert_array_equal(users.columns["age"], [np.nan, 3, 3])
    assert users.counts == {"user_without_id": 1, "repeated_user": 1, "bad_user_attribute": 1}


def test_a_table_of_other_users_is_refused_with_both_spellings(tmp_path):
    """Regression: there was no error, and the model learnt nothing about any user."""
    with pytest.raises(InputError) as error:
        load(tmp_path, [("Ann", "Jena", 40), ("Bob", "Ulm", 20)])
    assert f"{tmp_path / 'users.csv'}, column `user_id`: no user of the events is in it." in str(error.value)
    assert "The events have 'ann', for one. Received: 'Ann', for one." in str(error.value)


def test_users_are_the_same_however_their_ids_are_spelt(tmp_path):
    users = load(tmp_path, [(" ann ", "Jena", 40), ("bob", "Ulm", 20)])
    assert users.columns["town"].tolist() == ["Jena", "Ulm", ""]
    assert users.covered == 2
    path = tmp_path / "numbers.csv"
    path.write_text("user_id,town\n9.0,Jena\nabc,Ulm\n")  # in a column with texts, 9.0 keeps its decimals
    config = UsersConfig(path=str(path), attributes={"town": "category"})
    assert load_users(config, np.array(["9", "abc"], object), ALL[:2]).columns["town"].tolist() == ["Jena", "Ulm"]
