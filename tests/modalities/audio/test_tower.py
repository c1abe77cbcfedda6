import numpy as np
import tensorflow as tf
import tf_keras

from mmrec.modalities.audio.config import AudioConfig
from mmrec.modalities.audio.tower import AudioTower

BANDS, DIM = 8, 6


def tower(layers=3, **settings):
    tf_keras.utils.set_random_seed(1)
    config = AudioConfig(**{"bands": BANDS, "channels": 12, "layers": layers, **settings})
    return AudioTower(config, np.linspace(-1, 1, BANDS), np.linspace(1, 2, BANDS), DIM)


def sounds(*frames, length=40, seed=0):
    """Returns features of recordings with these numbers of frames; what follows their end is not 0."""
    mel = np.random.default_rng(seed).normal(size=(len(frames), length, BANDS)).astype(np.float32)
    return {"audio_mel": tf.constant(mel), "audio_frames": tf.constant(frames, tf.int32)}


def test_only_the_frames_of_a_recording_change_its_vector():
    encode = tower()
    sounds_read = sounds(7, 38, 0, 1, 16)
    vectors, present = encode(sounds_read)
    assert present.numpy().tolist() == [True, True, False, True, True]
    assert np.isfinite(vectors.numpy()).all()
    for row, frames in enumerate((7, 38, 0, 1, 16)):
        one = sounds_read["audio_mel"][row : row + 1]
        for length in {max(frames, 1), max(frames, 1) + 1, 40}:  # an odd and an even number of frames
            noise = tf.where(tf.range(length)[tf.newaxis, :, tf.newaxis] < frames, one[:, :length], 9.0)
            alone, _ = encode({"audio_mel": noise, "audio_frames": tf.constant([frames])})
            np.testing.assert_allclose(alone[0], vectors[row], atol=1e-5)


def test_every_frame_and_band_counts():
    encode, vectors = tower(), sounds(12)
    before = encode(vectors)[0].numpy()
    for frame in range(12):
        for band in (0, BANDS - 1):
            mel = vectors["audio_mel"].numpy()
            mel[0, frame, band] += 1.0
            after = encode({"audio_mel": tf.constant(mel), "audio_frames": vectors["audio_frames"]})[0].numpy()
            assert np.abs(after - before).max() > 1e-5


def test_the_order_of_frames_counts():
    encode, vectors = tower(layers=1), sounds(12, length=12)
    backwards = vectors | {"audio_mel": vectors["audio_mel"][:, ::-1]}
    assert np.abs(encode(vectors)[0] - encode(backwards)[0]).max() > 1e-3


def test_bands_are_standardised_and_clipped():
    encode = tower(layers=1)
    mel = np.zeros((3, 1, BANDS), np.float32)
    mel[:, 0] = np.linspace(-1, 1, BANDS)  # the means; the deviations are 1 to 2
    mel[:, 0, 0] += [4.0, 5.0, 60.0]  # deviations
    vectors = encode({"audio_mel": tf.constant(mel), "audio_frames": tf.constant([1, 1, 1])})[0].numpy()
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4
    np.testing.assert_allclose(vectors[1], vectors[2], atol=1e-6)


def test_a_batch_may_be_empty_or_silent():
    encode = tower()
    assert encode(sounds())[0].shape == (0, DIM)
    vectors, present = encode(sounds(0, 0))
    assert np.isfinite(vectors.numpy()).all()
    assert not present.numpy().any()


def test_a_silent_row_gives_finite_gradients():
    encode, vectors = tower(), sounds(0, 5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(encode(vectors, training=True)[0]))
    for gradient in tape.gradient(loss, encode.trainable_variables):
        assert np.isfinite(gradient.numpy()).all()
