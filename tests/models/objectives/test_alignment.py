import numpy as np
import pytest
import tensorflow as tf

from mmrec.config import Config
from mmrec.errors import InputError
from mmrec.models.objectives.alignment import alignment_loss

TEXT = tf.constant([[1.0, 0.0], [0.0, 3.0], [5.0, 5.0]])
IMAGE = tf.constant([[2.0, 0.0], [1.0, 0.0], [7.0, -7.0]])
HERE, NOT_THE_LAST = tf.constant([True, True, True]), tf.constant([True, True, False])


def test_one_pair_of_modalities_worked_by_hand():
    # Images by texts: cosines (1, 1) and (0, 0), ln 2 each. Texts by images: (1, 0) twice, over .07:
    # ln(1 + e^-14.2857) = .0000006 and 14.2857 more. The third item has no photo: it does not compete.
    want = (np.log(2) + 14.285715 / 2) / 2
    assert float(alignment_loss([TEXT, IMAGE], [HERE, NOT_THE_LAST])) == pytest.approx(want, abs=1e-4)
    assert float(alignment_loss([IMAGE, TEXT], [NOT_THE_LAST, HERE])) == pytest.approx(want, abs=1e-4)


def test_vectors_that_agree_cost_nothing():
    unit = tf.eye(3)
    assert float(alignment_loss([unit, 2 * unit], [HERE, HERE])) < 1e-5


def test_of_three_modalities_it_is_the_mean_of_the_pairs():
    vectors, present = [TEXT, IMAGE, -TEXT], [HERE, NOT_THE_LAST, HERE]
    pairs = [alignment_loss([vectors[i], vectors[j]], [present[i], present[j]]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert float(alignment_loss(vectors, present)) == pytest.approx(float(np.mean(pairs)), rel=1e-6)


def test_where_no_item_has_both_there_is_nothing_to_align():
    text, image = tf.Variable(TEXT), tf.Variable(IMAGE)
    with tf.GradientTape() as tape:
        loss = tf.function(alignment_loss)([text, image], [NOT_THE_LAST, ~NOT_THE_LAST])
    assert float(loss) == 0
    for gradient in tape.gradient(loss, [text, image], unconnected_gradients="zero"):
        np.testing.assert_array_equal(gradient, np.zeros((3, 2)))


def test_a_step_against_the_gradient_aligns():
    text, image = tf.Variable(TEXT), tf.Variable(IMAGE)
    with tf.GradientTape() as tape:
        before = alignment_loss([text, image], [HERE, HERE])
    for variable, gradient in zip((text, image), tape.gradient(before, [text, image]), strict=True):
        variable.assign_sub(0.1 * gradient)
    assert float(alignment_loss([text, image], [HERE, HERE])) < 0.9 * float(before)


def test_a_single_modality_cannot_be_aligned():
    with pytest.raises(InputError, match=r"`retrieval\.alignment` needs at least two `item\.modalities`"):
        Config.load({"retrieval": {"alignment": 0.1}, "item": {"modalities": ["text"]}})
