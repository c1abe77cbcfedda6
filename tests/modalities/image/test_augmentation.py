import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError
from scipy.stats import ks_2samp
from tf_keras.preprocessing.image import ImageDataGenerator

from mmrec.modalities.image import augmentation
from mmrec.modalities.image.augmentation import apply, augment, draw
from mmrec.modalities.image.config import AugmentationConfig

SIZE = 64
STILL = {"theta": 0.0, "tx": 0.0, "ty": 0.0, "shear": 0.0, "zx": 1.0, "zy": 1.0, "flip_horizontal": False}
STILL |= {"flip_vertical": False, "channel_shift_intensity": 0.0, "brightness": 1.0}
EVERYTHING = AugmentationConfig(
    rotation_range=40,
    width_shift_range=0.2,
    height_shift_range=0.1,
    shear_range=15,
    zoom_range=0.3,
    brightness_range=(0.6, 1.4),
    channel_shift_range=50,
    horizontal_flip=True,
    vertical_flip=True,
)
MOVES = EVERYTHING.model_copy(update={"brightness_range": None, "channel_shift_range": 0.0})


def photos(count=8, size=SIZE):
    """Returns smooth photos, float32 [count, size, size, 3] of whole numbers 0-255."""
    x, y = np.meshgrid(np.arange(size), np.arange(size))
    phase = np.random.default_rng(0).uniform(0, 6, (count, 1, 1, 3))
    waves = np.sin(x[..., None] / 7 + phase) * np.cos(y[..., None] / 5 - phase)
    return np.round(127.5 + 127.5 * waves).astype(np.float32)


def seeds(count, first=0):
    return tf.stack([tf.range(first, first + count), tf.fill([count], 5)], axis=1)


def parameters(count=1, **changed):
    return {name: tf.fill([count], value) for name, value in {**STILL, **changed}.items()}


def by_keras(images, drawn, config):
    generator = ImageDataGenerator(fill_mode=config.fill_mode, cval=config.cval, interpolation_order=1)
    changed = []
    for row, image in enumerate(images):
        one = {name: value.numpy()[row].item() for name, value in drawn.items()}
        if not config.channel_shift_range:
            one["channel_shift_intensity"] = None
        if config.brightness_range is None:
            one["brightness"] = None
        changed.append(generator.apply_transform(image, one))
    return np.stack(changed)


def distance(config, images=None, drawn=None):
    """Returns the mean absolute difference to Keras, in levels of 255."""
    images = photos() if images is None else images
    drawn = draw(config, seeds(len(images)), images.shape[1]) if drawn is None else drawn
    return np.abs(apply(images, drawn, config).numpy() - by_keras(images, drawn, config)).mean()


ALL_MOVES = EVERYTHING.model_dump(exclude={"fill_mode", "cval"})


@pytest.mark.parametrize(
    "changes",
    [
        {"rotation_range": 180},
        {"width_shift_range": 0.4},
        {"height_shift_range": 0.4},
        {"shear_range": 40},
        {"zoom_range": 0.5},
        {"horizontal_flip": True},
        {"vertical_flip": True},
        {"channel_shift_range": 120},
        {"brightness_range": (0.3, 2.0)},
        *(ALL_MOVES | {"fill_mode": fill_mode} for fill_mode in ("nearest", "reflect", "constant", "wrap")),
    ],
    ids=lambda changes: changes["fill_mode"] if "fill_mode" in changes else next(iter(changes)),
)
def test_equal_parameters_give_the_pixels_of_image_data_generator(changes):
    assert distance(AugmentationConfig(**changes, cval=200)) < 0.05


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "constant", "wrap"])
def test_noise_and_other_sizes_agree_with_image_data_generator_too(fill_mode):
    noise = np.random.default_rng(1).integers(0, 256, (4, 33, 33, 3)).astype(np.float32)
    assert distance(MOVES.model_copy(update={"fill_mode": fill_mode}), noise) < 0.05


def test_wrap_repeats_the_photo_every_pixel_but_one_as_image_data_generator_does():
    image = tf.reshape([0.0, 10.0, 20.0, 30.0], [1, 1, 4, 1]) * tf.ones([1, 4, 1, 3])
    moved = apply(image, parameters(tx=1.5), AugmentationConfig(width_shift_range=0.5, fill_mode="wrap"))
    # Columns 1.5, 2.5, 3.5 and 4.5; the last two are 3.5 - 3 and 4.5 - 3.
    assert moved[0, 0, :, 0].numpy().tolist() == [15, 25, 5, 15]


