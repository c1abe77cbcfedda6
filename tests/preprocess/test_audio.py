import numpy as np
import pytest
import scipy.signal
import tensorflow as tf

from mmrec.modalities.audio.config import AudioConfig
from mmrec.preprocess.audio import decode_audio, log_mel
from tests.preprocess.wav_files import chunk, form, riff, tone, wav

CONFIG = AudioConfig(rate=8000, seconds=0.5, window_ms=32, hop_ms=16, bands=20)


def whole(samples):
    return np.round(samples * 32767).astype(int)


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def decode(encoded):
    return decode_audio(encoded, 8000, 0.5)


@tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None], tf.int32)])
def spectrogram(samples, lengths):
    return log_mel(samples, lengths, CONFIG)


def mel_of(*signals):
    samples = np.zeros((len(signals), 4000), np.float32)
    for row, signal in zip(samples, signals, strict=True):
        row[: len(signal)] = signal
    return [tensor.numpy() for tensor in spectrogram(samples, [len(signal) for signal in signals])]


@pytest.mark.parametrize("rate", [4000, 7999, 11025, 16000, 22050, 44100, 48000, 192000])
def test_a_tone_sounds_the_same_from_any_rate(rate):
    samples, lengths, _ = decode([wav(whole(tone(700, rate, 0.4)), rate)])
    expected = tone(700, 8000, 0.4)
    assert abs(lengths[0] - 3200) <= 1
    np.testing.assert_allclose(samples[0, :3200], expected, atol=6e-4)
    assert not np.any(samples[0, lengths[0] :])


@pytest.mark.parametrize("rate", [11025, 16000, 44100])
def test_resampling_agrees_with_scipy_on_what_both_rates_can_hold(rate):
    rng = np.random.default_rng(rate)
    t = np.arange(round(0.4 * rate)) / rate
    signal = sum(np.sin(2 * np.pi * hz * t + hz) for hz in rng.uniform(100, 2500, 12)) * np.hanning(len(t)) / 12
    samples, _, _ = decode([wav(whole(signal), rate)])
    expected = scipy.signal.resample_poly(signal, 8000, rate)[:3200]
    assert np.abs(samples[0, : len(expected)] - expected).max() < 2e-3  # SciPy's short filter is the coarser one


def test_what_the_lower_rate_cannot_hold_is_not_folded_back():
    samples, _, _ = decode([wav(whole(tone(6000, 44100, 0.4)), 44100)])  # would come back as 2 kHz
    assert np.abs(samples[0]).max() < 1e-4


def test_the_end_of_a_recording_does_not_come_round_to_its_beginning():
    signal = np.zeros(44100 // 4)
    signal[-200:] = 1
    samples, lengths, _ = decode([wav(whole(signal), 44100)])
    assert lengths[0] == 2000
    assert np.abs(samples[0, :1500]).max() < 1e-3


def test_a_long_recording_is_cut_without_hearing_what_follows():
    long, exact = tone(500, 44100, 3.0), tone(500, 44100, 3.0)[:22050]
    cut, lengths, _ = decode([wav(whole(long), 44100), wav(whole(exact), 44100)])
    assert lengths.numpy().tolist() == [4000, 4000]
    np.testing.assert_allclose(cut[0, :3900], cut[1, :3900], atol=2e-3)


def test_a_recording_sounds_the_same_alone_as_in_a_batch_bit_for_bit():
    rng = np.random.default_rng(3)
    files = [wav(rng.integers(-9000, 9000, n), rate) for n, rate in ((900, 8000), (30000, 44100), (5000, 11025))]
    together, lengths, _ = decode([files[0], b"", files[1], b"RIFF", files[2]])
    mel, frames = spectrogram(together, lengths)
    for row, file in zip((0, 2, 4), files, strict=True):
        samples, length, _ = decode([file])
        np.testing.assert_array_equal(samples[0], together[row])
        one, count = spectrogram(samples, length)
        np.testing.assert_array_equal(one[0], mel[row])
        assert count[0] == frames[row]


def test_a_frame_counts_when_it_begins_before_the_end():
    rows = [np.ones(n) for n in (0, 1, 128, 129, 4000)]  # a hop is 128 samples
    mel, frames = mel_of(*rows)
    assert frames.tolist() == [0, 1, 1, 2, 32]
    assert mel.shape == (5, 32, 20)
    for row, count in zip(mel, frames, strict=True):
        assert not row[count:].any()


@pytest.mark.parametrize("hz", [300, 800, 1500, 3000])
def test_a_tone_is_loudest_in_the_band_that_holds_it(hz):
    mel, _ = mel_of(tone(hz, 8000, 0.5))

    def mels(frequency):
        return 1127 * np.log(1 + frequency / 700)

    edges = np.linspace(mels(60), mels(4000), 22)  # the centre of band i is edge i + 1
    nearest = np.abs(edges[1:-1] - mels(hz)).argmin()
    assert mel[0, 16].argmax() == nearest


def test_loudness_changes_nothing_and_the_mean_over_a_recording_is_0():
    noise = np.random.default_rng(0).normal(size=2000)
    mel, frames = mel_of(0.5 * noise, 0.001 * noise)
    np.testing.assert_allclose(mel[0], mel[1], atol=1e-3)
    assert frames.tolist() == [16, 16]
    assert abs(mel[0, :16].mean()) < 1e-4
    assert mel[0, :16].std() > 0.5


def test_the_quietest_is_60_decibels_below_the_loudest():
    mel, _ = mel_of(tone(1000, 8000, 0.2))
    inside = mel[0, :13]
    np.testing.assert_allclose(inside.max() - inside.min(), 6 * np.log(10), atol=1e-4)  # a power of 1e-6


def test_silence_is_0_everywhere_and_counts():
    mel, frames = mel_of(np.zeros(1000))
    assert not mel.any()
    assert frames.tolist() == [8]


def test_the_shape_of_a_spectrogram_follows_the_config():
    assert CONFIG.frames == 32
    assert AudioConfig(rate=16000, seconds=1.01, hop_ms=10).frames == 101
    empty = spectrogram(tf.zeros([0, 4000]), tf.zeros([0], tf.int32))
    assert empty[0].shape == (0, 32, 20)


def test_an_export_hears_what_training_hears(tmp_path):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def hear(self, encoded):
            samples, lengths, _ = decode_audio(encoded, 8000, 0.5)
            mel, frames = log_mel(samples, lengths, CONFIG)
            return {"mel": mel, "frames": frames}

    tf.saved_model.save(Module(), str(tmp_path), signatures=None)
    stereo = whole(np.repeat(tone(440, 22050, 0.3), 2))
    files = tf.constant([riff(form(channels=2, rate=22050), chunk(b"data", stereo.astype("<i2").tobytes())), b"x"])
    heard = tf.saved_model.load(str(tmp_path)).hear(files)
    samples, lengths, _ = decode(files)
    mel, frames = spectrogram(samples, lengths)
    np.testing.assert_array_equal(heard["mel"], mel)
    np.testing.assert_array_equal(heard["frames"], frames)
    assert frames.numpy().tolist() == [19, 0]
