"""Neighbours beside the towers: fitted on training, weighed on validation."""

from __future__ import annotations

import numpy as np

from mmrec import schema
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
_STEPS = np.append(0, 2.0 ** np.arange(-5, 5))  # weights tried, as multiples of that which makes both parts vary alike


def with_neighbours(
    config: Config, tables: Tables, embedder: Embedder, features: FeatureSource
) -> tuple[Embedder, dict[str, float]]:
    """Puts neighbour factors, and fitted texts where the model reads them, beside what a trained model embeds.

    The factors are those of item-kNN on the training events. Their weight and that of the texts are those with the best
    validation NDCG@10, one after the other; test is not read. Training does not see the factors: a pair of items that
    it asks for is counted in them.

    Args:
      config: `retrieval.neighbours`, `item.text.encoder`, `query.max_length`, `seed`.
      tables: the data.
      embedder: of the trained model.
      features: of the items, `item_id_row` among them.

    Returns:
      The embedder of towers and neighbours together, and what was found: `rank`, `weight`, `text_weight`, and the
      NDCG@10 with them. Weights are 0, and the embedder that of the towers alone, where they are better so.
    """
    items, train, rank = tables.vocabulary.items, tables.split.train, config.retrieval.neighbours
    knn = ItemKNN(own=config.retrieval.repeat_consumption)
    similarity = knn.fit(train.rows, items, train.time).similarity
    left, values, right = truncated_svd(similarity, rank, config.seed)
    rows = np.append(0, np.flatnonzero(tables.train_counts))  # by item_id_row
    read, scored = (left * values)[rows], right[rows]  # [T + 1, R]
    validation = _some(tables.split.validation, config.seed)

    def towers(weight: float, text_weight: float) -> Embedder:
        candidate = NeighbourCandidate(embedder.candidate_tower, weight * scored, read, text_weight)
        query = NeighbourQuery(embedder.query_tower, candidate.tower.fusion.output_dim, rank, knn.history_decay)
        return Embedder(candidate, query, config.query.max_length, embedder.users)

    reads_texts = schema.TEXT in config.item.modalities and config.item.text.encoder == "latent"
    beside = towers(1.0, float(reads_texts))
    table = beside.item_table(features, items)
    asked = beside.queries(table, validation.history, validation.context)
    dim, width = embedder.candidate_tower.fusion.output_dim, asked.shape[1]
    parts = [slice(dim), slice(width - rank, width), slice(dim, width - rank)]  # of the towers, factors, texts
    spread = [float((asked[:200, part] @ table[1:, part].T).std()) for part in parts]

    def ndcg(weights: np.ndarray) -> float:
        scale = np.repeat([1.0, weights[1], weights[0]], [dim, width - rank - dim, rank]).astype(np.float32)
        scorer = embedding_scorer(asked * scale, table[:, :width])
        return evaluate(scorer, validation, items, (10,), bootstrap_samples=0, top_k=0).metrics["ndcg@10"]

    best = np.zeros(2)
    reached = ndcg(best)
    for place in (0, 1, 0) if reads_texts else (0,):
        for step in _STEPS:
            weights = best.copy()
            weights[place] = step * spread[0] / max(spread[1 + place], 1e-12)
            if (found := ndcg(weights)) > reached:
                best, reached = weights, found
    weight, text_weight = best.tolist()
    about = {"rank": rank, "weight": weight, "text_weight": text_weight, "validation_ndcg@10": reached}
    return towers(weight, text_weight) if best.any() else embedder, about


def _some(queries: Queries, seed: int) -> Queries:
    places = np.random.default_rng(seed).permutation(len(queries.user))[:_MOST_QUERIES]
    return queries.take(np.sort(places))
