import numpy as np
import pytest
import tensorflow as tf
import tensorflow_recommenders as tfrs

from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.candidates import CandidateSampler
from mmrec.models.candidates import Candidates
from mmrec.models.logits import candidate_logits, only_competing, without_own_correction
from mmrec.models.retrieval import RetrievalTask

QUERY = tf.constant([[1.0, 0.0], [0.6, 0.8]])
CANDIDATE = tf.constant([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
NO_PAIRS = np.zeros((0, 2), np.int32)
ALL = np.array([True, True, True])


def task(**settings):
    config = RetrievalConfig(**settings).decided(whole_catalog=False)
    return RetrievalTask(RetrievalConfig.model_validate_json(config.model_dump_json()), items=9)


def drawn(candidate=CANDIDATE, competes=None, log_q=None, positive_pairs=NO_PAIRS):
    """Returns candidates of the rows 1, 2, ...; arguments left out are neutral."""
    count = len(candidate)
    competes = np.full(count, True) if competes is None else competes
    log_q = np.zeros(count, np.float32) if log_q is None else log_q
    return Candidates.drawn(candidate, np.arange(1, count + 1, dtype=np.int32), competes, log_q, positive_pairs)


def unit(generator, rows, dim=5):
    drawn = generator.normal(size=(rows, dim)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_logits_are_dot_products():
    logits = candidate_logits(QUERY / 0.5, CANDIDATE, None)
    np.testing.assert_allclose(logits, [[2.0, 0.0, 1.2], [1.2, 1.6, 2.0]], atol=1e-6)


def test_log_q_is_subtracted_after_the_temperature():
    log_q = tf.math.log([1.0, 0.5, 0.25])  # 0, -0.693147, -1.386294
    logits = candidate_logits(QUERY / 0.5, CANDIDATE, log_q)
    np.testing.assert_allclose(logits, [[2.0, 0.693147, 2.586294], [1.2, 2.293147, 3.386294]], atol=1e-5)


def test_another_positive_of_the_user_does_not_compete_and_the_right_one_always_does():
    # Queries 0 and 1 are of history 0, which also likes candidate 2; query 2 is of history 1, which likes 1 alone.
    pairs = tf.constant([[0, 0], [0, 2], [1, 1]])
    logits = only_competing(tf.ones([3, 3]), tf.constant([0, 2, 1]), ALL, tf.constant([0, 0, 1]), pairs)
    np.testing.assert_array_equal(logits, [[1, 1, -1e9], [-1e9, 1, 1], [1, 1, 1]])


def test_positives_of_histories_that_ask_nothing_are_no_hits():
    pairs = tf.constant([[0, 0], [2, 1], [7, 0]])
    logits = only_competing(tf.zeros([1, 2]), tf.constant([1]), ALL[:2], tf.constant([0]), pairs)
    np.testing.assert_array_equal(logits, [[-1e9, 0]])


def test_without_positive_pairs_everything_competes():
    logits = only_competing(tf.zeros([2, 2]), tf.constant([0, 1]), ALL[:2], tf.constant([0, 1]), NO_PAIRS)
    np.testing.assert_array_equal(logits, np.zeros((2, 2)))


def test_a_pair_that_stands_twice_is_one_hit():
    pairs = tf.constant([[0, 1], [0, 1]])
    logits = only_competing(tf.zeros([1, 2]), tf.constant([0]), ALL[:2], tf.constant([0]), pairs)
    np.testing.assert_array_equal(logits, [[0, -1e9]])


def test_the_right_candidates_own_correction_can_be_taken_back():
    logits, log_q = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([-0.5, -0.25])
    adjusted = without_own_correction(logits - log_q, tf.constant([1, 0]), log_q)
    np.testing.assert_allclose(adjusted, [[1.5, 2.0], [3.0, 4.25]])


def test_what_was_drawn_for_another_query_only_competes_where_it_is_right():
    competes = tf.constant([True, False, True])
    logits = only_competing(tf.zeros([2, 3]), tf.constant([0, 1]), competes, tf.constant([0, 1]), NO_PAIRS)
    np.testing.assert_array_equal(logits, [[0, -1e9, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        # Logits (2, 0, 1.2) and (1.2, 1.6, 2), right are 0 and 1:
        # ln(e^2 + 1 + e^1.2) - 2 = 0.460373; ln(e^1.2 + e^1.6 + e^2) - 1.6 = 1.151251
        ({"logq_correction": False, "remove_accidental_hits": False}, 0.805812),
        # Candidate 2 is another positive of the first user: ln(e^2 + 1) - 2 = 0.126928
        ({"logq_correction": False, "remove_accidental_hits": True}, 0.639089),
        # log q = ln(1, 1/2, 1/4) makes the exponentials e^2, 2, 4 e^1.2 and e^1.2, 2 e^1.6, 4 e^2:
        # ln((e^2 + 2 + 4 e^1.2) / e^2) = 1.121021; ln((e^1.2 + 2 e^1.6 + 4 e^2) / (2 e^1.6)) = 1.462980
        ({"logq_correction": True, "remove_accidental_hits": False}, 1.292001),
    ],
)
def test_the_loss_is_the_mean_cross_entropy_of_the_right_candidates(settings, want):
    value = task(temperature=0.5, **settings)(
        QUERY,
        drawn(log_q=tf.math.log([1.0, 0.5, 0.25]), positive_pairs=tf.constant([[0, 0], [0, 2], [1, 1]])),
        positive=tf.constant([0, 1]),
        history=tf.constant([0, 1]),
    )
    assert float(value) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("temperature", [0.07, 1.0])
@pytest.mark.parametrize("corrected", [False, True])
def test_the_loss_is_that_of_tfrs_per_query_when_the_answers_are_distinct(temperature, corrected):
    generator = np.random.default_rng(0)
    query, candidate = unit(generator, 6), unit(generator, 6)
    probability = generator.uniform(0.01, 0.9, 6).astype(np.float32)
    theirs = tfrs.tasks.Retrieval(temperature=temperature)(
        query, candidate, candidate_sampling_probability=probability if corrected else None
    )
    ours = task(temperature=temperature, logq_correction=corrected)(
        query, drawn(candidate, log_q=np.log(probability)), np.arange(6, dtype=np.int32), np.arange(6)
    )
    assert float(ours) == pytest.approx(float(theirs) / 6, rel=1e-5)


@pytest.mark.parametrize(("loss", "want"), [("cosine", 0.65), ("gbce", None)])
def test_losses_that_compare_no_candidates_are_not_corrected_by_default(loss, want):
    # Scores (1, 0, .6) and (.6, .8, 1), right are 0 and 1. Cosine pairs: (1 - 1) + (0 + .6) / 2 = .3 and
    # (1 - .8) + (.6 + 1) / 2 = 1.
    def actual(log_q):
        return float(task(loss=loss)(QUERY, drawn(log_q=log_q), tf.constant([0, 1]), tf.constant([0, 1])))

    assert actual(tf.math.log([1.0, 0.5, 0.25])) == pytest.approx(actual(tf.zeros(3)), abs=1e-6)
    if want:
        assert actual(tf.zeros(3)) == pytest.approx(want, abs=1e-5)


def test_an_item_that_is_right_for_two_queries_competes_once():
    same = tf.constant([[1.0, 0.0], [1.0, 0.0]])
    value = task(temperature=1.0)(same, drawn(CANDIDATE[:2]), tf.constant([0, 0]), tf.constant([0, 1]))
    assert float(value) == pytest.approx(np.log(1 + np.exp(-1)), abs=1e-6)


def test_gradients_are_finite_with_all_but_the_right_candidate_removed():
    query, candidate = tf.Variable(QUERY), tf.Variable(CANDIDATE)
    pairs = tf.constant([[0, 0], [0, 1], [0, 2], [1, 0], [1, 1]])
    with tf.GradientTape() as tape:
        competing = Candidates.drawn(candidate, tf.range(1, 4), ALL, tf.zeros(3), pairs)
        loss = task(temperature=0.01)(query, competing, tf.constant([0, 1]), tf.constant([0, 1]))
    by_query, by_candidate = tape.gradient(loss, [query, candidate])
    assert np.isfinite(by_query).all()
    assert np.isfinite(by_candidate).all()
    np.testing.assert_allclose(by_query[0], [0, 0], atol=1e-6)  # nothing competes: nothing to learn
    assert np.abs(by_query[1]).max() > 0.1


def test_a_learnt_temperature_starts_where_the_config_says_and_gets_a_gradient():
    fixed, learnt = task(temperature=0.5), task(temperature=0.5, learn_temperature=True)
    inputs = (QUERY, drawn(), tf.constant([0, 1]), tf.constant([0, 1]))
    assert float(fixed(*inputs)) == pytest.approx(float(learnt(*inputs)), abs=1e-6)
    assert (len(fixed.trainable_variables), len(learnt.trainable_variables)) == (0, 1)
    with tf.GradientTape() as tape:
        loss = learnt(*inputs)
    assert abs(float(tape.gradient(loss, learnt.log_temperature))) > 1e-3


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_the_whole_catalog_gives_the_same_loss_as_candidates_that_are_all_items(loss):
    asked = tf.constant([0, 1]), tf.constant([0, 1])
    listed = task(temperature=0.5, loss=loss)(QUERY, drawn(), *asked)
    whole = task(temperature=0.5, loss=loss)(QUERY, Candidates.whole_catalog(CANDIDATE), *asked)
    assert float(whole) == pytest.approx(float(listed), abs=1e-6)
    assert float(listed) > 0.1


def test_a_task_that_is_not_decided_is_refused():
    with pytest.raises(ValueError, match="must be decided"):
        RetrievalTask(RetrievalConfig(temperature=1.0), items=9)


@pytest.mark.parametrize(
    ("settings", "temperature", "corrected"),
    [
        ({}, 0.07, True),
        ({"similarity": "dot"}, 1.0, True),
        ({"loss": "cosine"}, 1.0, False),
        ({"loss": "gbce"}, 0.07, False),
        ({"loss": "gbce", "temperature": 0.5, "logq_correction": True}, 0.5, True),
    ],
)
def test_null_stands_for_what_suits_loss_and_similarity(settings, temperature, corrected):
    decided = RetrievalConfig(**settings).decided(whole_catalog=True)
    assert (decided.temperature, decided.logq_correction, decided.negatives) == (temperature, corrected, "catalog")
    assert decided.decided(whole_catalog=False) == decided


@pytest.mark.parametrize("corrected", [True, False])
def test_the_bias_of_sampled_softmax_shrinks_with_more_samples_only_when_it_is_corrected(corrected):
    """One query, 2,000 items of uneven popularity by which samples are drawn: where does the gradient push?

    Over the whole catalog, the more popular half of the items has a share of the softmax that is known.
    """
    items, right, rng = 2000, 1001, np.random.default_rng(0)
    counts, scores = np.append(0, np.arange(items, 0, -1)), np.append(0, rng.normal(size=items)).astype(np.float32)
    odds = np.exp(scores[1:])
    exact = odds[: items // 2].sum() / odds.sum()
    bias = {}
    for samples in (10, 80, 320):
        config = RetrievalConfig(
            negatives="sampled",
            negative_samples=samples,
            sampling_power=1.0,
            temperature=1.0,
            logq_correction=corrected,
            remove_accidental_hits=False,
        )
        candidates, loss = CandidateSampler(config, counts, per_batch=1.0), RetrievalTask(config, items=items)
        shares = []
        for _ in range(200):
            rows, competes = candidates.draw(np.array([right]), rng)
            place = np.searchsorted(rows, [right]).astype(np.int32)
            table = tf.constant(scores[rows, np.newaxis])  # so that a score is 1 * value
            with tf.GradientTape() as tape:
                tape.watch(table)
                one = Candidates.drawn(table, rows.astype(np.int32), competes, candidates.log_q[rows], NO_PAIRS)
                value = loss(np.ones((1, 1), np.float32), one, place, np.zeros(1, np.int32))
            softmax = tape.gradient(value, table).numpy()[:, 0]
            softmax[place] += 1
            shares.append(softmax[rows <= items // 2].sum())
        bias[samples] = abs(np.mean(shares) - exact)
    if corrected:
        assert bias[320] < 0.02
        assert bias[320] < 0.5 * bias[10]
    else:
        assert bias[320] >= bias[10] > 0.1


@pytest.mark.parametrize("negatives", ["in_batch", "catalog"])
def test_an_answer_counts_as_much_as_its_weight_says(negatives):
    # Losses: scores 1, 0, .6 with the first right, and .6, .8, 1 with the second.
    losses = np.log(np.e + 1 + np.exp(0.6)) - 1, np.log(np.exp(0.6) + np.exp(0.8) + np.e) - 0.8
    weighted = task(temperature=1.0, negatives=negatives)
    competing = drawn() if negatives == "in_batch" else Candidates.whole_catalog(CANDIDATE)
    value = weighted(QUERY, competing, tf.constant([0, 1]), tf.constant([0, 1]), weight=tf.constant([1.5, 0.25]))
    assert float(value) == pytest.approx((1.5 * losses[0] + 0.25 * losses[1]) / 2, abs=1e-5)
