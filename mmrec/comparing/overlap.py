"""Measures how the answers of two versions differ: agreement of two lists per user, and coverage of the catalog.

Lists are int32 [Q, K], K >= 1: item rows, best first, no row twice, 0 behind the last answer; rows are numbered over
the items of both versions.
"""

from __future__ import annotations

import numpy as np

PERSISTENCE = 0.9
"""The probability, in rank-biased overlap, that a reader goes on to the next answer; the first ten weigh 86%."""


def agreement(a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """Compares two lists per user.

    Args:
      a: int32 [Q, K].
      b: int32 [Q, K], of the same users.

    Returns:
      float64 [Q] each:
        overlap: answers in both, divided by the length of the longer list; 1 where both are empty.
        jaccard: answers in both, divided by answers in either; 1 where both are empty.
        rbo: see `rank_biased_overlap`.
        kendall_tau: see `kendall_tau`.
        changed: 1 where the lists differ in any place, else 0.
    """
    place = common_places(a, b)
    common = (place >= 0).sum(axis=1)
    length_a, length_b = (a > 0).sum(axis=1), (b > 0).sum(axis=1)
    return {
        "overlap": _share(common, np.maximum(length_a, length_b)),
        "jaccard": _share(common, length_a + length_b - common),
        "rbo": rank_biased_overlap(a, b),
        "kendall_tau": kendall_tau(place),
        "changed": (a != b).any(axis=1).astype(np.float64),
    }


def common_places(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns int64 [Q, K]: where in `b` each answer of `a` stands, counted from 0; -1 where it does not."""
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"`a` and `b` must both be [Q, K]. Received: {[*a.shape]} and {[*b.shape]}.")
    items = int(max(a.max(initial=0), b.max(initial=0))) + 1
    query = np.arange(len(a))[:, np.newaxis] * items
    at_a, at_b = np.flatnonzero(a), np.flatnonzero(b)
    # One number per user and item, so that one call intersects the lists of all users.
    of_a, of_b = (a + query).ravel()[at_a], (b + query).ravel()[at_b]
    _, first, second = np.intersect1d(of_a, of_b, assume_unique=True, return_indices=True)
    place = np.full(a.size, -1, np.int64)
    place[at_a[first]] = at_b[second] % a.shape[1]
    return place.reshape(a.shape)


def rank_biased_overlap(a: np.ndarray, b: np.ndarray, persistence: float = PERSISTENCE) -> np.ndarray:
    """Computes how much two rankings agree, the first places weighing most; 1 is full agreement.

    Beyond their ends the lists are assumed to agree as much as they do there. So a list that is the beginning of the
    other agrees with it fully. Two empty lists agree fully; an empty list and one with answers do not agree at all.

    Args:
      a: int32 [Q, K].
      b: int32 [Q, K], of the same users.
      persistence: p, above 0 and below 1; place d weighs in proportion to p ** d.

    Returns:
      float64 [Q], 0 to 1.

    Source: Webber et al., ACM TOIS 2010, doi:10.1145/1852102.1852106, equation 32 (extrapolated, uneven lists).
    """
    place = common_places(a, b)
    query, first = np.nonzero(place >= 0)
    met = np.zeros(a.shape)
    np.add.at(met, (query, np.maximum(first, place[query, first])), 1)
    met = met.cumsum(axis=1)  # [Q, K]: X_d, items among the first d of both
    lengths = np.stack([(a > 0).sum(axis=1), (b > 0).sum(axis=1)])  # [2, Q]
    short, long = lengths.min(axis=0), lengths.max(axis=0)
    users, least = np.arange(len(a)), np.maximum(short, 1)
    met_short = np.where(short > 0, met[users, least - 1], 0.0)
    met_long = met[users, np.maximum(long, 1) - 1]
    agreed = met_short / least  # [Q], at the end of the shorter list

    depth = np.arange(1, a.shape[1] + 1)  # [K]
    beyond = np.maximum(depth - short[:, np.newaxis], 0)
    terms = (met + agreed[:, np.newaxis] * beyond) / depth * persistence**depth
    terms = np.where(depth <= long[:, np.newaxis], terms, 0.0).sum(axis=1)
    rest = ((met_long - met_short) / np.maximum(long, 1) + agreed) * persistence**long
    return np.where(long > 0, (1 - persistence) / persistence * terms + rest, 1.0)


def kendall_tau(place: np.ndarray) -> np.ndarray:
    """Computes how much two lists agree in the order of the answers that both have.

    Args:
      place: int64 [Q, K], as `common_places` returns it.

    Returns:
      float64 [Q]: pairs in the same order less pairs in the opposite one, divided by all pairs; NaN where the lists
      share fewer than two answers.
    """
    common = place >= 0
    first = np.argsort(~common, axis=1, kind="stable")  # [Q, K]: answers of both first; the others change nothing
    behind = place.shape[1] + np.arange(place.shape[1])
    rank = np.take_along_axis(np.where(common, place, behind), first, axis=1).argsort(axis=1).argsort(axis=1)
    count = common.sum(axis=1)
    pairs = count * (count - 1) // 2
    return np.where(pairs > 0, 1 - 2 * _inversions(rank) / np.maximum(pairs, 1), np.nan)


def _inversions(rank: np.ndarray) -> np.ndarray:
    """Counts the pairs in which the greater rank comes first, bit by bit, so that memory grows with K and not K * K.

    Args:
      rank: int64 [Q, K], 0 to K - 1 in any order.

    Returns:
      int64 [Q].
    """
    count, at = np.zeros(len(rank), np.int64), np.arange(rank.shape[1])
    for bit in range((rank.shape[1] - 1).bit_length()):
        # Sorted so, ranks with the same higher bits are neighbours in their old order, and fill the places that have
        # these higher bits too.
        order = np.argsort(rank >> (bit + 1), axis=1, kind="stable")
        one = np.take_along_axis(rank, order, axis=1) >> bit & 1  # [Q, K]
        before = one.cumsum(axis=1) - one
        count += ((before - before[:, at >> (bit + 1) << (bit + 1)]) * (1 - one)).sum(axis=1)
    return count


def mean_of_answers(lists: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns float64 [Q], the mean of `values` [Q, K] over the answers in `lists`; NaN where there are none."""
    answered = lists > 0
    total = np.where(answered, values, 0.0).sum(axis=1)
    return np.where(answered.any(axis=1), total / np.maximum(answered.sum(axis=1), 1), np.nan)


def coverage(shown: np.ndarray, items: int) -> dict[str, float]:
    """Computes how much of a catalog was shown, and how evenly.

    Args:
      shown: int [N], how often each item was answered.
      items: number of items in the version's own catalog.

    Returns:
      coverage: share of the catalog that was answered at least once, 0 to 1.
      effective_items: exp of the entropy of the answers. So many items, all answered equally often, would be as mixed;
        0 without answers.
    """
    shown = shown[shown > 0].astype(np.float64)
    share = shown / shown.sum()
    effective = float(np.exp(-(share * np.log(share)).sum())) if len(shown) else 0.0
    return {"coverage": len(shown) / items, "effective_items": effective}


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), 1.0)
