import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from mmrec.config.training import TrainingConfig
from mmrec.training.optimizers import LazyAdam, WarmUp, build_optimizer


def slices(values, rows, size=4):
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows), tf.constant([size, 2]))


def run(optimizer, gradients, start):
    variable = tf.Variable(start)
    for gradient in gradients:
        optimizer.apply_gradients([(gradient, variable)])
    return variable.numpy()


def adam(gradients, start, rate=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Kingma & Ba, ICLR 2015, section 2, in float64, in its second form: epsilon is added before the correction."""
    value, mean, square = start.astype(np.float64), 0.0, 0.0
    for step, gradient in enumerate(gradients, start=1):
        mean = beta_1 * mean + (1 - beta_1) * gradient
        square = beta_2 * square + (1 - beta_2) * gradient**2
        corrected = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        value = value - corrected * mean / (np.sqrt(square) + epsilon)
    return value


@pytest.fixture
def drawn():
    """A table, float32 [4, 2], and the gradients of five steps, float32 [5, 4, 2]."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(4, 2)).astype(np.float32), generator.normal(size=(5, 4, 2)).astype(np.float32)


def test_dense_gradients_are_applied_as_published(drawn):
    start, gradients = drawn
    ours = run(LazyAdam(0.1), [tf.constant(one) for one in gradients], start)
    np.testing.assert_allclose(ours, adam(gradients, start), atol=1e-6)


def test_a_table_whose_rows_all_occur_is_updated_as_published(drawn):
    start, gradients = drawn
    mixed = [np.random.default_rng(number).permutation(4) for number in range(5)]
    ours = run(LazyAdam(0.1), [slices(one[rows], rows) for one, rows in zip(gradients, mixed, strict=True)], start)
    np.testing.assert_allclose(ours, adam(gradients, start), atol=1e-6)


def test_a_row_that_occurs_in_each_step_is_updated_as_published(drawn):
    start, gradients = drawn
    ours = run(LazyAdam(0.1), [slices(one[[3, 1]], [3, 1]) for one in gradients], start)
    np.testing.assert_allclose(ours[[3, 1]], adam(gradients, start)[[3, 1]], atol=1e-6)
    np.testing.assert_array_equal(ours[[0, 2]], start[[0, 2]])


def test_steps_with_all_rows_and_with_some_share_their_moments(drawn):
    start, gradients = drawn
    order = [[0, 1, 2, 3], [2, 0], [3, 2, 1, 0]]
    ours = run(LazyAdam(0.1), [slices(gradients[step][rows], rows) for step, rows in enumerate(order)], start)
    np.testing.assert_allclose(ours[[0, 2]], adam(gradients[:3], start)[[0, 2]], atol=1e-6)


def test_rows_that_do_not_occur_neither_move_nor_forget():
    optimizer, table = LazyAdam(0.1), tf.Variable(np.ones((4, 2), np.float32))
    optimizer.apply_gradients([(slices([[1, -2]], [3]), table)])
    # The first step of Adam moves by the learning rate against the sign.
    np.testing.assert_allclose(table[3], [0.9, 1.1], atol=1e-5)
    moments = [variable for variable in optimizer.variables if variable.shape == table.shape]
    np.testing.assert_allclose([moment[3] for moment in moments], [[0.1, -0.2], [0.001, 0.004]], rtol=1e-5)
    before = [table.numpy(), *(moment.numpy() for moment in moments)]
    for _ in range(3):
        optimizer.apply_gradients([(slices([[5, 5]], [1]), table)])
    for was, now in zip(before, [table, *moments], strict=True):
        np.testing.assert_array_equal(now.numpy()[[0, 2, 3]], was[[0, 2, 3]])
        assert (now.numpy()[1] != was[1]).all()


def test_gradients_of_one_row_are_summed():
    start = np.zeros((4, 2), np.float32)
    twice = [slices([[1, 2], [5, 5], [3, -1]], [2, 0, 2]), slices([[1, 1], [1, 0]], [2, 2])]
    once = [slices([[4, 1], [5, 5]], [2, 0]), slices([[2, 1]], [2])]
    np.testing.assert_allclose(run(LazyAdam(0.1), twice, start), run(LazyAdam(0.1), once, start), atol=1e-7)


def test_two_steps_on_one_row_are_those_of_adam_by_hand():
    # Gradients 1 and 3: m = .1, then .09 + .3 = .39; v = .001, then .000999 + .009 = .009999.
    # Unbiased m .39 / .19 = 2.052632, v .009999 / .001999 = 5.002001; 1 + 2.052632 / 2.236515 = 1.917781 rates.
    output = run(LazyAdam(0.01), [slices([[1, 0]], [0]), slices([[3, 0]], [0])], np.zeros((4, 2), np.float32))
    np.testing.assert_allclose(output[0], [-0.0191778, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("step", "want"), [(0, 0.25), (1, 0.5), (3, 1.0), (4, 1.0), (5, 0.933013), (7, 0.5), (9, 0.066987), (10, 0.0)]
)
def test_the_learning_rate_rises_for_four_steps_and_falls_along_a_cosine_for_six(step, want):
    assert float(WarmUp(1.0, 4, 10, True)(step)) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize(("step", "want"), [(0, 0.05), (1, 0.1), (500, 0.1)])
def test_without_a_cosine_the_learning_rate_stays(step, want):
    assert float(WarmUp(0.1, 2, 10, False)(step)) == pytest.approx(want, abs=1e-6)


def test_without_a_warm_up_the_first_step_has_the_peak_rate():
    assert float(WarmUp(0.1, 0, 10, False)(0)) == pytest.approx(0.1)


def test_a_schedule_is_rebuilt_from_its_config():
    schedule = WarmUp(0.1, 3, 10, True)
    again = WarmUp.from_config(schedule.get_config())
    assert [float(again(step)) for step in range(10)] == [float(schedule(step)) for step in range(10)]


def test_the_config_names_optimiser_and_schedule():
    config = TrainingConfig(epochs=10, learning_rate=0.5, warmup_fraction=0.2, schedule="constant")
    adam = build_optimizer(config, steps_per_epoch=5)
    assert isinstance(adam, LazyAdam)
    assert float(adam.learning_rate) == pytest.approx(0.05)  # the first of ten steps of warm-up
    adagrad = build_optimizer(TrainingConfig(optimizer="adagrad"), 5)
    assert isinstance(adagrad, tf_keras.optimizers.Adagrad)


@pytest.mark.parametrize(("clip_norm", "want"), [(1.0, [-0.6, -0.8]), (None, [-3.0, -4.0])])
def test_gradients_are_clipped_to_the_configured_norm(clip_norm, want, monkeypatch):
    seen = []
    monkeypatch.setattr(LazyAdam, "update_step", lambda self, gradient, variable: seen.append(-gradient))
    optimizer = build_optimizer(TrainingConfig(clip_norm=clip_norm), 5)
    optimizer.apply_gradients([(tf.constant([3.0, 4.0]), tf.Variable([0.0, 0.0]))])  # norm 5
    np.testing.assert_allclose(seen[0], want, atol=1e-6)


@pytest.mark.parametrize("name", ["adam", "adagrad"])
def test_the_backbone_moves_at_its_own_learning_rate(name):
    config = TrainingConfig(optimizer=name, learning_rate=0.1, backbone_learning_rate=0.01, schedule="constant")
    head, backbone = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 2.0])
    optimizer = build_optimizer(config, 100, [backbone])
    optimizer.build([head, backbone])
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant([0.3, -0.1]), head), (tf.constant([0.3, -0.1]), backbone)])
    moved = head.numpy() - [1, 2]
    assert np.all(np.abs(moved) > 0)
    np.testing.assert_allclose(backbone.numpy() - [1, 2], moved / 10, rtol=1e-3)