def test_each_parameter_moves_the_photo_as_its_name_says():
    config = AugmentationConfig(width_shift_range=0.5)
    image = tf.reshape(tf.range(9.0), [1, 3, 3, 1]) * tf.ones([3])

    def moved(**changed):
        return apply(image, parameters(**changed), config)[0, :, :, 0].numpy().round(4).tolist()

    assert moved() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert moved(tx=1.0) == [[1, 2, 2], [4, 5, 5], [7, 8, 8]]
    assert moved(ty=1.0) == [[3, 4, 5], [6, 7, 8], [6, 7, 8]]
    assert moved(tx=0.5) == [[0.5, 1.5, 2], [3.5, 4.5, 5], [6.5, 7.5, 8]]
    assert moved(flip_horizontal=True) == [[2, 1, 0], [5, 4, 3], [8, 7, 6]]
    assert moved(flip_vertical=True) == [[6, 7, 8], [3, 4, 5], [0, 1, 2]]
    assert moved(theta=90.0) == [[2, 5, 8], [1, 4, 7], [0, 3, 6]]
    assert moved(zx=0.5) == [[0.5, 1, 1.5], [3.5, 4, 4.5], [6.5, 7, 7.5]]
    assert moved(zy=0.5) == [[1.5, 2.5, 3.5], [3, 4, 5], [4.5, 5.5, 6.5]]
    assert moved(shear=90.0) == [[4, 5, 5], [3, 4, 5], [3, 3, 4]]


def test_constant_fill_leaves_the_border_as_it_is():
    config = AugmentationConfig(width_shift_range=0.5, fill_mode="constant", cval=9)
    image = tf.fill([1, 4, 4, 3], 100.0)
    row = apply(image, parameters(tx=1.5), config)[0, 0, :, 0]
    assert row.numpy().tolist() == [100, 100, 9, 9]  # sources 1.5, 2.5, 3.5, 4.5 of 0-3


def test_channel_shift_stays_within_the_photos_own_range():
    image = tf.constant([10.0, 100.0, 200.0])[tf.newaxis, tf.newaxis, tf.newaxis]
    shifted = apply(image, parameters(channel_shift_intensity=60.0), AugmentationConfig(channel_shift_range=60))
    assert shifted[0, 0, 0].numpy().tolist() == [70, 160, 200]


def test_brightness_multiplies_in_whole_levels_and_stops_at_255():
    image = tf.constant([10.9, 101.0, 200.0])[tf.newaxis, tf.newaxis, tf.newaxis]
    brighter = apply(image, parameters(brightness=1.5), AugmentationConfig(brightness_range=(1, 2)))
    assert brighter[0, 0, 0].numpy().tolist() == [15, 151, 255]


def test_a_null_config_changes_nothing():
    images = np.random.default_rng(0).uniform(0, 255, (3, 16, 16, 3)).astype(np.float32)
    np.testing.assert_array_equal(augment(images, AugmentationConfig(), seeds(3)), images)


def test_draws_fill_their_ranges_evenly():
    drawn = tf.function(lambda: draw(EVERYTHING, seeds(4096), 100))()
    ends = {"theta": (-40, 40), "tx": (-20, 20), "ty": (-10, 10), "shear": (-15, 15), "zx": (0.7, 1.3)}
    ends |= {"zy": (0.7, 1.3), "channel_shift_intensity": (-50, 50), "brightness": (0.6, 1.4)}
    for name, (low, high) in ends.items():
        share = (drawn[name].numpy() - low) / (high - low)
        assert -1e-6 <= share.min() < 0.01, name
        assert 0.99 < share.max() <= 1 + 1e-6, name
        assert share.mean() == pytest.approx(1 / 2, abs=0.02), name  # 4 standard errors
        assert share.var() == pytest.approx(1 / 12, abs=0.005), name
    for name in ("flip_horizontal", "flip_vertical"):
        assert drawn[name].numpy().mean() == pytest.approx(0.5, abs=0.032), name
    values = np.stack([np.asarray(value, np.float64) for value in drawn.values()])
    correlation = np.corrcoef(values) - np.eye(10)
    assert np.abs(correlation).max() < 0.08


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"width_shift_range": 4, "height_shift_range": 3},
        {"width_shift_range": 7.5, "height_shift_range": 1.0},
        {"zoom_range": (0.5, 2.0)},
    ],
    ids=["shares", "whole_pixels", "pixels", "zoom_pair"],
)
def test_draws_have_the_distributions_of_image_data_generator(changed):
    config = EVERYTHING.model_copy(update=changed)
    generator = ImageDataGenerator(**config.model_dump(exclude={"rescale"}))
    np.random.seed(1)
    keras = [generator.get_random_transform((SIZE, SIZE, 3)) for _ in range(4000)]
    ours = tf.function(lambda: draw(config, seeds(4000), SIZE))()
    swapped = {"tx": "ty", "ty": "tx"}  # see the Source of `draw`
    for name, values in ours.items():
        theirs = np.array([one[swapped.get(name, name)] for one in keras], np.float32)
        assert ks_2samp(values.numpy().astype(np.float32), theirs).pvalue > 0.001, name


