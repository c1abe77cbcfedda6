import numpy as np
import pytest
from scipy import sparse

from mmrec.data.factors import truncated_svd


def test_a_matrix_of_low_rank_is_found_whole():
    rng = np.random.default_rng(0)
    whole = (rng.normal(size=(80, 3)) * [5, 2, 1]) @ rng.normal(size=(3, 60))
    left, values, right = truncated_svd(sparse.csr_array(whole.astype(np.float32)), 3, 0)
    assert (left.shape, values.shape, right.shape) == ((80, 3), (3,), (60, 3))
    np.testing.assert_allclose(left * values @ right.T, whole, atol=1e-3)
    np.testing.assert_allclose(left.T @ left, np.eye(3), atol=1e-4)
    np.testing.assert_allclose(values, np.linalg.svd(whole)[1][:3], rtol=1e-4)


def test_the_largest_values_come_first_and_equal_numpys():
    whole = np.random.default_rng(1).normal(size=(300, 200)).astype(np.float32) ** 3
    values = truncated_svd(sparse.csr_array(whole), 5, 0)[1]
    np.testing.assert_allclose(values, np.linalg.svd(whole)[1][:5], rtol=2e-3)


def test_what_a_small_matrix_lacks_is_zero():
    left, values, right = truncated_svd(sparse.csr_array(np.diag([3.0, 2.0]).astype(np.float32)), 4, 0)
    np.testing.assert_allclose(values, [3, 2, 0, 0], atol=1e-5)
    assert not left[:, 2:].any()
    assert not right[:, 2:].any()


@pytest.mark.parametrize("seed", [1, 2])
def test_signs_do_not_depend_on_the_seed(seed):
    whole = sparse.csr_array((np.arange(48.0).reshape(8, 6) ** 2 % 17).astype(np.float32))
    for one, other in zip(truncated_svd(whole, 2, 0), truncated_svd(whole, 2, seed), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)
