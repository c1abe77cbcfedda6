"""Neighbours beside the towers: fitted on training, weighed on validation."""

from __future__ import annotations

import numpy as np

from mmrec import schema
from mmrec.config import Config
from mmrec.data.factors import truncated_svd
from mmrec.data.features import FeatureSource
from mmrec.data.splits import Queries
from mmrec.evaluation.baselines import ItemKNN
from mmrec.evaluation.late_fusion import fusion_weights
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.jobs.tables import Tables
from mmrec.towers.neighbours import NeighbourCandidate, NeighbourQuery
from mmrec.training.embedder import Embedder

_MOST_QUERIES = 10000  # of validation that weights are chosen on


def with_neighbours(
    config: Config, tables: Tables, embedder: Embedder, features: FeatureSource
) -> tuple[Embedder, dict[str, float]]:
    """Puts neighbour factors, and fitted texts where the model reads them, beside what a trained model embeds.

    The factors are those of item-kNN on the training events. Their weight and that of the texts are those with the best
    validation NDCG@10; test is not read. Training does not see the factors: a pair of items that it asks for is counted
    in them.

    Args:
      config: `retrieval.neighbours`, `item.text.encoder`, `query.max_length`, `seed`.
      tables: the data.
      embedder: of the trained model.
      features: of the items, `item_id_row` among them.

    Returns:
      The embedder of towers and neighbours together, and what was found: `rank`, `weight` and `text_weight`. Weights
      are 0, and the embedder that of the towers alone, where they are better so.
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
    scorers = [embedding_scorer(asked[:, part], table[:, part]) for part in parts[: 3 if reads_texts else 2]]
    weight, text_weight = [*fusion_weights(scorers, validation, items)[1:].tolist(), 0.0][:2]
    about = {"rank": rank, "weight": weight, "text_weight": text_weight}
    return towers(weight, text_weight) if weight or text_weight else embedder, about


def _some(queries: Queries, seed: int) -> Queries:
    places = np.random.default_rng(seed).permutation(len(queries.user))[:_MOST_QUERIES]
    return queries.take(np.sort(places))
