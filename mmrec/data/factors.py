"""Factors of a large sparse matrix: a truncated SVD, and a sketch that keeps rare rows too."""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse

_MORE = 32  # further vectors, which make the wanted ones exact
_ROUNDS = 4  # products with the matrix and its transpose
SINGULAR = 512
"""Number of directions in a sketch above which random ones help: with fewer, they are mostly noise."""


def truncated_svd(matrix: sparse.csr_array, rank: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Computes the largest singular values with their vectors, approximately.

    Args:
      matrix: float32 [R, C].
      rank: K, the number of singular values; where the matrix has fewer rows or columns, the rest is 0.
      seed: seed of the random start.

    Returns:
      left float32 [R, K], values float32 [K] (largest first) and right float32 [C, K]; the matrix is about
      `left * values @ right.T`.

    Source: Halko et al., SIAM Review 2011, doi:10.1137/090771806, algorithms 4.4 and 5.1.
    """
    width = min(rank + _MORE, *matrix.shape)
    basis = matrix @ np.random.default_rng(seed).standard_normal((matrix.shape[1], width)).astype(np.float32)
    for _ in range(_ROUNDS):
        basis = matrix @ _apart(matrix.T @ _apart(basis))
    basis = linalg.qr(basis, mode="economic", check_finite=False)[0]  # [R, W]
    left, values, right = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    kept = min(rank, width)
    # A singular vector's sign is arbitrary: the largest entry is made positive, so that runs agree.
    sign = np.sign(right[np.arange(kept), np.abs(right[:kept]).argmax(axis=1)])
    factors = [(basis @ left[:, :kept]) * sign, values[:kept], right[:kept].T * sign]
    wider = [(0, rank - kept)]
    padded = [np.pad(part, [(0, 0)] * (part.ndim - 1) + wider) for part in factors]
    return tuple(part.astype(np.float32) for part in padded)


def _apart(basis: np.ndarray) -> np.ndarray:
    """Returns vectors with the same span that are well apart; this is cheaper than orthogonal vectors."""
    return linalg.lu(basis, permute_l=True, check_finite=False)[0]


def sketch(matrix: sparse.csr_array, rank: int, seed: int, exact: int = 0, singular: int = SINGULAR) -> np.ndarray:
    """Finds K directions that preserve the similarities of a matrix's rows, those of rare ones too.

    With K singular vectors, `matrix @ directions @ directions.T` would be the best approximation of the matrix, but
    everything rare would be lost. Here the first directions are singular vectors, and the others are random within what
    those leave out: they keep all of it, with noise whose mean over seeds is zero.

    Args:
      matrix: float32 [R, C].
      rank: K, the number of directions.
      seed: seed of the random directions.
      exact: least number of singular vectors, at most K.
      singular: see `singular_vectors`.

    Returns:
      float32 [C, K].

    Source: random projection after Achlioptas, JCSS 2003, doi:10.1016/S0022-0000(03)00025-4; an exact and a random part
      as in Meyer et al., SOSA 2021, arXiv:2010.09649 (Hutch++), there for traces.
    """
    exact = singular_vectors(rank, exact, singular)
    right = truncated_svd(matrix, exact, seed)[2]
    random = np.random.default_rng(seed).standard_normal((len(right), rank - exact), np.float32)
    random /= np.float32(max(1, rank - exact) ** 0.5)
    return np.concatenate([right, random - right @ (right.T @ random)], axis=1)


def singular_vectors(rank: int, exact: int = 0, singular: int = SINGULAR) -> int:
    """Returns how many directions of a sketch are singular vectors.

    Args:
      rank: the number of directions.
      exact: least number of singular vectors.
      singular: number of directions up to which all are singular vectors; of more than twice as many, half are.
    """
    return min(rank, max(exact, singular, rank // 2))
