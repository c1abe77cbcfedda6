import numpy as np
import pytest

from mmrec.evaluation.intervals import difference_ci95, mean_ci95


def test_an_interval_of_a_coin_is_that_of_the_normal_law():
    values = np.tile([0.0, 1.0], 200)  # mean 0.5, standard error 0.5 / sqrt(400) = 0.025
    low, high = mean_ci95(values, samples=4000, seed=1)
    assert low == pytest.approx(0.451, abs=0.004)
    assert high == pytest.approx(0.549, abs=0.004)


def test_an_interval_holds_the_mean_of_every_metric():
    values = np.random.default_rng(0).random((3, 50))
    low, high = mean_ci95(values)
    assert low.shape == high.shape == (3,)
    assert (low < values.mean(axis=1)).all()
    assert (values.mean(axis=1) < high).all()


def test_all_metrics_share_the_same_resamples():
    values = np.random.default_rng(0).random(40)
    low, high = mean_ci95(np.stack([values, 2 * values]), samples=100)
    np.testing.assert_allclose([2 * low[0], 2 * high[0]], [low[1], high[1]])


def test_the_same_seed_gives_the_same_interval_whatever_the_memory():
    values = np.random.default_rng(0).random(40)
    whole = mean_ci95(values, samples=50, seed=3)
    seven_at_once = mean_ci95(values, samples=50, seed=3, most_bytes=8 * 40 * 7)
    np.testing.assert_allclose(seven_at_once, whole, rtol=1e-12)
    assert mean_ci95(values, samples=50, seed=4) != whole


def test_identical_results_differ_by_exactly_zero():
    values = np.random.default_rng(0).random((2, 40))
    low, high = difference_ci95(values, values)
    assert low.tolist() == high.tolist() == [0.0, 0.0]


def test_a_paired_difference_is_sharper_than_its_parts():
    theirs = np.tile([0.0, 0.5], 50)
    low, high = difference_ci95(theirs + 0.1, theirs)
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)


def test_results_of_other_queries_are_refused():
    with pytest.raises(ValueError, match=r"same queries. Received shapes: \[3\] and \[4\]"):
        difference_ci95(np.zeros(3), np.zeros(4))


def test_no_query_is_refused():
    with pytest.raises(ValueError, match="at least one query"):
        mean_ci95(np.zeros((2, 0)))
