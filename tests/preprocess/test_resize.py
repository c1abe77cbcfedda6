import numpy as np
import pytest
import tensorflow as tf

from mmrec.preprocess.resize import resize


def shrunk(pixels, size, at_once):
    """Returns the result, and how many rows were read at once, at most."""
    most = []

    def read(first, last):
        most.append(int(last - first))
        return tf.constant(pixels)[first:last]

    height, width = (tf.constant(side, tf.int64) for side in pixels.shape[:2])
    return resize(read, height, width, size, at_once).numpy().astype(int), max(most)


SHAPES = [(200, 90), (37, 300), (5, 300), (900, 5), (1, 200), (2000, 1), (129, 131)]


@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_bands_change_nothing_but_rounding(height, width):
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
    whole, every_row = shrunk(pixels, 16, 10**9)
    bands, rows = shrunk(pixels, 16, 900)
    assert every_row == height
    assert rows < height or height <= 5, "the photo is read in parts"
    assert np.abs(whole - bands).max() <= 1


def test_a_band_is_as_small_as_asked_for_or_as_one_row_of_the_result_needs():
    pixels = np.zeros((1600, 100, 3), np.uint8)
    assert shrunk(pixels, 16, 100 * 800)[1] <= 800
    assert shrunk(pixels, 16, 1)[1] <= 202  # weights of a row reach over twice the 100 rows that it stands for


def test_four_pixels_to_two_by_hand():
    pixels = np.repeat(np.array([[[0], [0], [100], [100]]], np.uint8), 4, axis=0).repeat(3, axis=2)
    # Triangle weights .75, .75, .25, 0 over 1.75: 14.29 and 85.71.
    for at_once in (1, 10**9):
        assert shrunk(pixels, 2, at_once)[0][:, :, 0].tolist() == [[14, 86], [14, 86]]
