"""Writes sample requests to TensorFlow Serving, one per signature: JSON for REST, text proto for gRPC."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.export.signatures.signature import Served
from mmrec.export.warm_up import predict_request

_LARGEST_FILE, _LONGEST_TEXT = 4096, 200  # bytes, characters: samples are for reading


def write_requests(folder: Path, model: str, served: Mapping[str, Served], photos: Collection[str] = ()) -> None:
    """Writes `mmrec/requests/<signature>.json` and `.pbtxt`.

    Rows of several strings begin with "": a server that batches requests of different widths fills up the narrower ones
    with their first value (TensorFlow Serving, batching_util.cc), and refuses widths of 0.

    Args:
      folder: the version folder.
      model: the name that the server knows the model by.
      served: the signatures by name. In their examples, large photos are replaced by a small grey one and missing
        numbers by 0 (JSON has no NaN); other files and texts are shortened.
      photos: the inputs that are photos.
    """
    from google.protobuf import text_format

    (folder / schema.REQUESTS).mkdir(parents=True)
    for name, one in served.items():
        inputs = {key: _sample(key, value, key in photos) for key, value in one.example.items()}
        body = {"signature_name": name, "instances": [{key: _json(key, value) for key, value in inputs.items()}]}
        path = folder / schema.REQUESTS / f"{name}.json"
        path.write_text(json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        request = predict_request(model, name, one, inputs)
        path.with_suffix(".pbtxt").write_text(text_format.MessageToString(request), encoding="utf-8")


def _sample(key: str, value: np.ndarray, is_photo: bool) -> np.ndarray:
    if key in (schema.HISTORY_TIME, schema.HISTORY_EVENT):  # in the columns of the history, which begins with ""
        value = np.concatenate([np.zeros_like(value[:, :1]) if value.dtype != object else [[""]], value], axis=1)
        return np.nan_to_num(value) if value.dtype != object else value
    if value.dtype in (np.float32, np.float64):
        return np.where(np.isfinite(value), value, value.dtype.type(0))
    if is_photo:
        return np.vectorize(_small, otypes=[object])(value)
    if key.endswith("_bytes"):  # the beginning of a recording is a recording too
        return np.vectorize(lambda one: (one or b"")[:_LARGEST_FILE], otypes=[object])(value)
    if value.ndim == 2 and value.dtype == object:
        return np.concatenate([np.array([[""]], object), value[value != ""][np.newaxis]], axis=1)
    if value.dtype == object and key != schema.ID:
        return np.array([value[0][:_LONGEST_TEXT]], object)
    return value


def _small(encoded: bytes | str) -> bytes:
    if len(encoded) > _LARGEST_FILE:
        return tf.io.encode_png(tf.fill([32, 32, 3], tf.constant(128, tf.uint8))).numpy()
    return encoded or b""


def _json(key: str, value: np.ndarray) -> object:
    """Returns the only row of an input as TensorFlow Serving's REST interface takes it."""
    row = value[0].tolist() if isinstance(value[0], np.ndarray | np.generic) else value[0]
    if not key.endswith("_bytes"):
        return row
    encoded = [{"b64": base64.b64encode(one).decode()} for one in (row if isinstance(row, list) else [row])]
    return encoded if isinstance(row, list) else encoded[0]
