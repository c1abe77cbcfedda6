"""Random photo changes with the names and meanings of Keras's `ImageDataGenerator`, a batch at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from mmrec.modalities.image.config import AugmentationConfig

_ON_THE_EDGE = 1e-3  # pixels; float32 puts a source that lies exactly on the border just outside of it
_CHUNK = 4  # photos changed by one call of the compiled program: one shape whatever the batch, and work for every core


def augment(images: tf.Tensor, config: AugmentationConfig, seeds: tf.Tensor) -> tf.Tensor:
    """Changes every photo at random, each by its own seed only.

    Args:
      images: uint8 (faster) or float32 [B, S, S, 3], 0-255.
      config: the ranges that changes are drawn from.
      seeds: int32 or int64 [B, 2]; the same seed gives the same change, whatever else is in the batch.

    Returns:
      float32 [B, S, S, 3], 0-255.
    """
    return apply(images, draw(config, seeds, tf.shape(images)[1]), config)


def draw(config: AugmentationConfig, seeds: tf.Tensor, size: int | tf.Tensor) -> dict[str, tf.Tensor]:
    """Draws what happens to each photo.

    A parameter always uses the same number of its seed's stream, so switching one on leaves the others as they were.

    Args:
      config: the ranges.
      seeds: int32 or int64 [B, 2].
      size: width and height S of the photos, pixels.

    Returns:
      The keys of Keras's `transform_parameters`, all [B]. float32: `theta` and `shear` (degrees), `tx` and `ty` (pixels
      to the right and down that each output pixel looks), `zx` and `zy` (factors; below 1 enlarges),
      `channel_shift_intensity` (0-255 scale), `brightness` (factor). bool: `flip_horizontal`, `flip_vertical`.

    Source: `ImageDataGenerator.get_random_transform`, tf_keras 2.21: the same distributions. There `height_shift_range`
      feeds `tx`, which moves photos sideways, and `width_shift_range` moves them up and down; here both do what their
      names say.
    """
    numbers = tf.map_fn(
        lambda seed: tf.random.stateless_uniform([10], seed, alg="philox"),
        tf.convert_to_tensor(seeds),
        fn_output_signature=tf.TensorSpec([10], tf.float32),
    )  # [B, 10], in [0, 1)
    number = tf.unstack(numbers, axis=1)
    pixels = tf.cast(size, tf.float32)

    def around(middle, reach, of):  # uniform in middle +- reach
        return middle + reach * (2.0 * of - 1.0)

    def shift(reach, of):
        if isinstance(reach, int):  # 0 to n - 1 whole pixels, either way
            step = tf.floor(of * 2.0 * reach)
            return tf.where(step % 2.0 == 0.0, 1.0, -1.0) * tf.floor(step / 2.0)
        return around(0.0, reach * pixels if reach < 1 else reach, of)

    def between(low, high, of):
        return low + (high - low) * of

    zoom = config.zoom_range
    zoom = zoom if isinstance(zoom, tuple) else (1.0 - zoom, 1.0 + zoom)
    return {
        "theta": around(0.0, config.rotation_range, number[0]),
        "tx": shift(config.width_shift_range, number[1]),
        "ty": shift(config.height_shift_range, number[2]),
        "shear": around(0.0, config.shear_range, number[3]),
        "zx": between(*zoom, number[4]),
        "zy": between(*zoom, number[5]),
        "flip_horizontal": tf.logical_and(number[6] < 0.5, config.horizontal_flip),
        "flip_vertical": tf.logical_and(number[7] < 0.5, config.vertical_flip),
        "channel_shift_intensity": around(0.0, config.channel_shift_range, number[8]),
        "brightness": between(*(config.brightness_range or (1.0, 1.0)), number[9]),
    }


def apply(images: tf.Tensor, parameters: dict[str, tf.Tensor], config: AugmentationConfig) -> tf.Tensor:
    """Applies drawn changes to photos: first the moves (one warp), then the channel shift, then the brightness.

    Args:
      images: uint8 or float32 [B, S, S, 3], 0-255.
      parameters: as returned by `draw`.
      config: which steps run, and how gaps are filled; a step whose range is 0, null or false is left out.

    Returns:
      float32 [B, S, S, 3], 0-255.

    Source: `ImageDataGenerator.apply_transform`, tf_keras 2.21, interpolation_order=1. With equal parameters the pixels
      are equal but for float32 rounding, which the brightness step can turn into one level of 255. `fill_mode: wrap`
      repeats a photo every S - 1 pixels, as SciPy does.
    """
    images = tf.convert_to_tensor(images)
    matrix = _source_matrix(parameters, tf.cast(tf.shape(images)[1], tf.float32))
    changed = _program(_steps(config))(images, matrix, parameters["channel_shift_intensity"], parameters["brightness"])
    return tf.ensure_shape(changed, images.shape)


class _Steps(NamedTuple):
    """What a config switches on; configs that agree in it share a compiled program."""

    move: bool
    shift_channels: bool
    brighten: bool
    fill_mode: str
    cval: float


def _steps(config: AugmentationConfig) -> _Steps:
    moves = ("rotation_range", "width_shift_range", "height_shift_range", "shear_range", "horizontal_flip")
    moves = any(getattr(config, name) for name in (*moves, "vertical_flip"))
    zooms = config.zoom_range not in (0.0, (1.0, 1.0))
    brightens = config.brightness_range is not None
    return _Steps(moves or zooms, bool(config.channel_shift_range), brightens, config.fill_mode, config.cval)


@functools.lru_cache
def _program(steps: _Steps) -> Callable[..., tf.Tensor]:
    """Returns (images [B, S, S, 3], matrix [B, 6], intensity [B], brightness [B]) -> float32 [B, S, S, 3]."""
    change = tf.function(functools.partial(_change, steps), jit_compile=_can_compile(), autograph=False)

    @tf.function(reduce_retracing=True)
    def program(*batch):
        count, size = tf.shape(batch[0])[0], tf.shape(batch[0])[1]
        chunks = tf.maximum(-(-count // _CHUNK), 1)  # an empty batch is one chunk too: nothing can be stacked of none

        def cut(value):
            rest = [[0, chunks * _CHUNK - count]] + [[0, 0]] * (value.shape.rank - 1)
            return tf.reshape(tf.pad(value, rest), tf.concat([[chunks, _CHUNK], tf.shape(value)[1:]], 0))

        changed = tf.map_fn(lambda chunk: change(*chunk), [cut(part) for part in batch], fn_output_signature=tf.float32)
        return tf.reshape(changed, [chunks * _CHUNK, size, size, 3])[:count]

    return program


@functools.cache
def _can_compile() -> bool:
    """Returns whether XLA is there for the CPU, which it makes faster; a GPU is fast without."""
    if tf.config.list_physical_devices("GPU"):
        return False
    try:
        with tf.init_scope():
            tf.function(lambda: tf.random.stateless_uniform([], [0, 0]) + 1.0, jit_compile=True)()
    except tf.errors.OpError:
        return False
    return True


def _change(
    steps: _Steps, images: tf.Tensor, matrix: tf.Tensor, intensity: tf.Tensor, brightness: tf.Tensor
) -> tf.Tensor:
    if steps.move:
        images = _move(images, matrix, steps)
    images = tf.cast(images, tf.float32)
    if steps.shift_channels:
        images = _shift_channels(images, intensity)
    if steps.brighten:
        images = _brighten(images, brightness)
    return images


def _move(images: tf.Tensor, matrix: tf.Tensor, steps: _Steps) -> tf.Tensor:
    """Returns float32 [B, S, S, 3]: each pixel a mean of the four around its source, as `matrix` [B, 6] places it."""
    count, size = tf.shape(images)[0], tf.shape(images)[1]
    line = tf.cast(tf.range(size), tf.float32)  # [S]
    a, b, c, d, e, f = (value[:, tf.newaxis, tf.newaxis] for value in tf.unstack(matrix, axis=1))  # each [B, 1, 1]
    x = a * line + b * line[:, tf.newaxis] + c  # [B, S, S]
    y = d * line + e * line[:, tf.newaxis] + f  # [B, S, S]
    left, across = _within(x, size, steps.fill_mode)
    top, down = _within(y, size, steps.fill_mode)

    photos = tf.reshape(images, [-1, 3])  # [B S S, 3]
    first = size * size * tf.range(count)[:, tf.newaxis, tf.newaxis] + size * top + left  # [B, S, S]
    step = tf.minimum(size - 1, 1)  # a photo of one pixel has no neighbour
    corners = (first, first + step, first + step * size, first + step * (size + 1))
    upper, upper_right, lower, lower_right = (tf.cast(tf.gather(photos, at), tf.float32) for at in corners)
    upper += (upper_right - upper) * across
    lower += (lower_right - lower) * across
    moved = upper + (lower - upper) * down  # [B, S, S, 3]
    if steps.fill_mode == "constant":
        moved = tf.where((_is_inside(x, size) & _is_inside(y, size))[..., tf.newaxis], moved, steps.cval)
    return moved


def _within(place: tf.Tensor, size: tf.Tensor, fill_mode: str) -> tuple[tf.Tensor, tf.Tensor]:
    """Brings places (float32 [B, S, S], pixels along one axis) into the photo.

    Returns:
      pixel: int32 [B, S, S], the last one before the place that has a neighbour after it.
      share: float32 [B, S, S, 1], 0-1, the neighbour's weight.
    """
    last = tf.cast(size, tf.float32) - 1.0
    if fill_mode == "reflect":  # a b c | c b a: a triangle wave between the outer edges of the pixels
        period = 2.0 * (last + 1.0)
        wave = tf.math.floormod(place + 0.5, period)
        place = tf.minimum(wave, period - wave) - 0.5
    elif fill_mode == "wrap":
        place = tf.where(_is_inside(place, size), place, tf.math.floormod(place, tf.maximum(last, 1.0)))
    place = tf.clip_by_value(place, 0.0, last)
    pixel = tf.floor(tf.minimum(place, tf.maximum(last - 1.0, 0.0)))
    return tf.cast(pixel, tf.int32), (place - pixel)[..., tf.newaxis]


def _is_inside(place: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Returns bool, the shape of `place`: whether it lies between the middles of the first and the last pixel."""
    return (place >= -_ON_THE_EDGE) & (place <= tf.cast(size, tf.float32) - 1.0 + _ON_THE_EDGE)


