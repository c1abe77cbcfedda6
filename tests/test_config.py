import json
from datetime import date

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from mmrec.cli.assignments import parse_assignments
from mmrec.config import Config
from mmrec.config.data import InteractionsConfig
from mmrec.config.training import TrainingConfig
from mmrec.errors import InputError, nearest
from mmrec.modalities.fields import item_fields
from mmrec.registry import find
from mmrec.schema import Field


def written(folder, text, name="config.yaml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


OWN = {"catalog": {"path": "c.csv", "text": ["name"]}, "interactions": {"path": "i.csv"}}


def refusal(source=(), **overrides):
    with pytest.raises(InputError) as error:
        Config.load(source, **overrides)
    return str(error.value)


def test_no_part_of_a_config_can_be_changed():
    config = Config()
    for section, field in (
        (config, "seed"),
        (config.data.catalog, "path"),
        (config.training, "epochs"),
        (config.item.text, "units"),
    ):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, field, getattr(section, field))


@pytest.mark.parametrize(
    ("values", "key", "guess"),
    [
        ({"sead": 1}, "sead", "seed"),
        ({"data": {"catalogue": {}}}, "data.catalogue", "data.catalog"),
        ({"data": {"catalog": {"image_folder": "x"}}}, "data.catalog.image_folder", "data.catalog.image_dir"),
        ({"data": {"split": {"test_share": 0.1}}}, "data.split.test_share", "data.split.test_fraction"),
        ({"item": {"text": {"max_token": 3}}}, "item.text.max_token", "item.text.max_tokens"),
        (
            {"item": {"image": {"augmentation": {"rotation": 9}}}},
            "item.image.augmentation.rotation",
            "item.image.augmentation.rotation_range",
        ),
        ({"training": {"learning_rates": 1}}, "training.learning_rates", "training.learning_rate"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_one_at_every_level(values, key, guess):
    message = refusal(values)
    assert message.startswith(f"config: `{key}`: no such key. Did you mean `{guess}`?")


@pytest.mark.parametrize(
    ("values", "guess"),
    [
        ({"epochs": 3}, "training.epochs"),
        ({"training": {"temperature": 1}}, "retrieval.temperature"),
        ({"query": {"fusion": "x"}}, "item.fusion"),
        ({"item": {"max_tokens": 3}}, "item.text.max_tokens"),
        ({"data": {"interactions": {"image_dir": "x"}}}, "data.catalog.image_dir"),
        ({"item": {"image": {"rotation_range": 3}}}, "item.image.augmentation.rotation_range"),
    ],
)
def test_the_right_key_in_the_wrong_place_is_shown_its_place(values, guess):
    assert f"Did you mean `{guess}`?" in refusal(values)


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("training.epochs", "many", "valid integer"),
        ("training.epochs", 0, "greater than or equal to 1"),
        ("training.epochs", 2.5, "valid integer"),
        ("query.max_length", 10**30, "at most 2,147,483,647"),
        ("evaluation.k", [10**30], "at most 2,147,483,647"),
        ("training.learning_rate", float("inf"), "finite"),
        ("retrieval.temperature", -0.05, "greater than 0"),
        ("data.catalog.text", "title", "must be a list, for example [title]"),
        ("data.catalog.text", [2024], "valid string. Received: 2024. Put it in quotes."),
        ("data.catalog", "items.csv", "must be a section of keys and values, for example {path: items.csv}"),
        ("data", [1], "must be a section of keys and values"),
        ("item.modalities", ["image", "smell"], "'image', 'text', 'audio', 'attributes', 'features' or 'item_id'"),
        ("item.modalities", [], "at least 1 item"),
        ("item", {"modalities": ["text", "text"]}, "each modality may stand once in `modalities`"),
        ("item.image.augmentation", {"brightness_range": [2.0, 1.0]}, "low <= high"),
        ("evaluation.k", 5, "must be a list, for example [5]"),
        ("evaluation.k", "5", "must be a list, for example [5]"),
        ("training", None, "must be a section of keys and values"),
        ("name", "../up", "match pattern"),
        ("name", date(2024, 1, 31), "Put it in quotes."),
        ("name", True, "Put it in quotes: YAML reads yes, no, on and off as true and false"),
        ("item.image.augmentation", {"brightness_range": [1, 2, 3]}, "must be a list of 2 values"),
        ("data.users", {}, "must be given"),
        ("data.catalog.attributes", ["price"], "must be a mapping of names to values"),
        ("data.interactions.min_rating", float("nan"), "finite"),
        ("runs_dir", "a\0b", "must not hold a NUL character"),
        ("data.catalog.text", ["a\0b"], "must not hold a NUL character"),
        ("data.split.test_fraction", 0.5, "less than 0.5"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_was_received(key, value, rule):
    message = refusal(**{key: value})
    assert f"`{key}" in message
    assert rule in message
    assert "Received: " in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("training.epochs", True),
        ("training.epochs", np.True_),
        ("training.clip_norm", False),
        ("retrieval.temperature", True),
        ("evaluation.k", [5, True]),
        ("item.text.max_tokens", True),
        ("item.text.max_tokens", {"title": True}),
        ("item.image.augmentation.zoom_range", [0.5, True]),
    ],
)
def test_true_is_no_number(key, value):
    assert f"`{key}`: must be a number, not true or false. Received: " in refusal(**{key: value})


def test_true_in_a_file_or_an_assignment_is_no_number_either(tmp_path):
    assert "`training.epochs`: must be a number" in refusal(written(tmp_path, "training: {epochs: yes}"))
    assert "`training.epochs`: must be a number" in refusal(**parse_assignments(["training.epochs=true"]))


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("item.text.max_tokens", "x", "a whole number or a mapping of names to whole numbers. Received: 'x'"),
        ("item.text.max_tokens", {"a": "x"}, "a whole number or a mapping of names to whole numbers. Received: {'a'"),
        ("item.image.augmentation.zoom_range", [1], "a number or a list of 2 values. Received: [1]"),
        ("item.image.augmentation.width_shift_range", "x", "a number. Received: 'x'"),
    ],
)
def test_a_value_that_may_be_of_several_types_gets_one_message(key, value, rule):
    assert refusal(**{key: value}).startswith(f"config: `{key}`: must be {rule}")


