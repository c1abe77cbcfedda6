"""What holds for every signature, including a user's own."""

import json

import numpy as np
import pytest
import tensorflow as tf

import mmrec
from mmrec.export.saved_model import write_version
from mmrec.export.signatures.names import SIGNATURES, find_signatures
from mmrec.serving.columns import as_tensor
from tests.export.small import IDS, served, small_parts, small_version

OWN = ["tests.toys.cheapest:Cheapest"]
NAMES = [*SIGNATURES, *find_signatures(OWN)]
PRICES = np.array([("1",), ("2",), ("30",), (), ("5", "4")], object)
WITH_PRICES = {"filters": {"price": PRICES}, "signatures": OWN}
ROWS = {  # of each input, three
    "history": [["a", ""], ["", "b"], ["no such item", "c"]],
    "k": [2, 0, 5],
    "exclude": [[""], ["c"], ["a"]],
    "include": [["", ""], ["", ""], ["d", "e"]],
    "filter": [["price=2"], [""], [""]],
    "item_id": ["a", "nothing", "e"],
    "limit": [100.0, 3.0, 4.5],
}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """(the folder of an export, its manifest, its serving functions)."""
    path = write_version(tmp_path_factory.mktemp("contract"), *small_version(**WITH_PRICES))
    manifest = json.loads((path / "mmrec/manifest.json").read_text())
    return path, manifest, tf.saved_model.load(str(path)).signatures


def ask(function, rows):
    """Asks with some rows of `ROWS`."""
    specs = function.structured_input_signature[1]
    inputs = {name: as_tensor(np.array(ROWS[name], object)[rows], spec) for name, spec in specs.items()}
    return {name: one.numpy() for name, one in function(**inputs).items()}


def test_an_export_has_each_of_them(export):
    _, manifest, functions = export
    assert {*functions} == {*manifest["inputs"]} == {*manifest["signatures"]} == {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_states_the_inputs_of_the_function(export, name):
    _, manifest, functions = export
    specs = functions[name].structured_input_signature[1]
    stated = {key: (one["dtype"], one["shape"]) for key, one in manifest["inputs"][name].items()}
    assert stated == {key: (spec.dtype.name, spec.shape.as_list()) for key, spec in specs.items()}
    assert all(shape[0] is None for _, shape in stated.values())  # the batch


@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_rows_is_answered_each_by_itself(export, name):
    function = export[2][name]
    together = ask(function, [0, 1, 2])
    for row in range(3):
        for key, alone in ask(function, [row]).items():
            width = alone.shape[1:]  # answers are as many as the largest `k` of the batch
            within = together[key][row][tuple(slice(size) for size in width)]
            if alone.dtype == object:
                assert within.tolist() == alone[0].tolist()
            else:
                np.testing.assert_allclose(within, alone[0], atol=1e-6)
    assert all(len(value) == 0 for value in ask(function, []).values())


@pytest.fixture(scope="module")
def signatures():
    return served(small_parts(**WITH_PRICES))[1]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_one_row_that_it_answers(signatures, name):
    one = signatures[name]
    assert {*one.example} == {*one.inputs}
    assert all(len(value) == 1 for value in one.example.values())
    actual = one.function(**{key: as_tensor(one.example[key], spec) for key, spec in one.inputs.items()})
    assert all(len(value) == 1 for value in actual.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_model_card_has_its_inputs_and_the_clients_call(export, name):
    path, manifest, _ = export
    (row,) = [line for line in (path / "mmrec/README.md").read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert all(f"`{key}` " in row for key in manifest["inputs"][name])
    assert "shop." in row.split("|")[4]


CALLS = [name for name in NAMES if name not in ("serving_default", "embed_item", "cheapest")]


@pytest.mark.parametrize("name", CALLS)
def test_the_clients_call_runs_as_it_stands_in_the_model_card(export, name):
    shop = mmrec.load(export[0])
    call = {**SIGNATURES, **find_signatures(OWN)}[name].client_call
    assert len(eval(call.replace('"id1"', '"a"').replace('"id2"', '"b"'), {"shop": shop}))


def test_an_item_of_the_catalog_answers_by_its_price(export):
    answers = ask(export[2]["cheapest"], [0, 1, 2])["item_ids"]
    assert {item.decode() for item in answers[2]} - {""} == {"a", "b", "e"}  # 1, 2 and 4; c, of 30, is the history
    assert IDS[3] == "c"
