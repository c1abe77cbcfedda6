"""Converts arrays that were learnt on a catalog to the bytes of a small file, and back."""

from __future__ import annotations

import io

import numpy as np


def arrays_to_bytes(**arrays: np.ndarray) -> bytes:
    """Returns arrays by name as an `.npz` file.

    >>> bytes_to_arrays(arrays_to_bytes(mean=np.array([0.5, 2.0])))["mean"].tolist()
    [0.5, 2.0]
    """
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def bytes_to_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Returns the arrays that `arrays_to_bytes` wrote."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