def test_a_received_value_is_shown_on_one_line_of_bounded_length():
    message = refusal(training=["a\nb"] * 1000)
    assert len(message.splitlines()) == 1
    assert len(message) < 300


def test_sections_that_do_not_fit_each_other_are_refused_by_their_keys_alone():
    message = refusal(**{"query.context": ["event"]})
    assert message == "config: `query.context: [event]` needs a column: name it in `data.interactions.event`."


@pytest.mark.parametrize("key", ["data.catalog.path", "data.catalog.image_dir", "data.cache_dir", "runs_dir"])
def test_a_path_that_is_not_local_is_refused(key):
    message = refusal(**{key: "gs://bucket/x.csv"})
    assert f"`{key}`: must be a local path: `gs://` is not read or written. Copy the data to a local folder." in message


def test_every_problem_is_named_at_once():
    assert len(refusal({"sead": 1, "training": {"epochs": 0}}).splitlines()) == 2


def test_a_dotted_key_in_a_section_is_shown_its_sections():
    message = refusal({"training.epochs": 3})
    assert message == "config: `training.epochs`: a key of a section stands inside it: training: {epochs: ...}."
    assert "inside it: image: {augmentation: {cval: ...}}" in refusal({"item": {"image.augmentation.cval": 3}})


def test_overrides_may_be_nested_dotted_or_whole_sections_and_the_last_one_wins():
    source = {"training": {"epochs": 2, "patience": 3}}
    assert Config.load(source, training={"epochs": 5}).training.patience == 3
    config = Config.load(source, **{"training.epochs": 7, "data.split.kind": "leave_last_out"}, name="x")
    assert (config.training.epochs, config.training.patience, config.name) == (7, 3, "x")
    assert config.data.split.kind == "leave_last_out"
    assert Config.load(source, training=TrainingConfig(epochs=9)).training == TrainingConfig(epochs=9)
    assert source == {"training": {"epochs": 2, "patience": 3}}


