"""The largest singular vectors of a large sparse matrix."""

from __future__ import annotations

import numpy as np
from scipy import sparse

_MORE = 32  # vectors beyond those asked for, which make these exact
_ROUNDS = 4  # products with the matrix and its transpose


def truncated_svd(matrix: sparse.csr_array, rank: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Computes the largest singular values with their vectors, approximately.

    Args:
      matrix: float32 [R, C].
      rank: K, how many; where the matrix has fewer rows or columns, the rest is 0.
      seed: of the random start.

    Returns:
      float32 [R, K], float32 [K], largest first, and float32 [C, K]: the matrix is about `left * values @ right.T`.

    Source: Halko et al., SIAM Review 2011, doi:10.1137/090771806, algorithms 4.4 and 5.1.
    """
    width = min(rank + _MORE, *matrix.shape)
    basis = matrix @ np.random.default_rng(seed).standard_normal((matrix.shape[1], width)).astype(np.float32)
    for _ in range(_ROUNDS):
        basis = matrix @ np.linalg.qr(matrix.T @ np.linalg.qr(basis)[0])[0]
    basis = np.linalg.qr(basis)[0]  # [R, W]
    left, values, right = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    kept = min(rank, width)
    # A singular vector's sign is arbitrary: the largest entry is made positive, so that runs agree.
    sign = np.sign(right[np.arange(kept), np.abs(right[:kept]).argmax(axis=1)])
    found = [(basis @ left[:, :kept]) * sign, values[:kept], right[:kept].T * sign]
    wider = [(0, rank - kept)]
    padded = [np.pad(part, [(0, 0)] * (part.ndim - 1) + wider) for part in found]
    return tuple(part.astype(np.float32) for part in padded)
