"""How fast is photo augmentation, beside Keras's `ImageDataGenerator`?

Two comparisons at 64, 128 and 224 px, each with rotation, shifts, shear, zoom and a horizontal flip:

* `warp`: decoded float32 photos in, changed photos out;
* `end to end`: JPEG bytes (500 x 500 px) in, changed photos out.

Keras works as its iterators do: one NumPy photo at a time, in one thread. mmrec works a batch of 32 at a time, on every
core that is free. Both shrink with antialiasing. The two take turns, and the median of the rounds counts. Needs SciPy,
which `ImageDataGenerator` calls.

    python -m benchmarks.augmentation [--json FILE] [--quick]
"""

from __future__ import annotations

import io

from benchmarks.common import Rows, by_turns  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip  # noqa: F401
import numpy as np
import tensorflow as tf
from PIL import Image
from tf_keras.preprocessing.image import ImageDataGenerator

from mmrec.modalities.image.augmentation import augment
from mmrec.modalities.image.config import AugmentationConfig
from mmrec.preprocess.images import decode_images

BATCH, SIZES, JPEG_SIZE = 32, (64, 128, 224), 500
CHANGES = {
    "rotation_range": 20,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "shear_range": 10,
    "zoom_range": 0.2,
    "horizontal_flip": True,
}


def jpegs(count: int) -> list[bytes]:
    """Returns `count` different smooth photos as JPEG files."""
    random = np.random.default_rng(0)
    files = []
    for _ in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        file = io.BytesIO()
        coarse.resize((JPEG_SIZE, JPEG_SIZE), Image.Resampling.BICUBIC).save(file, "JPEG", quality=88)
        files.append(file.getvalue())
    return files


def measure(size: int, files: list[bytes], rounds: int) -> list[dict]:
    """Returns the rows of one photo size: photos per second of both sides, and the ratios."""
    config, generator = AugmentationConfig(**CHANGES), ImageDataGenerator(**CHANGES)
    encoded = tf.constant(files)
    seeds = tf.stack([tf.range(BATCH), tf.zeros([BATCH], tf.int32)], axis=1)
    photos = tf.cast(decode_images(encoded, size)[0], tf.float32)
    arrays = photos.numpy()

    @tf.function
    def warp():
        return augment(photos, config, seeds)

    @tf.function
    def from_bytes(encoded):
        return augment(decode_images(encoded, size)[0], config, seeds)

    def keras_from_bytes():
        for file in files:
            image = Image.open(io.BytesIO(file)).convert("RGB").resize((size, size), Image.Resampling.BILINEAR)
            generator.random_transform(np.asarray(image, np.float32))

    def keras_warp():
        for array in arrays:
            generator.random_transform(array)

    rows = []
    for what, ours, keras in (
        ("warp", warp, keras_warp),
        ("augmentation", lambda: from_bytes(encoded), keras_from_bytes),
    ):
        seconds = by_turns(rounds, {"ours": ours, "keras": keras})
        rows += [
            {"name": f"{what}_{size}:mmrec", "value": BATCH / seconds["ours"], "unit": "photos/s"},
            {"name": f"{what}_{size}:ImageDataGenerator", "value": BATCH / seconds["keras"], "unit": "photos/s"},
            {"name": f"ratio:{what}_{size}", "value": seconds["keras"] / seconds["ours"], "unit": "times"},
        ]
    return rows


def main() -> None:
    rows, files = Rows(__doc__), jpegs(BATCH)
    for size in SIZES:
        for row in measure(size, files, 3 if rows.options.quick else 25):
            rows.add(**row)
    rows.write()


if __name__ == "__main__":
    main()
