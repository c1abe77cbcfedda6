"""Writes requests that a server replays when it loads the model, so that the first user does not wait."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from mmrec.export.signatures.signature import Served


def write_warm_up(folder: Path, served: Mapping[str, Served]) -> None:
    """Writes one request per signature to `assets.extra/tf_serving_warmup_requests`.

    Args:
      folder: the version folder.
      served: the signatures by name.

    Source: TensorFlow Serving, "SavedModel Warmup".
    """
    from tensorflow_serving.apis import prediction_log_pb2

    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, one in served.items():
            log = prediction_log_pb2.PredictLog(request=predict_request("", name, one, one.example))
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def predict_request(model: str, name: str, served: Served, inputs: Mapping[str, np.ndarray]):
    """Returns a `PredictRequest` of TensorFlow Serving.

    Args:
      model: the name that the server knows the model by.
      name: the name of the signature.
      served: the signature.
      inputs: an array for each of its inputs, by name.
    """
    from tensorflow_serving.apis import model_pb2, predict_pb2

    request = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(name=model, signature_name=name))
    for key, spec in served.inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(inputs[key].tolist(), spec.dtype))
    return request
