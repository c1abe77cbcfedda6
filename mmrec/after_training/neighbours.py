"""Adds item-kNN factors to the embeddings: fitted on training, weighted on validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mmrec.after_training.fitted import Fitted
from mmrec.after_training.late_fusion import fusion_weights
from mmrec.config import Config
from mmrec.data.factors import singular_vectors, sketch
from mmrec.data.item_knn import ItemKNN, Neighbours
from mmrec.data.shop_tables import Tables
from mmrec.data.splits import Queries
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer
from mmrec.modalities.names import TEXT
from mmrec.towers.neighbours import NeighbourCandidate, NeighbourQuery
from mmrec.training.embedder import Embedder

_DECAYS = (0.7, 0.9, 0.95)  # per item back in a history; the last basket may have many items
_MOST_QUERIES = 10000  # validation queries that weights are chosen on


def add_neighbours(config: Config, tables: Tables, fitted: Fitted) -> Fitted:
    """Appends neighbour factors, and `latent` texts if the model reads them, to the embeddings of a trained model.

    The factors are those of item-kNN on the training events. The singular vectors and the random directions (see
    `sketch`) of factors and of texts have one weight each. The weights with the best validation NDCG@10 are chosen, and
    before them the decay over a history, for item-kNN alone; test is not read. Training does not use the factors, as
    they count the very pairs of items that it predicts.

    Args:
      config: `retrieval.neighbours`, `item.text`, `query.max_length` and `seed` are read.
      tables: the data.
      fitted: the trained model.

    Returns:
      Towers and neighbours together; or the towers alone if these are better: then all weights are 0. The report has
      `rank`, `history_decay`, `weight`, `random_weight`, `text_weight` and `random_text_weight`; there is none without
      `retrieval.neighbours`.
    """
    if not config.retrieval.neighbours:
        return fitted
    embedder, features = fitted.embedder, fitted.prepared.features
    items, train = fitted.items, tables.split.train
    rank = min(config.retrieval.neighbours, items)  # the matrix has no more directions
    validation = tables.split.validation.sample(_MOST_QUERIES, config.seed)
    knn = ItemKNN(own=not config.leaves_out_history).fit(train.rows, items, train.time)
    similarity, decay = knn.similarity, _best_decay(knn, validation, items)
    directions = sketch(similarity, rank, config.seed)  # [N + 1, R]
    rows = np.append(0, np.flatnonzero(tables.train_counts))  # by item_id_row
    read, scored = (similarity @ directions)[rows], directions[rows]  # [T + 1, R]

    def towers(weight: np.ndarray | float, text_weight: np.ndarray | float) -> Embedder:
        candidate = NeighbourCandidate(embedder.candidate_tower, weight * scored, read, text_weight)
        query = NeighbourQuery(embedder.query_tower, candidate.tower.fusion.output_dim, rank, decay)
        return Embedder(candidate, query, config.query.max_length, embedder.users)

    text = config.item.text
    beside = towers(1.0, float(TEXT in config.item.modalities and text.encoder == "latent"))
    table = beside.item_table(features, items)
    asked = beside.queries(table, validation.history, validation.context)
    dim, width = embedder.candidate_tower.fusion.output_dim, table.scored.shape[1]
    texts = width - dim - rank
    text_split, rank_split = dim + singular_vectors(texts, text.latent_dim), dim + texts + singular_vectors(rank)
    parts = {
        "weight": slice(dim + texts, rank_split),
        "random_weight": slice(rank_split, width),
        "text_weight": slice(dim, text_split),
        "random_text_weight": slice(text_split, dim + texts),
    }
    there = {name: part for name, part in parts.items() if part.start < part.stop}
    scorers = [embedding_scorer(asked[:, part], table.scored[:, part]) for part in (slice(dim), *there.values())]
    chosen = dict.fromkeys(parts, 0.0)
    chosen |= zip(there, fusion_weights(scorers, validation, items)[1:].tolist(), strict=True)
    weights = np.zeros(width, np.float32)
    for name, part in parts.items():
        weights[part] = chosen[name]
    together = towers(weights[dim + texts :], weights[dim : dim + texts]) if weights.any() else None
    return fitted.with_step("neighbours", {"rank": rank, "history_decay": decay} | chosen, together)


def _best_decay(knn: Neighbours, validation: Queries, items: int) -> float:
    """Returns the best history decay of item-kNN, by item: an export does not know the baskets of a history."""

    def ndcg(decay: float) -> float:
        scorer = replace(knn, history_decay=decay).scorer(validation.history)
        return evaluate(scorer, validation, items, (10,), bootstrap_samples=0, top_k=0).metrics["ndcg@10"]

    return max(_DECAYS, key=ndcg)
