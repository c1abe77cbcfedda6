"""Maps id vectors for items without events from their other modalities; the weight is chosen on validation."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec.after_training.fitted import Fitted
from mmrec.config import Config
from mmrec.data.features import Draw, Features, FeatureSource
from mmrec.data.shop_tables import Tables
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.modalities.names import ITEM_ID
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.feature_mapping import FeatureMapping, MappedCandidate, mapped_from
from mmrec.traced import traced
from mmrec.training.embedder import Embedder, specs

_STRENGTHS = 2.0 ** np.arange(-3, 2.5, 0.5)  # strengths to try; above 1 too, as regressions make short vectors
_HIDDEN = 0.1  # share of the items with training events whose ids are hidden to choose the strength
_MOST_HIDDEN = 10_000  # items; each is embedded again for every strength
_LOSS = 0.02  # largest share of their NDCG@10 that answers with visible ids may lose
_RIDGE = 0.01  # added to the diagonal, as a share of its mean
_MOST_QUERIES = 5000  # validation queries
_BATCH = 1024  # items whose vectors are computed at once


def map_features(config: Config, tables: Tables, fitted: Fitted) -> Fitted:
    """Gives items with an unknown id a vector that fits their other modalities.

    A model that saw every item's id in training ranks an item without one behind all others. A ridge regression
    predicts the id vector from the vectors of the other modalities; items count by their number of events. The strength
    of the predicted vector is chosen with the ids of a tenth of the items hidden (at most 10,000): these shall rank
    best on validation, while other answers lose at most 2% of their NDCG@10. Test is not read.

    Args:
      config: `item.item_id.mapping`, `query.max_length` and `seed` are read.
      tables: the data.
      fitted: the trained model.

    Returns:
      The model with the mapping added, unless the best `strength` is 0. The report has `strength`, and the validation
      NDCG@10 of answers with hidden ids and of others, before and after. There is no report if there is no other
      modality to map from, or if no validation query has a hidden item as answer.
    """
    embedder, features, items = fitted.embedder, fitted.prepared.features, fitted.items
    tower, counts = fitted.model.candidate_tower, tables.train_counts
    if not config.item.item_id.mapping or ITEM_ID not in tower.towers or len(tower.towers) < 2:
        return fitted
    trained = np.random.default_rng(config.seed).permutation(np.flatnonzero(counts))
    hidden, shown = np.split(trained, [min(max(1, round(_HIDDEN * len(trained))), _MOST_HIDDEN)])
    asked = tables.split.validation.sample(_MOST_QUERIES, config.seed)
    if not len(shown) or not np.isin(asked.relevant.values, hidden).any():
        return fitted
    item_table = fitted.item_table()
    table = item_table.scored  # [N + 1, D]
    queries = embedder.queries(item_table, asked.history, asked.context)
    is_hidden = np.isin(np.arange(items + 1), hidden)

    def ndcg(embedder: Embedder) -> tuple[float, float]:
        table[hidden] = embedder.item_table(_IdsHidden(features, hidden), len(hidden)).scored[1:]
        slices = {"hidden": is_hidden, "others": ~is_hidden}
        judged = evaluate(
            embedding_scorer(queries, table), asked, items, (10,), item_slices=slices, bootstrap_samples=0, top_k=0
        )
        return tuple(judged.slices[name].get("ndcg@10", 0.0) for name in slices)

    def with_mapping(mapping: FeatureMapping) -> Embedder:
        mapped = MappedCandidate(tower, mapping)
        return Embedder(mapped, embedder.query_tower, config.query.max_length, embedder.users)

    before = ndcg(embedder)
    place = [*tower.towers].index(ITEM_ID)
    sums = [_sums(tower, place, features, rows, counts) for rows in (shown, hidden)]
    tried = FeatureMapping(place, _solved(*sums[0]))
    mapped, best, after = with_mapping(tried), 0.0, before
    for strength in _STRENGTHS:
        tried.strength.assign(strength)
        reached = ndcg(mapped)
        if reached[0] > after[0] and reached[1] >= (1 - _LOSS) * before[1]:
            best, after = float(strength), reached
    everything = _solved(*(sum(one) for one in zip(*sums, strict=True)))
    names = ("hidden_ndcg@10_before", "others_ndcg@10_before", "hidden_ndcg@10", "others_ndcg@10")
    report = {"strength": best} | dict(zip(names, (*before, *after), strict=True))
    return fitted.with_step("mapping", report, with_mapping(FeatureMapping(place, everything, best)) if best else None)


class _IdsHidden(FeatureSource):
    """The features of some items, as rows 1, 2, ..., with their ids hidden."""

    def __init__(self, source: FeatureSource, rows: np.ndarray):
        self._source, self._rows, self.longest = source, np.append(0, rows), source.longest

    def rows(self, rows: np.ndarray, draw: Draw | None = None) -> Features:
        features = self._source.rows(self._rows[rows], draw)
        return {**features, "item_id_row": np.zeros_like(features["item_id_row"])}


def _sums(
    tower: CandidateTower, place: int, source: FeatureSource, rows: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns float64 [P, P] and [P, D], the normal equations of the regression over these items."""

    def parts(features, weight):
        _, vectors, present = tower.encode(features)
        inputs = tf.cast(mapped_from(place, vectors, present), tf.float64)
        wanted = tf.cast(vectors[place], tf.float64)
        weighted = inputs * weight
        return tf.matmul(weighted, inputs, transpose_a=True), tf.matmul(weighted, wanted, transpose_a=True)

    graph = traced(parts, [specs(source.rows(rows[:1]), source.longest), tf.TensorSpec([None, 1], tf.float64)])
    squares, products = 0.0, 0.0
    for start in range(0, len(rows), _BATCH):
        some = rows[start : start + _BATCH]
        more = graph(source.rows(some), counts[some, np.newaxis].astype(np.float64))
        squares, products = squares + more[0].numpy(), products + more[1].numpy()
    return squares, products


def _solved(squares: np.ndarray, products: np.ndarray) -> np.ndarray:
    """Returns float64 [P, D], the weights of the ridge regression."""
    ridge = max(_RIDGE * np.diag(squares).mean(), 1e-12) * np.eye(len(squares))
    return np.linalg.solve(squares + ridge, products)
