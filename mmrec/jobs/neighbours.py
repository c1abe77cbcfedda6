"""Neighbours beside the towers: fitted on training, weighed on validation."""

from __future__ import annotations

import numpy as np

from mmrec.config import Config
from mmrec.data.factors import truncated_svd
from mmrec.data.features import FeatureSource
from mmrec.data.splits import Queries
from mmrec.evaluation.baselines import ItemKNN
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.tables import Tables
from mmrec.towers.neighbours import NeighbourCandidate, NeighbourQuery
from mmrec.training.embedder import Embedder

_MOST_QUERIES = 5000  # of validation that each weight is tried on
_STEPS = 2.0 ** np.arange(-4, 5)  # weights tried, as multiples of that which makes both parts vary alike


def with_neighbours(
    config: Config, tables: Tables, embedder: Embedder, features: FeatureSource
) -> tuple[Embedder, dict[str, float]]:
    """Puts neighbour factors beside what a trained model embeds.

    The factors are those of item-kNN on the training events, and their weight is the one with the best validation
    NDCG@10; test is not read. Training does not see them: a pair of items that it asks for is counted in them.

    Args:
      config: `retrieval.neighbours`, `query.max_length`, `seed`.
      tables: the data.
      embedder: of the trained model.
      features: of the items, `item_id_row` among them.

    Returns:
      The embedder of towers and neighbours together, and what was found: `rank`, `weight`, and the NDCG@10 with it. The
      weight is 0, and the embedder that of the towers alone, where they are better so.
    """
    items, train, rank = tables.vocabulary.items, tables.split.train, config.retrieval.neighbours
    knn = ItemKNN(own=config.retrieval.repeat_consumption)
    similarity = knn.fit(train.rows, items, train.time).similarity
    left, values, right = truncated_svd(similarity, rank, config.seed)
    read, scored = left * values, right  # [N + 1, R]
    validation = _some(tables.split.validation, config.seed)

    def towers(weight: float) -> Embedder:
        rows = np.append(0, np.flatnonzero(tables.train_counts))  # by item_id_row
        candidate = NeighbourCandidate(embedder.candidate_tower, weight * scored[rows], read[rows])
        query = NeighbourQuery(embedder.query_tower, candidate.tower.fusion.output_dim, rank, knn.history_decay)
        return Embedder(candidate, query, config.query.max_length)

    beside = towers(1.0)
    table = beside.item_table(features, items)
    asked = beside.queries(table, validation.history)
    dim = asked.shape[1] - rank

    def ndcg(weight: float) -> float:
        scale = np.repeat([1.0, weight], [dim, rank]).astype(np.float32)
        scorer = embedding_scorer(asked * scale, table[:, : dim + rank])
        return evaluate(scorer, validation, items, (10,), bootstrap_samples=0, top_k=0).metrics["ndcg@10"]

    some = slice(0, 200)
    spread = [float((asked[some, part] @ table[1:, part].T).std()) for part in (slice(dim), slice(dim, dim + rank))]
    tried = {0.0: ndcg(0.0)} | {float(step): ndcg(step) for step in _STEPS * spread[0] / max(spread[1], 1e-12)}
    best = max(tried, key=tried.__getitem__)
    found = {"rank": rank, "weight": best, "validation_ndcg@10": tried[best]}
    return towers(best) if best else embedder, found


def _some(queries: Queries, seed: int) -> Queries:
    places = np.random.default_rng(seed).permutation(len(queries.user))[:_MOST_QUERIES]
    return queries.take(np.sort(places))
