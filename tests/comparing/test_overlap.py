"""Measures of two lists, on lists short enough to count by hand."""

import itertools
import tracemalloc

import numpy as np
import pytest
from scipy.stats import kendalltau

from mmrec.comparing.overlap import (
    agreement,
    common_places,
    coverage,
    kendall_tau,
    mean_of_answers,
    rank_biased_overlap,
)
from mmrec.comparing.streamed_means import Resamples, StreamedMeans
from mmrec.comparing.sums import BOTH, DriftSums, user_values
from mmrec.evaluation.intervals import mean_ci95

A = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 0, 0], [0, 0, 0], [0, 0, 0]], np.int32)
B = np.array([[1, 2, 3], [3, 2, 1], [1, 4, 5], [2, 1, 0], [4, 0, 0], [0, 0, 0]], np.int32)


def test_lists_agree_by_what_they_share_and_by_its_order():
    alike = agreement(A, B)
    np.testing.assert_allclose(alike["overlap"], [1, 1, 1 / 3, 1 / 2, 0, 1])
    np.testing.assert_allclose(alike["jaccard"], [1, 1, 1 / 5, 1 / 2, 0, 1])
    np.testing.assert_allclose(alike["kendall_tau"], [1, -1, np.nan, np.nan, np.nan, np.nan])
    np.testing.assert_allclose(alike["changed"], [0, 1, 1, 1, 1, 0])


def test_the_places_of_common_answers_are_told_per_user():
    assert common_places(A, B).tolist() == [[0, 1, 2], [2, 1, 0], [0, -1, -1], [1, -1, -1], [-1] * 3, [-1] * 3]
    with pytest.raises(ValueError, match=r"both be \[Q, K\]"):
        common_places(A, B[:, :2])


def test_rank_biased_overlap_is_equation_32():
    # p = 1/2, so (1 - p) / p = 1. Common items among the first 1, 2, 3 places: 1, 2, 3 | 0, 1, 3 | 1, 1, 1.
    expected = [
        1 / 2 + 1 / 4 + 1 / 8 + 1 / 8,
        0 + (1 / 2) / 4 + 1 / 8 + 1 / 8,
        1 / 2 + (1 / 2) / 4 + (1 / 3) / 8 + (1 / 3) / 8,
        # Lengths 1 and 2, in common 0, then 1: 0 + (1/2) / 4, nothing is carried on from the end of the shorter list,
        # and (1 - 0) / 2 + 0 stays for the rest.
        (1 / 2) / 4 + (1 / 2) / 4,
        0,
        1,
    ]
    np.testing.assert_allclose(rank_biased_overlap(A, B, 0.5), expected)
    np.testing.assert_allclose(rank_biased_overlap(B, A, 0.5), expected)


def test_a_list_that_begins_another_agrees_with_it_fully():
    # 1/2 + (1/2) / 4, carried on from the shorter list 1 * (2 - 1) / (1 * 2) / 4, and 1 / 4 for the rest.
    np.testing.assert_allclose(rank_biased_overlap(np.array([[7, 0]]), np.array([[7, 8]]), 0.5), [1.0])


def test_the_first_places_weigh_most():
    swapped_first, swapped_last = np.array([[2, 1, 3, 4]]), np.array([[1, 2, 4, 3]])
    base = np.array([[1, 2, 3, 4]])
    assert rank_biased_overlap(base, swapped_first) < rank_biased_overlap(base, swapped_last) < 1


def test_kendalls_tau_is_that_of_scipy():
    orders = np.array(list(itertools.permutations([1, 2, 3, 4])), np.int32)
    base = np.tile(np.array([1, 2, 3, 4], np.int32), (len(orders), 1))
    expected = [kendalltau([1, 2, 3, 4], np.argsort(order)).statistic for order in orders]
    np.testing.assert_allclose(kendall_tau(common_places(base, orders)), expected)


