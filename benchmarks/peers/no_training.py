"""Contestants that count: popularity, and item-to-item neighbours with and without titles."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np
from scipy import sparse

from benchmarks.peers.measured import Measured
from benchmarks.peers.problem import Problem
from benchmarks.scale import Stages
from mmrec.data.item_knn import ItemKNN
from mmrec.data.ragged import Ragged
from mmrec.evaluation.baselines import Popularity

WEIGHTS = (0.003, 0.01, 0.03, 0.1, 0.3)  # of titles beside co-occurrences, tried on validation
NEAREST = 200  # titles kept per item


def popularity(problem: Problem) -> Measured:
    """Ranks by the number of training events."""
    stages = Stages()
    with stages.stage("train"):
        scorer = Popularity(np.bincount(problem.training.values, minlength=problem.items + 1))
    return Measured(**_of(stages), metrics=problem.judge(lambda queries: scorer))


def item_knn(problem: Problem) -> Measured:
    """Ranks by `ItemKNN`, with its defaults."""
    stages = Stages()
    with stages.stage("train"):
        fitted = ItemKNN().fit(problem.training, problem.items)
    return Measured(**_of(stages), metrics=problem.judge(lambda queries: fitted.scorer(queries.history)))


def item_knn_titles(problem: Problem) -> Measured:
    """Ranks by `ItemKNN` whose similarity has that of the titles added, by a weight that is chosen on validation."""
    stages = Stages()
    with stages.stage("train"):
        fitted, titles = ItemKNN().fit(problem.training, problem.items), nearest_titles(problem.titles)

        def scorer_of(weight: float):
            similarity = (fitted.similarity + np.float32(weight) * titles).tocsr()
            both = replace(fitted, similarity=similarity)
            return lambda queries: both.scorer(queries.history)

        scorers = {weight: scorer_of(weight) for weight in WEIGHTS}
        weight = problem.choose(scorers)
    return Measured(**_of(stages), metrics=problem.judge(scorers[weight]), said={"title_weight": weight})


def nearest_titles(titles: list[str]) -> sparse.csr_array:
    """Returns float32 [N + 1, N + 1]: in row i, the cosines of the titles nearest to item i's, by TF-IDF."""
    words = [Counter(re.findall(r"\w+", title.lower())) for title in titles]
    number = {word: place for place, word in enumerate(dict.fromkeys(word for title in words for word in title))}
    rows = Ragged.of([[], *([number[word] for word in title] for title in words)])
    counts = np.array([count for title in words for count in title.values()], np.float32)
    rarity = np.log(len(titles) / np.bincount(rows.values, minlength=len(number))).astype(np.float32)
    shape = (len(rows), len(number))
    weighted = sparse.csr_array(((1 + np.log(counts)) * rarity[rows.values], rows.values, rows.offsets), shape=shape)
    length = np.maximum(np.sqrt(weighted.multiply(weighted).sum(axis=1)), 1e-9)
    vectors = (sparse.diags_array((1 / length).astype(np.float32)) @ weighted).tocsr()  # [N + 1, words]
    parts = []
    for start in range(0, len(rows), 512):
        cosine = (vectors[start : start + 512] @ vectors.T).toarray()
        cosine[np.arange(len(cosine)), start + np.arange(len(cosine))] = 0  # no item is its own neighbour
        bar = np.partition(cosine, -NEAREST, axis=1)[:, -NEAREST, None]
        parts.append(sparse.csr_array(np.where(cosine >= bar, cosine, 0)))
    return sparse.vstack(parts, format="csr")


def _of(stages: Stages) -> dict[str, float]:
    return {name: stages.figures["train"][name] for name in ("seconds", "peak_bytes")}