def test_a_config_a_path_and_numpy_numbers_are_taken_as_sources(tmp_path):
    catalog = {"path": tmp_path / "c.csv", "text": ["name"]}
    first = Config.load({"seed": np.int64(3), "data": {"catalog": catalog, "interactions": None}})
    assert (first.seed, first.data.catalog.path) == (3, str(tmp_path / "c.csv"))
    assert Config.load(first) == first
    assert Config.load(first, seed=4).seed == 4


def test_a_section_passed_as_such_counts_with_its_defaults():
    section = InteractionsConfig(path="i.csv")
    config = Config.load({"data": {**OWN, "interactions": {"user_id": "u"}}}, data={"interactions": section})
    assert (config.data.interactions.user_id, config.data.catalog.text) == ("user_id", ("name",))


def test_ten_is_always_among_the_list_lengths():
    assert Config.load(evaluation={"k": [3]}).evaluation.k == (3, 10)
    assert Config.load(evaluation={"k": [10, 3]}).evaluation.k == (10, 3)
    assert Config().evaluation.k == (5, 10, 20, 50)


@pytest.fixture
def unusual(tmp_path):
    return Config.load(
        **{"data.catalog.path": str(tmp_path / "größe.csv"), "data.catalog.text": ["a", "b"], "seed": 7},
        data={"interactions": None},
        item={"image": {"weights": None, "augmentation": {"brightness_range": [0.5, 1.5]}}},
        training={"learning_rate": 1e-05, "clip_norm": None},
    )


def test_a_config_survives_yaml_and_json(tmp_path, unusual):
    assert Config.load(written(tmp_path, unusual.to_yaml())) == unusual
    assert Config.load(written(tmp_path, unusual.model_dump_json(), "config.json")) == unusual
    assert Config.load(written(tmp_path, json.dumps(unusual.model_dump(mode="json"), indent="\t"), "t.json")) == unusual
    assert Config.load(yaml.safe_load(unusual.to_yaml())) == unusual


def test_a_config_written_to_another_folder_still_finds_its_data(tmp_path, monkeypatch):
    # Regression: paths in a dict stayed relative, so that a run's config.yaml pointed into the run folder.
    monkeypatch.chdir(tmp_path)
    config = Config.load({"data": {"catalog": OWN["catalog"]}}, **{"data.interactions.path": "i.csv"})
    (tmp_path / "run").mkdir()
    again = Config.load(written(tmp_path / "run", config.to_yaml()))
    assert again == config
    assert again.data.catalog.path == str(tmp_path / "c.csv")
    assert again.data.interactions.path == str(tmp_path / "i.csv")


