"""Trains many models on one data set, whose tables and features are prepared once. Import `common` before it."""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass

import mmrec  # isort: skip  (before TensorFlow)
import numpy as np
import tf_keras

from mmrec.after_training.feature_mapping import map_features
from mmrec.after_training.fitted import Fitted
from mmrec.data.features import FeatureSource, JoinedFeatures
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.build import build_model
from mmrec.jobs.judge import validation_judge
from mmrec.jobs.prepare import examples, prepare
from mmrec.jobs.resolve import resolve
from mmrec.jobs.tables import load_tables
from mmrec.modalities.prepared import Prepared
from mmrec.models.two_tower import TwoTowerModel
from mmrec.training.embedder import Embedder
from mmrec.training.run_folder import RunFolder
from mmrec.training.trainer import fit


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes:
      model: with the weights of its best epoch.
      prepared: the modalities that it reads.
      embedder: its inference side.
      unmapped: the same without the mapping of unknown ids; None: there is no such mapping.
      epoch_seconds: median over the epochs after the first, without validation.
    """

    model: TwoTowerModel
    prepared: Prepared
    embedder: Embedder
    unmapped: Embedder | None
    epoch_seconds: float

    @property
    def parameters(self) -> int:
        """Numbers that training changes."""
        return sum(int(np.prod(variable.shape)) for variable in self.model.trainable_variables)


class Shop:
    """A data set whose features are prepared once, with `seed` 0 and all modalities of the config.

    Args:
      config: names every modality that a model may read; photo backbones must be frozen.
    """

    def __init__(self, config: mmrec.Config):
        self.config, self.tables = config, load_tables(config)
        self.prepared = prepare(resolve(config, self.tables), self.tables)

    def train(self, seed: int, **changes) -> Trained:
        """Trains a model; `changes` are config values by dotted key, of model and training only."""
        with tempfile.TemporaryDirectory() as folder:
            config = resolve(mmrec.Config.load(self.config, seed=seed, runs_dir=folder, **changes), self.tables)
            used = {name: self.prepared.modalities[name] for name in config.item.modalities}
            features = JoinedFeatures({name: modality.source for name, modality in used.items()})
            prepared, clock = Prepared(used, features), _EpochSeconds()
            model, items = build_model(config, prepared, self.tables), self.tables.vocabulary.items
            embedder = self._embedder(model)
            batches = examples(config, self.tables, prepared.features, model)
            judge = validation_judge(
                config, self.tables, lambda: embedder.item_table(prepared.features, items), embedder.queries
            )
            with contextlib.redirect_stderr(io.StringIO()), RunFolder.open(config, "benchmark") as run:
                fit(model, batches, judge, config, run, [clock])
            mapped = map_features(config, self.tables, Fitted(prepared, model, embedder, items)).embedder
        unmapped = embedder if mapped is not embedder else None
        return Trained(model, prepared, mapped, unmapped, statistics.median(clock.seconds[1:] or clock.seconds))

    def _embedder(self, model: TwoTowerModel) -> Embedder:
        return Embedder(model.candidate_tower, model.query_tower, self.config.query.max_length)

    def ndcg(self, trained: Trained, hidden: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
        """Returns float64 [Q], NDCG@10 of each test query.

        Args:
          trained: the model.
          hidden: bool [N + 1] by modality, items that lack it now.
        """
        sources, test = dict(trained.prepared.features.sources), self.tables.split.test
        for name, items in (hidden or {}).items():
            sources[name] = _Hidden(sources[name], items)
        items = self.tables.vocabulary.items
        table = trained.embedder.item_table(JoinedFeatures(sources), items)
        scorer = embedding_scorer(trained.embedder.queries(table, test.history), table.scored)
        return evaluate(scorer, test, items, (10,), bootstrap_samples=0, top_k=0).per_query["ndcg@10"]


class _Hidden(FeatureSource):
    """A feature source without the features of some items (bool [N + 1]): they read those of row 0, which has none."""

    def __init__(self, source, items: np.ndarray):
        self._source, self._items, self.longest = source, items, source.longest

    def rows(self, rows, draw=None):
        return self._source.rows(np.where(self._items[rows], 0, rows), draw)


class _EpochSeconds(tf_keras.callbacks.Callback):
    """Measures from the begin of each epoch to the end of its last step."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self._begin = time.perf_counter()
        self.seconds.append(0.0)

    def on_train_batch_end(self, batch, logs=None):
        self.seconds[-1] = time.perf_counter() - self._begin
