import numpy as np
import pytest

from mmrec.comparing.models import compare_models
from mmrec.evaluation.intervals import difference_ci95


def test_means_and_difference_are_those_of_the_values():
    a = [[[0.0, 0.5, 1.0], [0.5, 0.5, 0.5]]]  # one metric, two seeds, three users: 0.5
    b = [[[1.0, 0.5, 0.75]]]  # one seed: 0.75
    comparison = compare_models(a, b)
    assert (comparison.a.tolist(), comparison.b.tolist(), comparison.difference.tolist()) == ([0.5], [0.75], [0.25])


def test_a_model_that_is_better_for_every_user_alike_is_better_for_sure():
    a = np.tile([0.0, 0.5], 20)[None, None]
    comparison = compare_models(a, a + 0.125)
    assert comparison.low.tolist() == pytest.approx([0.125])
    assert comparison.high.tolist() == pytest.approx([0.125])
    assert comparison.probability.tolist() == [1.0]
    assert compare_models(a + 0.125, a).probability.tolist() == [0.0]


def test_the_same_values_differ_by_exactly_zero_and_neither_is_better():
    values = np.random.default_rng(0).random((3, 1, 50))
    comparison = compare_models(values, values)
    assert comparison.low.tolist() == comparison.high.tolist() == [0.0, 0.0, 0.0]
    assert comparison.probability.tolist() == [0.5, 0.5, 0.5]


def test_gains_and_losses_of_equal_size_leave_it_open():
    gain = np.tile([0.1, -0.1], 200)  # standard error of the mean difference: 0.1 / sqrt(400) = 0.005
    a = np.full((1, 1, 400), 0.5)
    comparison = compare_models(a, a + gain, samples=4000)
    assert comparison.low[0] == pytest.approx(-0.0098, abs=0.0008)
    assert comparison.high[0] == pytest.approx(0.0098, abs=0.0008)
    assert comparison.probability[0] == pytest.approx(0.5, abs=0.03)


def test_a_gain_of_two_standard_errors_is_probable_as_the_normal_law_says():
    gain = np.tile([0.1, -0.1], 200) + 0.01
    a = np.full((1, 1, 400), 0.5)
    comparison = compare_models(a, a + gain, samples=4000)
    assert comparison.low[0] > 0
    assert comparison.probability[0] == pytest.approx(0.977, abs=0.01)


def test_with_one_seed_a_side_the_interval_is_the_paired_one_over_users():
    a, b = np.random.default_rng(0).random((2, 3, 60))
    comparison = compare_models(a[:, None], b[:, None], samples=200, seed=7)
    low, high = difference_ci95(b, a, samples=200, seed=7)
    np.testing.assert_allclose(comparison.low, low, atol=1e-12)
    np.testing.assert_allclose(comparison.high, high, atol=1e-12)


def test_seeds_that_disagree_widen_the_interval_by_their_unbiased_variance():
    # Every user has the same value, so users add nothing: seeds 0.1, 0.2, 0.3 have a variance of 0.01, their mean of
    # 0.01 / 3. Two of the three are drawn: the means of the nine pairs are 0.1, 0.15 (twice), 0.2 (three times), 0.25
    # (twice) and 0.3, with the variance (2 * 0.1**2 + 4 * 0.05**2) / 9 = 0.01 / 3.
    a = np.full((1, 1, 30), 0.2)
    b = np.repeat([0.1, 0.2, 0.3], 30).reshape(1, 3, 30)
    comparison = compare_models(a, b, samples=9000)
    assert comparison.difference[0] == pytest.approx(0.0)
    assert comparison.low[0] == pytest.approx(-0.1)  # a ninth of the resamples, more than 2.5%
    assert comparison.high[0] == pytest.approx(0.1)
    assert comparison.probability[0] == pytest.approx(0.5, abs=0.02)  # 3 of 9 are ties
    one = compare_models(a, b[:, 2:], samples=100)
    assert [one.low[0], one.high[0]] == pytest.approx([0.1, 0.1])


def test_seeds_of_the_two_models_are_drawn_apart():
    seeds = np.repeat([0.1, 0.3], 30).reshape(1, 2, 30)
    comparison = compare_models(seeds, seeds, samples=2000)
    assert comparison.low[0] == pytest.approx(-0.2)
    assert comparison.high[0] == pytest.approx(0.2)


def test_values_of_other_users_are_refused():
    with pytest.raises(ValueError, match=r"Received: \[1, 1, 3\] and \[1, 1, 4\]"):
        compare_models(np.zeros((1, 1, 3)), np.zeros((1, 1, 4)))