def test_relative_paths_of_data_start_at_the_files_folder_wherever_they_stand(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    path = written(
        tmp_path / "sub",
        "runs_dir: results\n"
        "data:\n"
        "  catalog: {path: ../c.csv, image_dir: imagenet, text: [name]}\n"
        "  interactions: {path: 'tfds:shop/events'}\n"
        "  tfds_dir: sets\n"
        "item: {image: {weights: imagenet}}\n",
    )
    monkeypatch.chdir(tmp_path)
    config = Config.load("sub/config.yaml")
    assert config == Config.load(path)
    assert config.data.catalog.path == str(tmp_path / "c.csv")
    assert config.data.catalog.image_dir == str(tmp_path / "sub" / "imagenet")
    assert config.data.interactions.path == "tfds:shop/events"
    assert config.data.tfds_dir == str(tmp_path / "sub" / "sets")
    assert config.item.image.weights == "imagenet"
    assert config.runs_dir == "results"  # relative results start at the working directory
    for assignment in ("data.catalog.path=../c.csv", "data={catalog: {path: ../c.csv}}"):
        assert Config.load(path, **parse_assignments([assignment])) == config
    assert Config.load(path, **{"item.image.weights": "w.h5"}).item.image.weights == str(tmp_path / "sub" / "w.h5")
    assert Config.load(config, **{"item.image.weights": "w.h5"}).item.image.weights == str(tmp_path / "w.h5")
    assert Config.load(path, **{"data.tfds_dir": "gs://sets"}).data.tfds_dir == "gs://sets"  # TFDS reads such paths
    assert Config().data.catalog.path.startswith("tfds:")


PATHS = (
    "data.catalog.path",
    "data.catalog.image_dir",
    "data.catalog.audio_dir",
    "data.interactions.path",
    "data.users.path",
    "data.tfds_dir",
    "data.cache_dir",
    "item.image.weights",
    "item.text.vocabulary",
    "item.text.preset",
    "runs_dir",
    "saved_models_dir",
)


def test_the_home_folder_and_variables_are_filled_in_in_every_path(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("SHOP", "/shops/mugs")
    own = {"data": {**OWN, "users": {"path": "u.csv", "attributes": {"age": "number"}}}}

    def value(key, text):
        loaded = Config.load(own, **{key: text})
        for part in key.split("."):
            loaded = getattr(loaded, part)
        return loaded

    for key in PATHS:
        assert value(key, "~/x/y") == "/home/ann/x/y", key
        assert value(key, "${SHOP}/y") == "/shops/mugs/y", key
        assert value(key, "${NO_SUCH_VARIABLE:-/d}/y") == "/d/y", key
    message = refusal(own, **{"runs_dir": "${NO_SUCH_VARIABLE}/y"})
    assert message.startswith("`runs_dir`: the environment variable NO_SUCH_VARIABLE is not set. Received: ")


def test_environment_variables_are_filled_in_with_their_default(tmp_path, monkeypatch):
    text = (
        "name: ${MODEL_NAME:-plain}\nseed: ${MODEL_SEED:-3}\n"
        "data: {catalog: {path: '${SHOP:-/data}/c.csv', text: [name]}, interactions: null}"
    )
    path = written(tmp_path, text)
    monkeypatch.setenv("MODEL_NAME", "named")
    monkeypatch.setenv("SHOP", "/shop")
    config = Config.load(path)
    assert (config.name, config.seed, config.data.catalog.path) == ("named", 3, "/shop/c.csv")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("c.yaml", "name: a\nseed: 1\nname: b", "`name` appears twice: lines 1 and 3"),
        ("c.yaml", "data: {cache_dir: a}\n'data': {tfds_dir: b}", "`data` appears twice: lines 1 and 2"),
        ("c.yaml", "item:\n  text:\n    units: 8\n\n    units: 9", "`item.text.units` appears twice: lines 3 and 5"),
        ("c.yaml", "training: {epochs: 1, patience: 2, epochs: 1}", "`training.epochs` appears twice: line 1"),
        ("c.yaml", "a: [{b: 1, b: 2}]", "`a.0.b` appears twice: line 1"),
        ("c.json", '{"seed": 1, "name": "a", "seed": 2}', "`seed` appears twice in one object"),
        ("c.json", '{"data": {"split": {"kind": "time", "kind": "time"}}}', "`kind` appears twice in one object"),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path, name, content, said):
    path = written(tmp_path, content, name)
    assert refusal(path) == f"{path}: {said}. Merge them into one, or remove one of them."


def test_anchors_and_merge_keys_are_no_repetition(tmp_path):
    text = (
        "item:\n  text: &small {units: 8, dropout: 0.0}\n  attributes: {<<: *small, units: 9}\n"
        "  features: &dry {dropout: 0.0}\n  item_id: *dry\nquery: {<<: *dry, <<: {layers: 3}}"
    )
    config = Config.load(written(tmp_path, text))
    assert (config.item.text.units, config.item.attributes.units, config.item.attributes.dropout) == (8, 9, 0.0)
    assert (config.item.item_id.dropout, config.query.dropout, config.query.layers) == (0.0, 0.0, 3)


def test_a_catalog_of_ones_own_needs_its_own_events_and_text_columns(tmp_path):
    for own in ({"catalog": OWN["catalog"]}, {"catalog": OWN["catalog"], "interactions": {"user_id": "customer"}}):
        message = refusal({"data": own})
        assert message.startswith("config: `data.interactions.path` must be given with `data.catalog.path`.")
        assert "`data.interactions: null`" in message
    assert "`data.interactions.path` must be given" in refusal(Config(), **{"data.catalog.path": "c.csv"})
    data = {"catalog": {"path": "c.csv"}, "interactions": OWN["interactions"]}
    assert "`data.catalog.text` must be given with `data.catalog.path`" in refusal({"data": data})
    ids = Config.load({"data": data}, **{"item.modalities": ["item_id"]})
    assert (ids.data.catalog.text, ids.data.catalog.payload) == ((), ())
    assert Config.load({"data": OWN}).data.catalog.payload == ("name",)
    sample = Config().data.catalog
    assert (sample.text, sample.payload) == (("title", "description"), ("title", "category"))


def test_a_shop_without_events_is_kept_as_such(tmp_path):
    config = Config.load({"data": {**OWN, "interactions": None}})
    assert config.data.interactions is None
    assert Config.load(written(tmp_path, config.to_yaml())) == config
    assert Config.load(config.model_dump()) == Config.load(config) == config
    assert Config.load(config, data=OWN).data.interactions.path.endswith("/i.csv")
    assert "`query.context: [event]` needs a column" in refusal(config, **{"query.context": ["event"]})


def test_a_byte_order_mark_and_windows_line_endings_change_nothing(tmp_path):
    text = b"name: shop\r\ntraining:\r\n  epochs: 3\r\n"
    assert Config.load(written(tmp_path, b"\xef\xbb\xbf" + text)) == Config.load(name="shop", training={"epochs": 3})


def test_an_empty_file_gives_the_defaults(tmp_path):
    assert Config.load(written(tmp_path, "# nothing\n")) == Config()


@pytest.mark.parametrize(
    ("name", "content", "actual"),
    [
        ("c.yaml", "- seed: 1", "must hold keys and values. Received: list"),
        ("c.yaml", "[]", "must hold keys and values. Received: list"),
        ("c.yaml", "seed", "must hold keys and values. Received: str"),
        ("c.yaml", "seed: !!python/object/apply:os.getcwd []", "is not plain YAML"),
        ("c.yaml", "a: [1", "is not plain YAML"),
        ("c.json", "{'seed': 1}", "is not JSON"),
        ("c.yaml", b"name: \xe9", "must be UTF-8. Received byte 0xe9 at 6"),
        ("c.yaml", "1: 2", "Keys should be strings"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path, name, content, actual):
    path = written(tmp_path, content, name)
    message = refusal(path)
    assert message.startswith(str(path))
    assert actual in message


def test_an_absent_file_is_named(tmp_path):
    assert "cannot be read as a config file: embedded null byte" in refusal("a\0b")
    assert refusal(tmp_path / "no.yaml").startswith(f"{tmp_path / 'no.yaml'}: cannot be read as a config file")


def test_every_field_of_every_section_says_what_it_means():
    schema = Config.json_schema()
    sections = {"Config": schema, **schema["$defs"]}
    assert len(sections) >= 15
    for name, section in sections.items():
        assert section["description"], name
        assert section["additionalProperties"] is False
        for field, described in section["properties"].items():
            assert "$ref" in described or described.get("description"), f"{name}.{field}"


def test_nearest_suggests_only_what_is_close():
    assert nearest("titel", ["title", "image"]) == " Did you mean `title`?"
    assert nearest("zzz", ["title", "image"]) == ""


def test_a_registered_name_or_an_import_path_is_imported():
    assert find("fusion", "sum", {"sum": int}) is int
    assert find("fusion", "collections:Counter", {}).__name__ == "Counter"


@pytest.mark.parametrize("name", ["no.such.module:Thing", "collections:Thing", ":Thing", ".relative:Thing"])
def test_an_import_path_that_leads_nowhere_is_refused(name):
    with pytest.raises(InputError, match="cannot be imported"):
        find("fusion", name, {})


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(InputError, match=r"no fusion is called 'summ'. Did you mean `sum`\? Known: sum, mean; or"):
        find("fusion", "summ", {"sum": int, "mean": float})


def test_a_single_text_column_is_called_text_and_several_keep_their_names():
    def fields(modalities, **columns):
        tables = {"catalog": {"path": "shop.csv", **columns}, "interactions": {"path": "events.csv"}}
        return item_fields(Config.load({"data": tables, "item": {"modalities": modalities}}))

    image = Field("photo", "image", "image_bytes", "bytes", status=1, max_pixels=50_000_000)
    assert fields(["text", "image"], text=["title"], image="photo") == [Field("title", "text", "text", "text"), image]
    several = fields(["image", "text", "item_id"], text=["title", "body"], image="photo")
    assert [field.input for field in several] == ["image_bytes", "title", "body", "item_id"]


@pytest.mark.parametrize(
    ("formats", "read"),
    [
        ("%d/%m/%Y %H:%M", ("%d/%m/%Y %H:%M",)),
        (["%b %d, %Y", "ISO8601"], ("%b %d, %Y", "ISO8601")),
        ("%Y-%m-%d %H:%M:%S UTC", ("%Y-%m-%d %H:%M:%S UTC",)),
        (None, ()),
    ],
)
def test_formats_of_times_are_one_or_a_list(formats, read):
    config = Config.load(**{"data.interactions.timestamp_format": formats})
    assert config.data.interactions.timestamp_format == read
    assert Config.load(yaml.safe_load(config.to_yaml())) == config


@pytest.mark.parametrize("formats", ["DD/MM/YYYY", "%d/%m", "%q/%Y", "%Y %", "%Y %Y", "%-d/%m/%Y", "%c", ""])
def test_what_is_no_format_of_times_is_refused(formats):
    with pytest.raises(InputError) as error:
        Config.load(**{"data.interactions.timestamp_format": formats})
    assert "`data.interactions.timestamp_format.0`: must be a `strptime` format with a year" in str(error.value)
    assert f"Received: {formats!r}." in str(error.value)


@pytest.mark.parametrize(
    ("rules", "leaves_out"),
    [
        ({}, True),
        ({"seen_events": ["buy"], "positive_events": ["buy"]}, True),
        ({"seen_events": ["buy", "view"], "positive_events": ["buy"]}, True),
        ({"seen_events": ["buy"]}, False),  # views are history too
        ({"seen_events": ["buy"], "positive_events": ["buy", "view"]}, False),
        ({"seen_events": ["buy"], "positive_events": ["buy"], "negative_events": ["return"]}, False),
    ],
)
def test_an_export_leaves_out_the_history_where_all_of_it_counts_as_seen(rules, leaves_out):
    settings = {"data.interactions": {"event": "kind", **rules}, "query.context": ["event"]}
    assert Config.load(**settings).leaves_out_history is leaves_out
    assert not Config.load(**settings, retrieval={"repeat_consumption": True}).leaves_out_history
