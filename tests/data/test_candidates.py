import numpy as np
import pytest

from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.candidates import CandidateSampler

COUNTS = np.array([0, 6, 0, 3, 1])  # items 1, 3 and 4 have training events


def candidates(**settings):
    config = RetrievalConfig(**{"negatives": "in_batch"} | settings)
    return CandidateSampler(RetrievalConfig.model_validate_json(config.model_dump_json()), COUNTS, per_batch=2.0)


def test_the_answers_of_the_batch_compete_with_each_other():
    rows, competes = candidates().draw(np.array([4, 1, 4]), np.random.default_rng(0))
    assert rows.tolist() == [1, 4]
    assert competes.all()
    # Two answers per batch, drawn with shares .6, .3, .1: 1 - .4^2, 1 - .7^2, 1 - .9^2.
    np.testing.assert_allclose(np.exp(candidates().log_q), [0, 0.84, 0, 0.51, 0.19], atol=1e-6)


def test_the_whole_catalog_means_all_items_with_training_events():
    rows, competes = candidates(negatives="catalog").draw(np.array([4]), np.random.default_rng(0))
    assert rows.tolist() == [1, 3, 4]
    assert competes.all()


def test_mixed_adds_distinct_items_drawn_uniformly():
    mixed = candidates(negatives="mixed", negative_samples=1)
    actual = [mixed.draw(np.array([4]), np.random.default_rng(seed))[0].tolist() for seed in range(50)]
    assert sorted(set(map(tuple, actual))) == [(1, 4), (3, 4), (4,)]
    # One of three items is drawn: 1 - (1 - .84) * 2/3, and so on.
    np.testing.assert_allclose(
        np.exp(mixed.log_q), [0, 1 - 0.16 * 2 / 3, 0, 1 - 0.49 * 2 / 3, 1 - 0.81 * 2 / 3], atol=1e-6
    )


def test_sampled_items_compete_with_all_queries_and_other_answers_only_with_their_own():
    sampled = candidates(negatives="sampled", negative_samples=2, sampling_power=1.0)
    seen = set()
    for seed in range(200):
        rows, competes = sampled.draw(np.array([4]), np.random.default_rng(seed))
        assert 4 in rows
        seen.add((tuple(rows), tuple(competes)))
    assert ((1, 4), (True, False)) in seen
    assert ((1, 4), (True, True)) in seen
    # Two draws with shares .6, .3, .1.
    np.testing.assert_allclose(np.exp(sampled.log_q), [0, 0.84, 0, 0.51, 0.19], atol=1e-6)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_items_are_sampled_as_often_as_log_q_says(power):
    sampled = candidates(negatives="sampled", negative_samples=2, sampling_power=power)
    draws, actual = 4000, np.zeros(5)
    for seed in range(draws):
        rows, competes = sampled.draw(np.array([4]), np.random.default_rng(seed))
        actual[rows[competes]] += 1
    np.testing.assert_allclose(actual / draws, np.exp(sampled.log_q), atol=0.03)


@pytest.mark.parametrize("negatives", ["mixed", "sampled"])
def test_more_samples_than_items_are_all_items_for_mixed(negatives):
    rows, _ = candidates(negatives=negatives, negative_samples=1000).draw(np.array([4]), np.random.default_rng(0))
    assert set(rows) <= {1, 3, 4}
    assert negatives == "sampled" or rows.tolist() == [1, 3, 4]
