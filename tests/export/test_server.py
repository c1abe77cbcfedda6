"""The sample requests of an export get the same answers by gRPC and REST as the calls in Python."""

import base64
import json
import re
from concurrent import futures

import grpc
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

import mmrec

SIGNATURES = ["embed_item", "embed_query", "recommend", "serving_default", "similar"]


class Server(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers `Predict` from the SavedModel, and refuses what a server refuses."""

    def __init__(self, signatures):
        self.signatures = signatures

    def Predict(self, request, context):  # noqa: N802  (the name in the protocol)
        function = self.signatures[request.model_spec.signature_name]
        spec = function.structured_input_signature[1]
        if set(request.inputs) != set(spec):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"inputs must be {sorted(spec)}")
        values = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        outputs = function(**{key: tf.constant(value.tolist(), spec[key].dtype) for key, value in values.items()})
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for key, value in outputs.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response


@pytest.fixture(scope="module")
def address(tiny_export):
    """Where the export is served."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Server(tiny_export.signatures), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"localhost:{port}"
    server.stop(None)


@pytest.fixture(scope="module")
def shop(tiny_export):
    return mmrec.load(tiny_export.result.export_dir)


def instance(shop, name):
    """The only row of a ready REST request, its inputs by name."""
    body = json.loads((shop.path / f"mmrec/requests/{name}.json").read_text(encoding="utf-8"))
    assert body["signature_name"] == name
    (row,) = body["instances"]
    return row


def expected(shop, name):
    """The answer of `mmrec.load` to the sample request; outputs by name."""
    row = instance(shop, name)
    ids = lambda key: [[item for item in row[key] if item]]  # noqa: E731
    if name == "embed_query":
        return {"embedding": shop.embed_queries(ids("history"))}
    if name == "embed_item":
        table = pd.DataFrame([row | {"image_bytes": base64.b64decode(row["image_bytes"]["b64"])}])
        return {"embedding": shop.embed_items(table), "status": np.zeros(1)}
    if name == "similar":
        answers = shop.similar([row["item_id"]], k=row["k"])
    elif name == "recommend":
        answers = shop.recommend(ids("history"), row["k"], ids("exclude"), ids("include"), ids("filter"))
    else:
        answers = shop.recommend(ids("history"), k=7)
    return {"item_ids": answers.item_ids, "scores": answers.scores}


def rest(signatures, body):
    """Answers a REST body in either form: `b64` objects are decoded, rows are stacked, no input may be left out."""

    def plain(value):
        if isinstance(value, list):
            return [plain(one) for one in value]
        return base64.b64decode(value["b64"], validate=True) if isinstance(value, dict) else value

    function = signatures[body["signature_name"]]
    spec = function.structured_input_signature[1]
    columns = body.get("inputs") or {key: [row[key] for row in body["instances"]] for key in body["instances"][0]}
    assert set(columns) == set(spec)
    return function(**{key: tf.constant(plain(value), spec[key].dtype) for key, value in columns.items()})


def assert_same(actual, wanted):
    assert set(actual) == set(wanted)
    for key, value in wanted.items():
        if key == "item_ids":
            assert actual[key].astype(str).tolist() == value.tolist()
        else:
            np.testing.assert_allclose(actual[key], value, atol=1e-5)


@pytest.mark.parametrize("name", SIGNATURES)
def test_ready_grpc_requests_get_the_answers_of_the_recommender(shop, address, name):
    text = (shop.path / f"mmrec/requests/{name}.pbtxt").read_text(encoding="utf-8")
    request = text_format.Parse(text, predict_pb2.PredictRequest())
    assert (request.model_spec.name, request.model_spec.signature_name) == ("sample_shop", name)
    with grpc.insecure_channel(address) as channel:
        response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=60)
    assert_same({key: tf.make_ndarray(value) for key, value in response.outputs.items()}, expected(shop, name))


@pytest.mark.parametrize("name", SIGNATURES)
def test_ready_rest_requests_get_the_answers_of_the_recommender(shop, tiny_export, name):
    row = instance(shop, name)
    for body in ({"instances": [row]}, {"inputs": {key: [value] for key, value in row.items()}}):
        actual = rest(tiny_export.signatures, {"signature_name": name} | body)
        assert_same({key: value.numpy() for key, value in actual.items()}, expected(shop, name))


def test_the_ready_request_asks_for_something(shop):
    answers = expected(shop, "recommend")
    assert answers["item_ids"].shape == (1, 10)
    assert set(shop.items.set_index("item_id").loc[answers["item_ids"][0], "category"]) == {
        instance(shop, "recommend")["filter"][1].removeprefix("category=")
    }


def test_rows_filled_up_with_their_first_value_as_servers_do_get_the_same_answers(shop, tiny_export):
    # TensorFlow Serving, batching_util.cc: a narrower request is padded with its first value, not with "".
    row = instance(shop, "recommend")
    wide = {key: value + value[:1] * 5 if isinstance(value, list) else value for key, value in row.items()}
    assert wide["history"][-5:] == [""] * 5
    narrow, padded = (
        rest(tiny_export.signatures, {"signature_name": "recommend", "instances": [one]}) for one in (row, wide)
    )
    assert narrow["item_ids"].numpy().tolist() == padded["item_ids"].numpy().tolist()


def test_the_grpc_example_of_the_model_card_runs(shop, address, monkeypatch, capsys):
    card = (shop.path / "mmrec/README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    monkeypatch.chdir(shop.path)
    exec(compile(code.replace("localhost:8500", address), "README.md", "exec"), {})
    wanted = expected(shop, "recommend")["item_ids"][0]
    assert capsys.readouterr().out.strip() == str([item.encode() for item in wanted])


def test_the_model_card_says_what_the_model_is_and_how_good(shop):
    card = (shop.path / "mmrec/README.md").read_text(encoding="utf-8")
    test, baselines = shop.manifest["metrics"]["test"], shop.manifest["metrics"]["baselines"]
    low, high = test["ndcg@10_ci95"]
    assert f"| this model | {test['ndcg@10']:.4f} [{low:.4f}, {high:.4f}] |" in card
    assert f"| popularity | {baselines['popularity']['test']['ndcg@10']:.4f} [" in card
    for text in ("* items: 150\n", "* users: 250\n", "* modalities: image, text, item_id\n", "cold items", "## Limits"):
        assert text in card
    assert all(f"| `{name}` |" in card for name in SIGNATURES)
    assert str(shop.path.parent.parent) not in card


def test_the_server_settings_are_what_servers_read(shop):
    text = (shop.path / "mmrec/serving/models.config").read_text()
    (model,) = text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("sample_shop", "/models/sample_shop", "tensorflow")
    batching = (shop.path / "mmrec/serving/batching.config").read_text()
    lines = [line for line in batching.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z_]+( \{ value: \d+ \}|: true)", line) for line in lines)
    assert "pad_variable_length_inputs: true" in lines


def test_samples_stay_small_whatever_the_items_are(shop):
    sizes = {path.name: path.stat().st_size for path in (shop.path / "mmrec/requests").iterdir()}
    assert len(sizes) == 2 * len(SIGNATURES)
    assert max(sizes.values()) < 20_000
