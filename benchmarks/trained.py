"""Trains many models on one data set, whose tables and features are prepared once. Import `common` before it."""

from __future__ import annotations

import contextlib
import dataclasses
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
from mmrec.data.features import FeatureSource, JoinedFeatures
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.build import build_model
from mmrec.jobs.judge import validation_judge
from mmrec.jobs.prepare import Prepared, examples, prepare
from mmrec.jobs.tables import load_tables
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
      epoch_seconds: median over the epochs after the first, without validation.
    """

    model: TwoTowerModel
    prepared: Prepared
    embedder: Embedder
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
        self.prepared = prepare(config, self.tables)

    def train(self, seed: int, **changes) -> Trained:
        """Trains a model; `changes` are config values by dotted key, of model and training only."""
        with tempfile.TemporaryDirectory() as folder:
            config = mmrec.Config.load(self.config, seed=seed, runs_dir=folder, **changes)
            used = {name: self.prepared.modalities[name] for name in config.item.modalities}
            features = JoinedFeatures({name: modality.source for name, modality in used.items()})
            prepared = Prepared(used, features, self.prepared.competing)
            model, clock = build_model(config, prepared), _EpochSeconds()
            embedder = self._embedder(model)
            batches, items = examples(config, self.tables, prepared.features), self.tables.vocabulary.items
            judge = validation_judge(
                config, self.tables, lambda: embedder.item_table(prepared.features, items), embedder.queries
            )
            with contextlib.redirect_stderr(io.StringIO()), RunFolder.open(config, "benchmark") as run:
                fit(model, batches, judge, config, run, [clock])
            map_features(config, self.tables, embedder, prepared.features)
        return Trained(model, prepared, self._embedder(model), statistics.median(clock.seconds[1:] or clock.seconds))

    def unmapped(self, trained: Trained) -> Trained:
        """Takes the mapping of unknown ids away from a model."""
        trained.model.candidate_tower.mapping = None
        return dataclasses.replace(trained, embedder=self._embedder(trained.model))

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
