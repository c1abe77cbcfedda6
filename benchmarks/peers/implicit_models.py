"""The package implicit: alternating least squares and BM25 neighbours, with settings chosen on validation."""

from __future__ import annotations

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from scipy import sparse
from threadpoolctl import threadpool_limits

from benchmarks.peers.measured import Measured
from benchmarks.peers.problem import Problem
from benchmarks.scale import Stages
from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.evaluation.ranking import Scorer, embedding_scorer

ALPHAS = (1.0, 5.0, 20.0)  # confidence of an event, tried
NEIGHBOURS = (20, 100, 500)  # per item, tried
DIM = 64


def als(problem: Problem) -> Measured:
    """Factorises users times items; a test query has factors of its own, which the validation item moves."""
    stages = Stages()
    with stages.stage("train"), threadpool_limits(1, "blas"):  # as the package asks for
        events = _matrix(problem.training, problem.items)

        def scorer_of(alpha: float):
            model = AlternatingLeastSquares(DIM, alpha=alpha, random_state=0)
            model.fit(events, show_progress=False)

            def scorer(queries: Queries) -> Scorer:
                users = np.arange(len(queries.user))
                query = model.recalculate_user(users, _matrix(queries.history, problem.items))
                return embedding_scorer(query, model.item_factors)

            return scorer

        scorers = {alpha: scorer_of(alpha) for alpha in ALPHAS}
        alpha = problem.choose(scorers)
    seconds = stages.figures["train"]["seconds"]
    said = {"alpha": alpha, "fits": len(ALPHAS)}
    return Measured(seconds, stages.figures["train"]["peak_bytes"], problem.judge(scorers[alpha]), said=said)


def bm25(problem: Problem) -> Measured:
    """Ranks by neighbours in BM25 weights of the users."""
    stages = Stages()
    with stages.stage("train"):
        events = _matrix(problem.training, problem.items)

        def scorer_of(neighbours: int):
            model = BM25Recommender(K=neighbours)
            model.fit(events, show_progress=False)
            similarity = model.similarity.astype(np.float32)

            def scorer(queries: Queries) -> Scorer:
                asked = _matrix(queries.history, problem.items)
                return lambda places: (asked[places] @ similarity).toarray()

            return scorer

        scorers = {neighbours: scorer_of(neighbours) for neighbours in NEIGHBOURS}
        neighbours = problem.choose(scorers)
    seconds = stages.figures["train"]["seconds"]
    said = {"neighbours": neighbours, "fits": len(NEIGHBOURS)}
    return Measured(seconds, stages.figures["train"]["peak_bytes"], problem.judge(scorers[neighbours]), said=said)


def _matrix(rows: Ragged, items: int) -> sparse.csr_matrix:
    """Returns float32 [U, N + 1] with a 1 for each event."""
    ones = np.ones(len(rows.values), np.float32)
    return sparse.csr_matrix((ones, rows.values, rows.offsets), shape=(len(rows), items + 1))