def test_kendalls_tau_of_long_lists_leaves_out_what_only_one_has_and_takes_memory_by_the_length():
    place = np.array([[5, -1, 4, 3, -1, 0], [-1, 0, 3, 4, 5, -1]])
    np.testing.assert_array_equal(kendall_tau(place), [-1, 1])
    np.testing.assert_allclose(kendall_tau(np.array([[2, -1, 0, 3]])), [1 / 3])  # 2 of 3 pairs in the same order
    long = np.concatenate([np.arange(2048, 4096), np.arange(2048)])[np.newaxis]
    tracemalloc.start()
    tau = kendall_tau(long)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(tau, [1 - 2 * 2048**2 / (4096 * 4095 / 2)])  # each of a half before each of the other
    assert most < 2**20  # the pairs would be 16 million


def test_the_mean_of_answers_leaves_out_padding():
    lists = np.array([[1, 2], [3, 0], [0, 0]])
    np.testing.assert_allclose(
        mean_of_answers(lists, np.array([[1.0, 2.0], [3.0, -9.0], [-9.0, -9.0]])), [1.5, 3, np.nan]
    )


def test_coverage_counts_items_and_how_evenly_they_are_shown():
    assert coverage(np.array([5, 5, 0, 5, 5]), 8) == {"coverage": 0.5, "effective_items": pytest.approx(4.0)}
    # Shares 1/2, 1/4, 1/4: the entropy is 1.5 ln 2.
    assert coverage(np.array([2, 1, 1]), 3)["effective_items"] == pytest.approx(2**1.5)
    assert coverage(np.zeros(3, int), 3) == {"coverage": 0.0, "effective_items": 0.0}


def test_values_of_both_sides_are_over_users_who_have_both():
    lists = np.array([[[1, 2], [3, 0]], [[1, 3], [0, 0]]])
    scores = np.array([[[0.9, 0.5], [0.3, -9]], [[0.7, 0.5], [-9, -9]]], np.float32)
    owned = np.array([[False, True, True, False], [False, True, False, True]])  # a lacks item 3, b item 2
    values = user_values(lists, scores, np.array([50, 4, 2, 0]), owned)
    rows = len(BOTH) + np.arange(9)
    np.testing.assert_allclose(values[rows, 0], [0.7, 0.6, -0.1, 3, 2, -1, 0.5, 0.5, 0], atol=1e-6)
    assert np.isnan(values[rows, 1]).all()
    sums = DriftSums([2, 2], 3, 10)
    sums.add(values, lists, Resamples(10, 0).weights(2))
    report = sums.report()
    assert report["users"] == 2
    assert report["overlap"]["mean"] == 0.25
    assert report["kendall_tau"] == {"mean": None, "ci95": [None, None], "users": 0}
    assert report["popularity"]["difference"] == -1
    assert report["popularity"]["difference_ci95"] == [-1, -1]
    assert report["coverage"] == {"a": 1.5, "b": 1.0, "difference": -0.5}  # a answers what it lacks, here only


def test_streamed_means_do_not_depend_on_the_batches_and_their_intervals_are_those_of_the_bootstrap():
    values = np.random.default_rng(0).normal(3, 1, (2, 400))
    values[1, 300:] = np.nan
    actual = []
    for step in (400, 130):
        resamples, means = Resamples(1000, 1), StreamedMeans(2, 1000)
        for start in range(0, 400, step):
            part = values[:, start : start + step]
            means.add(part, resamples.weights(part.shape[1]))
        actual.append(means)
    assert actual[0].users.tolist() == [400, 300]
    for one, other in zip(actual[0].means(), actual[1].means(), strict=True):
        np.testing.assert_allclose(one, other)
    mean, low, high = actual[0].means()
    np.testing.assert_allclose(mean, [values[0].mean(), values[1, :300].mean()])
    np.testing.assert_allclose([low[0], high[0]], mean_ci95(values[0]), atol=0.02)
    np.testing.assert_allclose([low[1], high[1]], mean_ci95(values[1, :300]), atol=0.02)
