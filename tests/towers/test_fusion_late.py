import numpy as np
import pytest
import tensorflow as tf

from mmrec.towers.fusion import FUSIONS

NAMES = ("text", "image")
LATE = ["late", "late_per_query"]


@pytest.fixture
def late():
    fusion = FUSIONS["late"](NAMES, 2)
    fusion.logits.assign(np.log([[0.75], [0.25]]))
    return fusion


def embed(fusion, present):
    """Embeds an item whose text is (3, 4) and whose image is (0, 2), or what is present of them."""
    vectors = [np.array([[3, 4]], np.float32), np.array([[0, 2]], np.float32)]
    return tf.math.l2_normalize(fusion(vectors, [np.array([here]) for here in present]), axis=1).numpy()[0]


def test_the_dot_product_is_the_weighted_sum_of_the_modalities_cosines(late):
    # The query's blocks point to (1, 0) and (.6, .8), so the cosines are .6 and .8: .75 x .6 + .25 x .8.
    query = late.query(tf.constant([[7.0, 0, 3, 4]])).numpy()[0]
    assert embed(late, [True, True]) @ query == pytest.approx(0.65, abs=1e-6)


def test_the_query_is_weighted_blocks(late):
    query = late.query(tf.constant([[[7.0, 0, 3, 4]]])).numpy()
    np.testing.assert_allclose(query, [[[0.866025, 0, 0.3, 0.4]]], atol=1e-6)


def test_what_an_item_lacks_gives_its_weight_to_what_it_has(late):
    query = late.query(tf.constant([[7.0, 0, 3, 4]])).numpy()[0]
    # sqrt(.25) x .8 instead of .25 x .8; sqrt(.75) x .6 instead of .75 x .6.
    assert embed(late, [False, True]) @ query == pytest.approx(0.4, abs=1e-6)
    assert embed(late, [True, False]) @ query == pytest.approx(0.519615, abs=1e-6)
    np.testing.assert_allclose(embed(late, [False, True]), [0, 0, 0, 1], atol=1e-6)


def test_the_scores_of_an_item_with_one_modality_spread_as_those_of_one_with_all():
    # Cosines to random directions in the plane have variance 1/2. With everything: (1/4 + 1/4) x 1/2. With the image
    # alone: 1/2 x 1/2, which would be 1/4 x 1/2 if weights were not renormalised.
    fusion = FUSIONS["late"](NAMES, 2)
    queries = fusion.query(tf.random.stateless_normal([4000, 4], seed=[0, 0])).numpy()
    for present in ([True, True], [False, True], [True, False]):
        assert (queries @ embed(fusion, present)).var() == pytest.approx(0.25, abs=0.02)


def test_a_query_decides_what_counts():
    fusion = FUSIONS["late_per_query"](NAMES, 2)
    fusion.kernel.assign([[np.log(3), 0], [0, 0], [0, 0], [0, 0]])
    queries = tf.constant([[1.0, 0, 3, 4], [-1, 0, 3, 4], [0, 1, 3, 4]])
    # The softmax of (ln 3, 0), (-ln 3, 0) and (0, 0).
    np.testing.assert_allclose(fusion.weights_of(queries), [[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]], atol=1e-6)
    scores = fusion.query(queries).numpy() @ embed(fusion, [True, True])
    # Cosines of text .6, -.6 and .8, of image .8: the mixtures, over the lengths of (.75, .25) and (1, 1).
    mixed = [0.75 * 0.6 + 0.25 * 0.8, 0.25 * -0.6 + 0.75 * 0.8, 0.5 * 0.8 + 0.5 * 0.8]
    lengths = np.sqrt(2) * np.array([0.790569, 0.790569, 0.707107])
    np.testing.assert_allclose(scores, mixed / lengths, atol=1e-5)


@pytest.mark.parametrize("name", LATE)
def test_queries_of_any_shape_have_unit_length_also_when_a_block_is_zeros(name):
    fusion = FUSIONS[name](NAMES, 3)
    queries = np.random.default_rng(0).normal(size=(2, 5, 6)).astype(np.float32)
    queries[0, 0, :3] = 0  # a history of items without text
    fused = fusion.query(tf.constant(queries))
    np.testing.assert_allclose(np.linalg.norm(fused, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(fusion.query(tf.constant(queries[1])), fused[1], atol=1e-6)
    assert fusion.query(tf.zeros([0, 6])).shape == (0, 6)


@pytest.mark.parametrize("name", LATE)
def test_gradients_of_a_query_reach_the_weights_and_stay_finite(name):
    fusion = FUSIONS[name](NAMES, 3)
    queries = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    queries[0, :3] = queries[1] = 0
    read = tf.constant(queries)
    with tf.GradientTape() as tape:
        tape.watch(read)
        loss = tf.reduce_sum(fusion.query(read) * tf.range(6.0))
    weights = [variable for variable in fusion.trainable_variables if "nothing" not in variable.name]
    gradients = tape.gradient(loss, [read, *weights])
    for gradient in gradients:
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("name", LATE)
def test_a_weight_that_goes_to_zero_keeps_its_gradient_finite(name):
    fusion = FUSIONS[name](NAMES, 2)
    variable = fusion.logits if name == "late" else fusion.bias
    variable.assign(np.reshape([200.0, 0.0], variable.shape))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(fusion.query(tf.constant([[1.0, 2, 3, 4]])))
    assert np.isfinite(tape.gradient(loss, variable)).all()