def test_whole_pixels_are_drawn_below_the_range_and_both_ways():
    drawn = tf.function(lambda: draw(AugmentationConfig(width_shift_range=3), seeds(300), SIZE))()["tx"]
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    assert np.abs(counts - [50, 50, 100, 50, 50]).max() < 30


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("rescale", 1 / 255), ("zoom_range", (1.5, 0.5)), ("zoom_range", 1.5), ("brightness_range", (1.5, 0.5))],
)
def test_ranges_that_make_no_sense_are_refused(name, wrong):
    with pytest.raises(ValidationError, match=f"`{name}` must be"):
        AugmentationConfig(**{name: wrong})


def test_what_is_switched_off_is_drawn_as_no_change():
    drawn = draw(AugmentationConfig(), seeds(2), SIZE)
    assert {name: value.numpy().tolist() for name, value in drawn.items()} == {
        name: [value, value] for name, value in STILL.items()
    }


def test_switching_a_change_on_leaves_the_other_draws_alone():
    alone = draw(AugmentationConfig(rotation_range=40), seeds(5), SIZE)
    together = draw(EVERYTHING, seeds(5), SIZE)
    np.testing.assert_array_equal(alone["theta"], together["theta"])


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
def test_a_seed_decides_everything_whatever_stands_beside_it(dtype):
    images, keys = tf.constant(photos(6)), tf.cast(seeds(6), dtype)
    once = augment(images, EVERYTHING, keys)
    np.testing.assert_array_equal(augment(images, EVERYTHING, keys), once)
    order = [4, 1, 3]
    np.testing.assert_array_equal(
        augment(tf.gather(images, order), EVERYTHING, tf.gather(keys, order)), tf.gather(once, order)
    )
    np.testing.assert_array_equal(augment(images[2:3], EVERYTHING, keys[2:3])[0], once[2])


def test_other_seeds_change_a_photo_otherwise():
    images = tf.repeat(photos(1), 3, axis=0)
    keys = tf.constant([[0, 0], [1, 0], [0, 1]])
    changed = augment(images, EVERYTHING, keys).numpy()
    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert np.abs(changed[one] - changed[other]).mean() > 5


def test_graph_and_eager_agree_and_an_empty_batch_stays_empty():
    spec = [tf.TensorSpec([None, None, None, 3], tf.float32), tf.TensorSpec([None, 2], tf.int32)]
    graph = tf.function(lambda images, keys: augment(images, EVERYTHING, keys), input_signature=spec)
    images = photos(4)
    result = graph(images, seeds(4))
    assert result.dtype == tf.float32
    np.testing.assert_allclose(result, augment(images, EVERYTHING, seeds(4)), atol=1.001)  # a level: see `apply`
    assert np.abs(result - augment(images, EVERYTHING, seeds(4))).mean() < 0.01
    assert graph(np.zeros([0, SIZE, SIZE, 3], np.float32), np.zeros([0, 2], np.int32)).shape == (0, SIZE, SIZE, 3)


def test_bytes_and_floats_give_the_same_pixels():
    images = photos(5)
    np.testing.assert_array_equal(
        augment(images.astype(np.uint8), EVERYTHING, seeds(5)), augment(images, EVERYTHING, seeds(5))
    )


@pytest.mark.parametrize("fill_mode", ["nearest", "reflect", "constant", "wrap"])
def test_without_the_compiler_the_pixels_are_the_same(fill_mode, monkeypatch):
    config = MOVES.model_copy(update={"fill_mode": fill_mode})
    compiled = augment(photos(2), config, seeds(2))
    monkeypatch.setattr(augmentation, "_can_compile", lambda: False)
    monkeypatch.setattr(augmentation, "_program", augmentation._program.__wrapped__)
    assert np.abs(augment(photos(2), config, seeds(2)) - compiled).mean() < 0.01


def test_a_photo_of_one_pixel_stays_as_it_is():
    image = tf.fill([1, 1, 1, 3], 80.0)
    assert augment(image, MOVES, seeds(1)).numpy().ravel().tolist() == [80, 80, 80]
