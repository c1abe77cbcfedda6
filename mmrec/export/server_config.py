"""Writes sample settings for TensorFlow Serving, to start from."""

from __future__ import annotations

from pathlib import Path

from mmrec import schema

_MODELS = """# tensorflow_model_server --model_config_file=models.config
model_config_list {
  config {
    name: "%s"
    base_path: "/models/%s"
    model_platform: "tensorflow"
    model_version_policy { latest { num_versions: 1 } }
  }
}
"""

_BATCHING = """# tensorflow_model_server --enable_batching --batching_parameters_file=batching.config
max_batch_size { value: 64 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 256 }
num_batch_threads { value: 4 }
# Requests of different widths share a batch: the narrower ones are filled up with their own first value. Begin every
# row of `history`, `exclude`, `include` and `filter` with "", so that this value has no effect. Widths of 0 are
# refused.
pad_variable_length_inputs: true
"""


def write_server_config(folder: Path, model: str) -> None:
    """Writes `mmrec/serving/models.config` and `batching.config` below the version folder, for this model's name."""
    place = folder / schema.SERVER_CONFIG
    place.mkdir(parents=True)
    (place / "models.config").write_text(_MODELS % (model, model), encoding="utf-8")
    (place / "batching.config").write_text(_BATCHING, encoding="utf-8")
