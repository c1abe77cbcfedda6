"""A small trained and exported model, with what training knew of it."""

from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf

import mmrec
import mmrec.jobs.train as job
from mmrec.data.ragged import Ragged
from mmrec.data.shop_tables import Tables
from mmrec.index.item_table import ItemTable
from mmrec.modalities.prepared import Prepared

MAX_LENGTH = 6
SETTINGS = {
    "data": {"catalog": {"filters": ["category"]}},
    "item": {
        "dim": 16,
        "image": {"size": 32, "weights": None},
        "text": {"embedding_dim": 8, "units": 8, "max_tokens": 8, "vocabulary_size": 500},
    },
    "query": {"max_length": MAX_LENGTH},
    "training": {"epochs": 2},
    "evaluation": {"bootstrap_samples": 50},
    "export": {"k": 7},
}


@dataclass(frozen=True)
class TinyExport:
    """The export, and the model that training handed to it.

    Attributes:
      shop: folder of the sample shop.
      result: what `mmrec.train` returned.
      tables, prepared, table: as in `jobs.export.export_model`.
      embed_queries: see `jobs.judge.EmbedQueries`.
      signatures: the serving functions of the reloaded export.
    """

    shop: Path
    result: mmrec.TrainResult
    tables: Tables
    prepared: Prepared
    table: ItemTable
    embed_queries: object
    signatures: dict

    @property
    def ids(self) -> list[str]:
        """Item ids by row; row 0 is ""."""
        return self.tables.vocabulary.ids.tolist()

    def ask(self, signature: str, **inputs) -> dict[str, np.ndarray]:
        """Calls a signature with nested lists (empty ones need a NumPy array); rows not given are empty."""
        spec = self.signatures[signature].structured_input_signature[1]
        rows = len(next(iter(inputs.values())))
        inputs = {
            name: np.zeros([rows, 0], object)
            for name in spec
            if spec[name].shape.rank == 2 and spec[name].dtype == tf.string
        } | inputs
        tensors = {
            name: tf.reshape(tf.constant(np.ravel(value).tolist(), spec[name].dtype), np.shape(value))
            for name, value in inputs.items()
        }
        return {name: value.numpy() for name, value in self.signatures[signature](**tensors).items()}

    def best(self, rows: list[int], k: int, exclude: set[int]) -> tuple[list[bytes], np.ndarray]:
        """Returns the best k answers to a history of item rows and their scores, by training's model and a sort."""
        scores = (self.embed_queries(self.table, Ragged.of([rows])) @ self.table.scored.T)[0]
        order = [row for row in np.argsort(-scores, kind="stable") if row > 0 and row not in exclude][:k]
        return [self.ids[row].encode() for row in order], scores[order]


def train_tiny_export(folder: Path) -> TinyExport:
    """Trains and exports; everything is written below `folder`."""
    config = mmrec.write_sample_shop(folder / "shop", "tiny")
    places = {"runs_dir": folder / "runs", "saved_models_dir": folder / "saved_models", "data.cache_dir": folder / "c"}
    with mock.patch.object(job, "export_model", wraps=job.export_model) as export:
        result = mmrec.train(config, **places, **SETTINGS)
    _, tables, prepared, embedder, table, _ = export.call_args.args
    signatures = tf.saved_model.load(str(result.export_dir)).signatures
    return TinyExport(folder / "shop", result, tables, prepared, table, embedder.queries, signatures)
