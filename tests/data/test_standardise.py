import numpy as np

from mmrec.data.standardise import standardisation


def test_only_the_rows_named_count():
    values = np.array([[1, 7], [100, 100], [4, 7]], np.float32)
    mean, deviation = standardisation(values, np.array([0, 2]))
    assert (mean.tolist(), deviation.tolist()) == ([2.5, 7.0], [1.5, 1.0])  # 7 and 7 do not vary
    assert (mean.dtype, deviation.dtype) == (np.float32, np.float32)


def test_standardising_in_parts_is_the_same_as_all_at_once():
    values = np.random.default_rng(0).normal(3, 2, (50, 3)).astype(np.float32)
    mean, deviation = standardisation(values, np.arange(50), batch=7)
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, values.std(axis=0), rtol=1e-6)


def test_features_of_any_size_are_standardised_but_rounding_is_not():
    # Regression: MobileNet with random weights has features of 1e-22, all of them below an absolute bound.
    small = np.array([[1e-22], [3e-22]], np.float32)
    np.testing.assert_allclose(standardisation(small, np.arange(2)), [[2e-22], [1e-22]], rtol=1e-6)
    large = np.array([[1e6], [np.nextafter(np.float32(1e6), np.float32(2e6))]], np.float32)
    assert standardisation(large, np.arange(2))[1].tolist() == [1]
    assert standardisation(np.zeros((3, 1), np.float32), np.arange(3))[1].tolist() == [1]
