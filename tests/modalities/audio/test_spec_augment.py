import numpy as np
import pytest
import tensorflow as tf

from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.audio.spec_augment import spec_augment

NOTHING = {"time_shift": 0.0, "time_masks": 0, "band_masks": 0}
CHANGES = {"time_shift": 0.2, "time_masks": 2, "band_masks": 2}


def changed(mel, frames, seeds, **settings):
    config = AudioConfig(**{**NOTHING, **settings})
    graph = tf.function(lambda *inputs: spec_augment(*inputs[:2], config, inputs[2]))
    image = graph(tf.constant(mel), tf.constant(frames), tf.constant(seeds))
    return [tensor.numpy() for tensor in image]


def ones(count, frames=40, length=50, bands=20):
    """Returns `count` recordings of ones, and their numbers of frames."""
    mel = np.zeros((count, length, bands), np.float32)
    mel[:, :frames] = 1.0
    return mel, np.full(count, frames, np.int32)


def seeds(count):
    return np.stack([np.arange(count), np.full(count, 7)], axis=1)


def test_without_any_range_nothing_changes():
    mel = np.random.default_rng(0).normal(size=(3, 6, 4)).astype(np.float32)
    mel[1, 2:], mel[2] = 0.0, 0.0
    actual, frames = changed(mel, [6, 2, 0], seeds(3))
    np.testing.assert_array_equal(actual, mel)
    assert frames.tolist() == [6, 2, 0]


def test_a_time_mask_hides_neighbouring_frames_up_to_its_share_of_the_recording():
    mel, frames = changed(*ones(600), seeds(600), time_masks=1, time_mask=0.25)
    assert (frames == 40).all()
    hidden = mel[:, :40] == 0
    assert (hidden.all(axis=2) == hidden.any(axis=2)).all()  # every band of a frame, or none
    widths = hidden[:, :, 0].sum(axis=1)
    assert sorted(set(widths)) == list(range(11))  # 0 to 25% of 40, each
    assert np.bincount(widths).min() > 600 / 11 * 0.5
    assert (np.abs(np.diff(hidden[:, :, 0].astype(int), axis=1)).sum(axis=1) <= 2).all()  # one stretch
    assert hidden.any(axis=0).all()  # anywhere


def test_a_band_mask_hides_neighbouring_bands_in_all_frames():
    mel, _ = changed(*ones(600), seeds(600), band_masks=1, band_mask=0.2)
    hidden = mel[:, :40] == 0
    assert (hidden.all(axis=1) == hidden.any(axis=1)).all()
    assert sorted(set(hidden[:, 0].sum(axis=1))) == [0, 1, 2, 3, 4]
    assert (np.abs(np.diff(hidden[:, 0].astype(int), axis=1)).sum(axis=1) <= 2).all()
    assert hidden.any(axis=0).all()


def test_several_masks_are_drawn_apart():
    mel, _ = changed(*ones(300), seeds(300), time_masks=2, time_mask=0.25, band_masks=1, band_mask=0.2)
    in_time = (mel[:, :40] == 0).all(axis=2)
    assert 10 < in_time.sum(axis=1).max() <= 20
    assert (np.abs(np.diff(in_time.astype(int), axis=1)).sum(axis=1) > 2).any()


def test_a_shift_moves_the_recording_and_its_end():
    count = 400
    mel = np.zeros((count, 50, 8), np.float32)
    mel[:, :20] = np.arange(1, 21)[:, np.newaxis]
    actual, frames = changed(mel, np.full(count, 20, np.int32), seeds(count), time_shift=0.25)
    shifts = frames - 20
    assert sorted(set(shifts)) == list(range(-5, 6))
    for row, shift in zip(actual[..., 0], shifts, strict=True):
        expected = np.zeros(50)
        expected[max(shift, 0) : 20 + shift] = np.arange(1 + max(-shift, 0), 21)
        assert row.tolist() == expected.tolist()


def test_a_shift_stays_inside_the_array_and_leaves_a_frame():
    mel, lengths = ones(200, frames=50)
    _, frames = changed(mel, lengths, seeds(200), time_shift=0.9)
    assert (frames.min(), frames.max()) == (5, 50)
    _, short = changed(*ones(200, frames=1), seeds(200), time_shift=0.9)
    assert set(short) == {1, 2}
    _, none = changed(*ones(50, frames=0), seeds(50), time_shift=0.9)
    assert set(none) == {0}


def test_a_change_depends_on_the_seed_alone():
    mel = np.random.default_rng(0).normal(size=(8, 30, 10)).astype(np.float32)
    lengths = np.arange(23, 31).astype(np.int32)
    together, frames = changed(mel, lengths, seeds(8), **CHANGES)
    for row in (0, 7):
        alone, count = changed(mel[row : row + 1], lengths[row : row + 1], seeds(8)[row : row + 1], **CHANGES)
        np.testing.assert_array_equal(alone[0], together[row])
        assert count[0] == frames[row]
    other, _ = changed(mel, lengths, seeds(8) + 1, **CHANGES)
    assert (other != together).any(axis=(1, 2)).all()


@pytest.mark.parametrize("count", [0, 3])
def test_any_number_of_rows_is_changed_in_a_graph(count):
    actual, _ = changed(*ones(count), seeds(count), **CHANGES)
    assert actual.shape == (count, 50, 20)
    assert np.isfinite(actual).all()
