"""Sample requests are valid JSON whatever fields their item lacks."""

import base64
import json

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2

from mmrec.export.requests import write_requests
from mmrec.export.signatures.signature import Served

SPECS = {
    "features": tf.TensorSpec([None, 3], tf.float32),
    "price": tf.TensorSpec([None], tf.float32),
    "text": tf.TensorSpec([None], tf.string),
    "image_bytes": tf.TensorSpec([None, None], tf.string),
    "audio_bytes": tf.TensorSpec([None], tf.string),
}


def refuse(name):
    raise AssertionError(f"{name} is no JSON")


def written(folder, **values):
    """Writes the request for one item, given without its batch axis; returns its instance and its gRPC request."""
    function = tf.function(lambda **raw: {"found": raw["price"]}).get_concrete_function(
        **{name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in SPECS.items()}
    )
    value = {
        "features": np.zeros((1, 3), np.float32),
        "price": np.float32([2.5]),
        "text": np.array(["red"], object),
        "image_bytes": np.array([[b"photo"]], object),
        "audio_bytes": np.array([b""], object),
    } | values
    write_requests(folder, "shop", {"embed_item": Served(function, value, "")}, photos=["image_bytes"])
    path = folder / "mmrec" / "requests" / "embed_item"
    (instance,) = json.loads(path.with_suffix(".json").read_text(), parse_constant=refuse)["instances"]
    return instance, text_format.Parse(path.with_suffix(".pbtxt").read_text(), predict_pb2.PredictRequest())


def test_missing_numbers_are_zeros_in_both_forms(tmp_path):
    instance, request = written(tmp_path, features=np.float32([[np.nan, 1.5, -np.inf]]), price=np.float32([np.nan]))
    assert (instance["features"], instance["price"]) == ([0.0, 1.5, 0.0], 0.0)
    assert tf.make_ndarray(request.inputs["features"]).tolist() == [[0.0, 1.5, 0.0]]
    assert tf.make_ndarray(request.inputs["price"]).tolist() == [0.0]


def test_several_photos_are_each_encoded_and_large_ones_small_grey_pictures(tmp_path):
    instance, request = written(tmp_path, image_bytes=np.array([[b"photo", b"x" * 5000]], object))
    first, second = (base64.b64decode(one["b64"]) for one in instance["image_bytes"])
    assert first == b"photo"
    assert tf.io.decode_png(second).numpy().tolist() == [[[128] * 3] * 32] * 32
    assert tf.make_ndarray(request.inputs["image_bytes"]).tolist() == [[first, second]]


def test_texts_are_cut_and_files_that_are_not_there_are_empty(tmp_path):
    instance, _ = written(tmp_path, text=np.array(["é" * 300], object))
    assert instance["text"] == "é" * 200
    assert instance["audio_bytes"] == {"b64": ""}
