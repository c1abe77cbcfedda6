"""Small queries for the tests of evaluation."""

import numpy as np

from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries


def make_queries(relevant, seen=None, history=None, dropped=None):
    """Makes queries of users 0, 1, ... from lists of rows; by default nothing is seen and histories are empty."""
    empty = [[] for _ in relevant]
    return Queries(
        np.arange(len(relevant), dtype=np.int32),
        Ragged.of(empty if history is None else history),
        Ragged.of(empty if seen is None else seen),
        Ragged.of(relevant),
        dropped or {},
    )


def random_queries(generator, queries, items, most_relevant):
    """Makes random queries, scores [Q, N + 1] with many ties, and histories."""
    relevant, seen = [], []
    for _ in range(queries):
        rows = generator.permutation(items) + 1
        answers, excluded = generator.integers(1, most_relevant + 1), generator.integers(0, 6)
        relevant.append(np.sort(rows[:answers]))
        seen.append(np.sort(rows[answers : answers + excluded]))
    scores = generator.integers(0, 12, (queries, items + 1)).astype(np.float32)
    return make_queries(relevant, seen, seen), scores
