import numpy as np
import pytest
from scipy import sparse

from mmrec.data.factors import sketch, truncated_svd


def test_a_matrix_of_low_rank_is_recovered_whole():
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


def test_a_sketch_keeps_the_largest_exactly_and_the_rest_on_average():
    whole = np.diag([9, 8, 2, 1, 1, 1]).astype(np.float32) + np.float32(0.5)
    matrix = sparse.csr_array(whole)
    products = []
    for seed in range(400):
        factors = sketch(matrix, 5, seed, singular=2)
        assert factors.shape == (6, 5)
        products.append(matrix @ factors @ factors.T)
    left, values, right = truncated_svd(matrix, 2, 0)
    # Along the two largest singular vectors nothing varies; elsewhere only the mean is right.
    np.testing.assert_allclose(np.array(products) @ right, np.tile(left * values, (400, 1, 1)), atol=1e-3)
    np.testing.assert_allclose(np.mean(products, axis=0), whole, atol=0.25)
    assert np.abs(left * values @ right.T - whole).max() > 0.8
    assert np.std(products, axis=0).max() > 0.5


@pytest.mark.parametrize(("rank", "least", "exact"), [(3, 0, 3), (4, 0, 3), (8, 0, 4), (5, 4, 4), (2, 4, 2)])
def test_a_sketch_begins_with_singular_vectors(rank, least, exact):
    matrix = sparse.csr_array(np.diag(np.arange(9.0, 0, -1)).astype(np.float32))
    factors, right = sketch(matrix, rank, 0, least, singular=3), truncated_svd(matrix, 9, 0)[2]
    assert factors.shape == (9, rank)
    np.testing.assert_allclose(factors[:, :exact], right[:, :exact], atol=1e-4)
    np.testing.assert_allclose(right[:, :exact].T @ factors[:, exact:], 0, atol=1e-5)
    assert (np.abs(factors[:, exact:]).max(axis=0) > 0.1).all()


def test_what_singular_vectors_hold_whole_leaves_nothing_to_the_random_ones():
    factors = sketch(sparse.csr_array(np.diag([3.0, 2.0]).astype(np.float32)), 5, 0, singular=3)
    np.testing.assert_allclose(factors @ factors.T, np.eye(2), atol=1e-5)
    assert not factors[:, 2].any()
    np.testing.assert_allclose(factors[:, 3:], 0, atol=1e-5)
