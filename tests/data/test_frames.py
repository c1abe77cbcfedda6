"""DataFrames in place of tables."""

import datetime
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mmrec.config import Config
from mmrec.data.frames import config_with_frames, frame_paths
from mmrec.data.tables import read_table
from mmrec.errors import InputError
from tests.catalogs import load_catalog

EVENTS = pd.DataFrame({"user_id": ["u"], "item_id": ["1"], "timestamp": [7]})


def items(**columns):
    return pd.DataFrame({"item_id": ["1", "2"], "name": ["mug", "lamp"]} | columns)


def loaded_config(catalog, **overrides):
    return config_with_frames({"data": {"interactions": EVENTS, "catalog": {"text": ["name"]}}}, overrides | catalog)


def refusal(catalog):
    with pytest.raises(InputError) as error, loaded_config({"data.catalog": catalog}):
        pass
    return str(error.value)


@pytest.mark.parametrize(
    "catalog",
    [
        {"data.catalog": items()},
        {"data.catalog.path": items()},
        {"data": {"catalog": items()}},
        {"data": {"catalog": {"path": items()}}},
    ],
)
def test_a_frame_stands_for_a_path_or_a_whole_section(catalog):
    with loaded_config(catalog) as config:
        paths = frame_paths(config)
        assert [*paths] == ["catalog", "interactions"]
        assert config.data.catalog.text == ("name",)
        assert load_catalog(config.data.catalog, ("text",)).item_ids.tolist() == ["1", "2"]
        assert Config.load(config.model_dump()) == config
    assert not any(path.exists() for path in paths.values())


def test_a_users_table_may_be_a_frame_too():
    users = {"path": pd.DataFrame({"user_id": ["u"], "age": [3]}), "attributes": {"age": "number"}}
    with loaded_config({"data.catalog": items()}, **{"data.users": users}) as config:
        assert [*frame_paths(config)] == ["catalog", "interactions", "users"]


def test_photos_of_a_frame_are_looked_for_from_the_working_directory(tmp_path):
    with loaded_config({"data.catalog": items()}) as config:
        assert (config.data.catalog.image_dir, config.data.catalog.audio_dir) == (os.getcwd(), os.getcwd())
    with loaded_config({"data.catalog": items()}, **{"data.catalog.image_dir": tmp_path}) as config:
        assert config.data.catalog.image_dir == str(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([9, 10]),
        pd.Series([9.0, np.nan]),
        pd.Series([9, None], dtype="Int64"),
        pd.Series([9, None], dtype=object),
        pd.Series(["9", None], dtype="string[pyarrow]"),
        pd.Series([9, None], dtype="int64[pyarrow]"),
        pd.Series(["9", "x"], dtype="category"),
        pd.Series([b"9", None], dtype=object),
        pd.Series([["a", "b"], []], dtype=object),
        pd.Series(pd.to_datetime(["2024-01-01T00:00Z", None])),
        pd.Series([datetime.date(2024, 1, 1), None], dtype=object),
    ],
    ids=lambda values: str(values.dtype),
)
def test_a_frame_is_read_as_the_parquet_file_that_pandas_writes_of_it(values, tmp_path):
    frame = items(value=values).set_axis([7, 5])
    frame.to_parquet(tmp_path / "items.parquet")
    with loaded_config({"data.catalog": frame}) as config:
        actual, expected = (
            read_table(str(path), ["item_id", "value"], key="data.catalog.path")
            for path in (config.data.catalog.path, tmp_path / "items.parquet")
        )
    pd.testing.assert_frame_equal(actual, expected)


def test_a_named_index_is_a_column_as_in_parquet_and_one_without_a_name_changes_nothing():
    frames = [items(), items().set_index("item_id"), items().set_axis(["b", "a"])]
    contents = []
    for frame in frames:
        with loaded_config({"data.catalog": frame}) as config:
            contents.append(Path(config.data.catalog.path).read_bytes())
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (items().iloc[:0], ": holds no rows. Give a table with at least one."),
        (items(x=[1, "a"]), ", column `x`: cannot be written as parquet: "),
        (items(x=[object(), None]), ", column `x`: cannot be written as parquet: "),
        (items(x=[{}, {}]), ", column `x`: cannot be written as parquet: "),
        (items(x=[2**70, 1]), ", column `x`: cannot be written as parquet: "),
        (items(x=pd.Series(["\ud800", ""], dtype=object)), ", column `x`: cannot be written as parquet: "),
        (items(x=[1j, 2j]), ", column `x`: cannot be written as parquet: "),
        (items().rename(columns={"name": 3}), ": names of columns must be texts. Received: 3."),
        (pd.concat([items(), items()], axis=1), ": column `item_id` appears twice. Rename one of them."),
    ],
)
def test_a_frame_that_cannot_be_used_is_refused_by_its_key_and_column(frame, said):
    assert refusal(frame).startswith(f"the DataFrame `data.catalog`{said}")


@pytest.mark.parametrize("key", ["training.epochs", "data", "data.catalog.text"])
def test_a_frame_elsewhere_is_refused(key):
    for source, overrides, name in (({}, {key: items()}, key), (items(), {}, "config")):
        said = f"`{name}`: takes no DataFrame. Received: one of 2 rows."
        with pytest.raises(InputError, match=said), config_with_frames(source, overrides):
            pass
    with pytest.raises(InputError, match=r"Give it to `mmrec\.train`, `tune`, `check` or `evaluate` itself"):
        Config.load(data={"catalog": items()})


def test_an_error_in_a_frame_names_its_key_and_no_temporary_file():
    said = "^the DataFrame `data.catalog`, row 2, column `item_id`: ids must be unique"
    with pytest.raises(InputError, match=said), loaded_config({"data.catalog": items(item_id=["1", "1"])}) as config:
        load_catalog(config.data.catalog, ("text",))
