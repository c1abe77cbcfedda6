import numpy as np
import pytest

from mmrec.data.similarity import mean_cosine


@pytest.mark.parametrize(
    ("vectors", "expected"),
    [
        ([[3, 4], [6, 8]], 1.0),
        ([[1, 0], [0, 2]], 0.0),
        ([[1, 0], [-1, 0]], -1.0),
        ([[5, 0], [3, 4], [0, 1]], (0.6 + 0.0 + 0.8) / 3),
        ([[1, 0], [0, 0], [1, 0]], 1 / 3),  # zeros are similar to nothing
        ([[1, 0]], 0.0),
    ],
)
def test_the_mean_cosine_is_over_pairs_of_different_vectors(vectors, expected):
    assert mean_cosine(np.array(vectors, np.float32)) == pytest.approx(expected, abs=1e-6)
