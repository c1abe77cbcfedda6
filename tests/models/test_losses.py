import numpy as np
import pytest
import tensorflow as tf

from mmrec.config.retrieval import RetrievalConfig
from mmrec.errors import InputError
from mmrec.models.losses import LOSSES
from mmrec.registry import find

# Right are 0 and 1; of the second query, candidate 2 does not compete.
LOGITS = tf.constant([[2.0, 0.0, 1.0], [0.0, 1.0, -1e9]])
POSITIVE = tf.constant([0, 1])


def loss(name, items=5, **settings):
    config = RetrievalConfig(loss=name, **settings)
    return LOSSES[name](RetrievalConfig.model_validate_json(config.model_dump_json()), items)


@pytest.mark.parametrize(
    ("name", "want"),
    [
        # ln(e^2 + 1 + e) - 2 and ln(1 + e) - 1
        ("softmax", [0.407606, 0.313262]),
        # (ln(1 + e^-2) + ln(1 + e^-1)) / 2 and ln(1 + e^-1)
        ("bpr", [0.220095, 0.313262]),
        # K = 2 and 1 of 4: a = .5 and .25, b = .5 (.75 (1 - 2) + 2) = .625 and .25 (.75 (1 - 4) + 4) = .4375
        # (.625 ln(1 + e^-2) + ln 2 + ln(1 + e)) / 3 and (.4375 ln(1 + e^-1) + ln 2) / 2
        ("gbce", [0.695247, 0.415100]),
        # 1 - 2 + (0 + 1) / 2 and 1 - 1 + 0
        ("cosine", [-0.5, 0.0]),
    ],
)
def test_losses_worked_by_hand(name, want):
    value = loss(name)(LOGITS, POSITIVE)
    assert (value.shape, value.dtype) == ((2,), tf.float32)
    np.testing.assert_allclose(value, want, atol=1e-5)


def test_without_calibration_gbce_is_plain_binary_cross_entropy():
    # (ln(1 + e^-2) + ln 2 + ln(1 + e)) / 3
    assert float(loss("gbce", calibration=0.0)(LOGITS, POSITIVE)[0]) == pytest.approx(0.711112, abs=1e-5)


def test_a_margin_spares_what_scores_below_it():
    assert float(loss("cosine", margin=0.5)(LOGITS, POSITIVE)[0]) == pytest.approx(-0.75)


@pytest.mark.parametrize("name", LOSSES)
def test_a_query_whose_right_candidate_is_alone_has_a_finite_loss_and_gradient(name):
    logits = tf.constant([[0.5, -1e9]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(name)(logits, tf.constant([0]))
    assert np.isfinite(value).all()
    assert np.isfinite(tape.gradient(value, logits)).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_better_score_of_the_right_candidate_lowers_the_loss_and_queries_do_not_mix(name):
    better = LOGITS + tf.constant([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
    before, after = loss(name)(LOGITS, POSITIVE), loss(name)(better, POSITIVE)
    assert after[0] < before[0]
    assert after[1] == before[1]


def test_an_unknown_loss_is_refused_by_name():
    with pytest.raises(InputError, match=r"no loss is called 'softmx'\. Did you mean `softmax`\?"):
        find("loss", "softmx", LOSSES)
