"""Every fusion against NumPy, an item at a time, on every subset of three modalities."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from mmrec.towers.fusion import FUSIONS

NAMES, DIM = ("text", "image", "audio"), 4
PRESENT = np.array(list(itertools.product([True, False], repeat=3)))  # [8, 3]; the last has nothing


def softmax(values):
    return np.exp(values) / np.exp(values).sum(axis=0)


def concatenation(fusion, vectors, units):
    parts = []
    for name, norm in zip(NAMES, fusion.normalise, strict=True):
        vector = vectors.get(name)
        if vector is not None:
            standard = (vector - vector.mean()) / np.sqrt(vector.var() + 1e-3)
            vector = standard * norm.gamma.numpy() + norm.beta.numpy()
        parts.append(np.zeros(DIM) if vector is None else vector)
    flags = [float(name in vectors) for name in NAMES]
    return np.concatenate([*parts, flags]) @ fusion.projection.kernel.numpy() + fusion.projection.bias.numpy()


def weighted(fusion, vectors, units):
    weights = {name: fusion.report()[name] for name in units}
    return sum(weights[name] * units[name] for name in units) / sum(weights.values())


def gated(fusion, vectors, units):
    read = np.concatenate([np.append(units.get(name, np.zeros(DIM)), float(name in units)) for name in NAMES])
    logits = (read @ fusion.gates.kernel.numpy() + fusion.gates.bias.numpy()).reshape(3, DIM)
    gates = softmax(logits[[NAMES.index(name) for name in units]])  # [present, D]
    return (gates * np.stack(list(units.values()))).sum(axis=0)


def attention(fusion, vectors, units):
    query = fusion.attended.numpy()[:, 0]
    stacked = np.stack(list(units.values()))
    cosines = stacked @ query / np.linalg.norm(query)
    return softmax(np.linalg.norm(query) * cosines) @ stacked


def late(fusion, vectors, units):
    blocks = [np.sqrt(fusion.report()[name]) * units.get(name, np.zeros(DIM)) for name in NAMES]
    return np.concatenate(blocks)


REFERENCES = {
    "concatenation": concatenation,
    "sum": lambda fusion, vectors, units: sum(units.values()),
    "mean": lambda fusion, vectors, units: sum(units.values()) / len(units),
    "weighted": weighted,
    "gated": gated,
    "attention": attention,
    "late": late,
    "late_per_query": lambda fusion, vectors, units: np.concatenate([units.get(n, np.zeros(DIM)) for n in NAMES]),
}


def drawn(name, seed=0):
    """Returns a fusion with weights drawn at random, and vectors of eight items."""
    fusion, rng = FUSIONS[name](NAMES, DIM), np.random.default_rng(seed)
    vectors = rng.normal(0, 3, (3, len(PRESENT), DIM)).astype(np.float32)
    fusion([*vectors], [*PRESENT.T])
    for variable in fusion.variables:
        variable.assign(rng.normal(0, 1, variable.shape))
    return fusion, vectors


@pytest.mark.parametrize("name", FUSIONS)
def test_a_fusion_is_what_its_formula_says_for_every_subset(name):
    fusion, vectors = drawn(name)
    fused = fusion([*vectors], [*PRESENT.T]).numpy()
    assert fused.shape == (8, fusion.output_dim)
    for item in range(7):
        here = {NAMES[place]: vectors[place, item] for place in range(3) if PRESENT[item, place]}
        units = {modality: vector / np.linalg.norm(vector) for modality, vector in here.items()}
        np.testing.assert_allclose(fused[item], REFERENCES[name](fusion, here, units), atol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_an_item_of_nothing_has_a_vector_of_its_own(name):
    fusion, vectors = drawn(name)
    want = (fusion.projection.bias if name == "concatenation" else fusion.nothing).numpy()
    for values in (vectors, vectors + 5, np.zeros_like(vectors)):
        np.testing.assert_allclose(fusion([*values], [*PRESENT.T])[7], want, atol=1e-6)
    assert np.linalg.norm(FUSIONS[name](NAMES, DIM)([*vectors], [*PRESENT.T])[7]) > 0.01


@pytest.mark.parametrize("name", FUSIONS)
def test_gradients_stay_finite_when_vectors_are_zeros_or_absent(name):
    fusion, vectors = drawn(name)
    read = [tf.constant(values) for values in vectors * np.array([1, 0, 1, 0, 1, 0, 1, 0])[:, np.newaxis]]
    with tf.GradientTape() as tape:
        tape.watch(read)
        loss = tf.reduce_sum(fusion(read, [*PRESENT.T]) ** 2)
    for gradient in tape.gradient(loss, [*read, *fusion.trainable_variables]):
        assert gradient is None or np.isfinite(gradient).all()  # None: weights that only queries use


@pytest.mark.parametrize("name", [name for name in FUSIONS if name != "concatenation"])
def test_the_length_of_a_modalitys_vector_does_not_count(name):
    fusion, vectors = drawn(name)
    longer = vectors * np.array([1.0, 30.0, 0.2], np.float32)[:, np.newaxis, np.newaxis]
    np.testing.assert_allclose(fusion([*longer], [*PRESENT.T]), fusion([*vectors], [*PRESENT.T]), atol=1e-5)


def two_items(name):
    """Fuses unit vectors (.6, .8), (0, 1) and (-1, 0); the second item lacks the image."""
    fusion = FUSIONS[name](NAMES, 2)
    vectors = [np.array([row, row], np.float32) for row in ([3, 4], [0, 5], [-2, 0])]
    present = [np.array(row) for row in ([True, True], [True, False], [True, True])]
    return fusion, lambda: fusion(vectors, present).numpy()


def test_the_sum_and_the_mean_by_hand():
    np.testing.assert_allclose(two_items("sum")[1](), [[-0.4, 1.8], [-0.4, 0.8]], atol=1e-6)
    np.testing.assert_allclose(two_items("mean")[1](), [[-0.133333, 0.6], [-0.2, 0.4]], atol=1e-6)


def test_learnt_weights_are_renormalised_over_what_is_present_and_reported():
    fusion, fused = two_items("weighted")
    fusion.logits.assign(np.log([0.5, 0.3, 0.2]).reshape(1, 3, 1))
    # Without the image, .5 and .2 become 5/7 and 2/7.
    np.testing.assert_allclose(fused(), [[0.1, 0.7], [0.142857, 0.571429]], atol=1e-6)
    assert fusion.report() == pytest.approx({"text": 0.5, "image": 0.3, "audio": 0.2})


def test_gates_choose_a_modality_for_each_dimension():
    fusion, fused = two_items("gated")
    fused()
    fusion.gates.kernel.assign(np.zeros(fusion.gates.kernel.shape))
    fusion.gates.bias.assign([0, 0, 0, 50, 50, 0])  # the first dimension is the sound's, the second the image's
    # Without the image, text and sound share the second dimension.
    np.testing.assert_allclose(fused(), [[-1, 1], [-1, 0.4]], atol=1e-5)


def test_attention_goes_to_what_is_near_the_query():
    fusion, fused = two_items("attention")
    fusion.attended.assign([[-np.log(2)], [0]])
    # Cosines times length: text -.6 ln 2, image 0, sound ln 2: weights .659754, 1, 2 over their sum.
    first = [(0.659754 * 0.6 - 2) / 3.659754, (0.659754 * 0.8 + 1) / 3.659754]
    second = [(0.659754 * 0.6 - 2) / 2.659754, 0.659754 * 0.8 / 2.659754]
    np.testing.assert_allclose(fused(), [first, second], atol=1e-5)


@pytest.mark.parametrize("name", FUSIONS)
def test_only_weights_that_are_the_same_for_all_items_are_reported(name):
    reported = FUSIONS[name](NAMES, DIM).report()
    if name in ("weighted", "late"):
        assert reported == pytest.approx(dict.fromkeys(NAMES, 1 / 3))  # before training
    else:
        assert reported == {}