def _source_matrix(parameters: dict[str, tf.Tensor], size: tf.Tensor) -> tf.Tensor:
    """Returns float32 [B, 6], rows (a, b, c, d, e, f): output pixel (x, y) shows (a x + b y + c, d x + e y + f).

    Keras multiplies rotation, shift, shear and zoom about the photo's centre and flips at the end. A flip is a zoom by
    -1 at the right end of that product, so that it costs nothing.
    """
    radians = 3.141592653589793 / 180.0
    theta, shear = parameters["theta"] * radians, parameters["shear"] * radians
    zx = tf.where(parameters["flip_horizontal"], -parameters["zx"], parameters["zx"])
    zy = tf.where(parameters["flip_vertical"], -parameters["zy"], parameters["zy"])
    cos, sin = tf.cos(theta), tf.sin(theta)
    a, b = cos * zx, -tf.sin(theta + shear) * zy
    d, e = sin * zx, tf.cos(theta + shear) * zy
    centre = size / 2.0 - 0.5
    c = centre - (a + b) * centre + cos * parameters["tx"] - sin * parameters["ty"]
    f = centre - (d + e) * centre + sin * parameters["tx"] + cos * parameters["ty"]
    return tf.stack([a, b, c, d, e, f], axis=1)


def _shift_channels(images: tf.Tensor, intensity: tf.Tensor) -> tf.Tensor:
    """Adds `intensity` [B] to every channel, within the photo's own darkest and lightest value."""
    darkest = tf.reduce_min(images, axis=[1, 2, 3], keepdims=True)
    lightest = tf.reduce_max(images, axis=[1, 2, 3], keepdims=True)
    return tf.clip_by_value(images + intensity[:, tf.newaxis, tf.newaxis, tf.newaxis], darkest, lightest)


def _brighten(images: tf.Tensor, brightness: tf.Tensor) -> tf.Tensor:
    """Multiplies by `brightness` [B], cut to 0-255; in whole levels, rounded down before and after, as Pillow does."""
    factor = brightness[:, tf.newaxis, tf.newaxis, tf.newaxis]
    return tf.floor(tf.clip_by_value(tf.floor(images) * factor, 0.0, 255.0))
