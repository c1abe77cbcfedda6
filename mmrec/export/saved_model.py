"""Writes a version folder, complete and checked, or none at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.errors import writing
from mmrec.export.lint import lint_operations
from mmrec.export.model_card import write_model_card
from mmrec.export.requests import write_requests
from mmrec.export.server_config import write_server_config
from mmrec.export.serving_module import Parts, ServingModule
from mmrec.export.signatures.names import serve
from mmrec.export.signatures.signature import Sample, Served
from mmrec.export.warm_up import write_warm_up
from mmrec.locks import locked
from mmrec.manifest import Input, Interface
from mmrec.paths import literal_folder
from mmrec.version import __version__

TOLERANCE = 1e-4  # largest difference of an embedding's value: batch sizes change the last bits
_PACKAGES = ("tensorflow", "tensorflow-text", "tf_keras", "keras-nlp", "tensorflow-recommenders", "numpy")


@dataclass(frozen=True)
class Samples:
    """Items and histories on which a written version is compared with the model.

    Attributes:
      rows: int [S], some item rows.
      items: the raw fields of these items by signature input, str or bytes objects [S].
      histories: str objects [H, L], some histories, shortest first; "" pads.
      queries: float32 [H, D], the model's query embeddings of the histories.
      context: what is known beside the histories, by signature input; first dimension H.
      rounding: float32 [S], how far the stored values of each item may differ from the model's, on top of `TOLERANCE`.
    """

    rows: np.ndarray
    items: Mapping[str, np.ndarray]
    histories: np.ndarray
    queries: np.ndarray
    context: Mapping[str, np.ndarray] = field(default_factory=dict)
    rounding: np.ndarray | float = 0.0

    def example(self) -> Sample:
        """Returns the history, context and item that example requests are made of."""
        context = {name: values[-1:] for name, values in self.context.items()}
        return Sample(self.histories[-1:], context, {name: values[:1] for name, values in self.items.items()})


def write_version(
    folder: Path,
    parts: Parts,
    payload: pd.DataFrame,
    interface: Interface,
    manifest: Mapping,
    samples: Samples,
    key: str | None = "saved_models_dir",
    delisted: Sequence[str] = (),
) -> Path:
    """Exports a model as the next version under `folder`.

    The version is written to a temporary folder, loaded again and compared with the model before it gets its name. If
    the process is killed before that, no server will load anything of it. Two processes that export to the same folder
    take turns. A run exports once: if it is killed after that and continued, it finds its version and keeps it. The
    same holds for a refresh while its version is the newest.

    Args:
      folder: `saved_models/<name>`.
      parts: the model and its items.
      payload: one row per item, in row order: `item_id`, `digest`, and the columns that are shown beside an answer.
      interface: what the model reads.
      manifest: further entries of the manifest, beside those of the interface, versions, signatures and checksums;
        `run` is the key of the run. The model card is made from them.
      samples: items and histories that the version must embed as the model does.
      key: the config key that sets `folder`; None: no key of the job sets it.
      delisted: ids of the items that earlier versions had and this one no longer has.

    Returns:
      The version folder.

    Raises:
      InputError: the folder cannot be written, a signature cannot be used, or a layer uses operations that a server
        lacks.
      RuntimeError: the reloaded export embeds or answers differently from the model, or fails.
    """
    with _turn(folder, key):
        written = _version_of(folder, manifest.get("run"), newest="refresh" in manifest)
        if written:
            return written
        aside = folder / ".writing"
        shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
        try:
            module = ServingModule(parts)
            served = serve(module, samples.example())
            tf.saved_model.save(module, str(aside), signatures={name: one.function for name, one in served.items()})
            libraries = lint_operations(aside)
            write_warm_up(aside, served)
            photos = [field.input for field in interface.fields if field.max_pixels is not None]
            write_requests(aside, folder.name, served, photos)
            write_server_config(aside, folder.name)
            write_model_card(aside, folder.name, served, interface, manifest)
            payload.to_parquet(aside / schema.ITEMS, index=False)
            if len(delisted):
                pd.DataFrame({schema.ID: delisted}).to_parquet(aside / schema.DELISTED, index=False)
            _compare(aside, parts, samples, served)
            described = {
                "format_version": schema.FORMAT_VERSION,
                "versions": {"mmrec": __version__} | {name: version(name) for name in _PACKAGES},
                **manifest,
                "signatures": {name: sorted(one.inputs) for name, one in served.items()},
                "inputs": {name: _inputs(one) for name, one in served.items()},
                "libraries": libraries,
                **interface.stated(),
                "sha256": checksums(aside),
            }
            (aside / schema.MANIFEST).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
            versions = [int(child.name) for child in folder.iterdir() if child.name.isdecimal()]
            return aside.rename(folder / str(max(versions, default=0) + 1))
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _version_of(folder: Path, run: str | None, newest: bool) -> Path | None:
    """Returns the version that the run has written, or None; with `newest` only the latest version counts."""
    versions = sorted((int(child.name), child) for child in folder.iterdir() if child.name.isdecimal())
    for _, path in reversed(versions[-1 if newest else 0 :] if run else []):
        try:
            if json.loads((path / schema.MANIFEST).read_text(encoding="utf-8"))["run"] == run:
                return path
        except (OSError, ValueError, KeyError, TypeError):  # not our export, or one from before runs had a key
            continue
    return None


def checksums(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 (hexadecimal) of every file of a version except the manifest, by relative path."""
    sums = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != schema.MANIFEST:
            with open(path, "rb") as file:
                sums[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums


def _inputs(served: Served) -> dict[str, dict]:
    """Returns the inputs of a signature as the manifest states them."""
    return {name: asdict(Input(spec.dtype.name, spec.shape.as_list())) for name, spec in sorted(served.inputs.items())}


def _compare(aside: Path, parts: Parts, samples: Samples, served: Mapping[str, Served]) -> None:
    """Checks that the written version embeds as the model does, answers its examples, and only with its own items."""
    with literal_folder(aside) as folder:
        loaded = tf.saved_model.load(str(folder)).signatures
    fields = {name: tf.constant(values.tolist()) for name, values in samples.items.items()}
    beside = parts.model.context_inputs
    query = {name: tf.constant(samples.context[name].tolist(), beside[name].dtype) for name in beside}
    query["history"] = tf.constant(samples.histories.tolist())
    items = loaded[schema.EMBED_ITEM](**fields)["embedding"].numpy()
    asked = loaded[schema.EMBED_QUERY](**query)["embedding"].numpy()
    far = np.abs(items - parts.table.scored[samples.rows]) - np.reshape(samples.rounding, [-1, 1])
    for name, apart in (("item", far), ("query", np.abs(asked - samples.queries))):
        difference = float(apart.max(initial=0.0))
        if not difference <= TOLERANCE:
            raise RuntimeError(f"the reloaded export's {name} embeddings differ from the model's by {difference:.2g}.")
    for name, one in served.items():
        asked = {key: tf.constant(one.example[key].tolist(), spec.dtype) for key, spec in one.inputs.items()}
        try:
            loaded[name](**asked)
        except (tf.errors.OpError, TypeError, ValueError) as error:
            raise RuntimeError(f"the reloaded export's `{name}` does not answer its example: {error}") from error
    answers = loaded[schema.SERVING_DEFAULT](**query)["item_ids"].numpy()
    unknown = set(answers.ravel().tolist()) - {item.encode() for item in parts.ids}
    if unknown:
        raise RuntimeError(f"the reloaded export answers with ids that the catalog lacks: {sorted(unknown)[:3]}.")


@contextmanager
def _turn(folder: Path, key: str | None) -> Iterator[None]:
    """Waits until no other process writes to the folder, and keeps others waiting until the block ends."""
    with writing(folder, key):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock"):
            yield
