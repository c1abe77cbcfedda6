import numpy as np
import pytest

from mmrec.config.data import CatalogConfig
from mmrec.data.feature_store import FeatureStore
from mmrec.data.features import Draw
from mmrec.errors import InputError
from mmrec.modalities.audio.sounds import AudioFeatures
from mmrec.modalities.audio.sounds import fill_sounds as fill
from tests.catalogs import catalog_of

BANDS = 2
NO_PROGRESS = lambda *_: None  # noqa: E731


def entry(frames):
    """Returns [1 + 3 * 2]: that many frames of three, whose values are 1, 2, ..."""
    mel = np.arange(1.0, 7.0)
    mel[frames * BANDS :] = 0.0
    return np.concatenate([[frames], mel]).astype(np.float32)


def source(change=None):
    return AudioFeatures(np.stack([entry(3), entry(1)]), np.array([-1, 1, -1, 0, 1]), BANDS, change)


def draw():
    return Draw(np.random.default_rng(0), np.zeros(0, np.int64))


def test_rows_are_as_long_as_the_longest_of_them():
    features = source().rows(np.array([1, 0, 2, 3]))
    assert features["audio_frames"].tolist() == [1, 0, 0, 3]
    assert features["audio_mel"].tolist() == [
        [[1, 2], [0, 0], [0, 0]],
        [[0, 0], [0, 0], [0, 0]],
        [[0, 0], [0, 0], [0, 0]],
        [[1, 2], [3, 4], [5, 6]],
    ]
    assert source().rows(np.array([4, 1]))["audio_mel"].tolist() == [[[1, 2]], [[1, 2]]]
    assert source().rows(np.array([0]))["audio_mel"].shape == (1, 1, BANDS)
    assert source().rows(np.array([], int))["audio_mel"].shape == (0, 1, BANDS)


def test_only_recordings_change_and_only_in_training():
    seen = []

    def change(mel, frames, seeds):
        seen.append((mel.shape, frames.tolist(), seeds.shape))
        return mel + 10, frames - 1

    features = source(change)
    assert features.rows(np.array([3, 0]))["audio_frames"].tolist() == [3, 0]
    assert not seen
    feature_rows = features.rows(np.array([3, 0]), draw())
    assert seen == [((1, 3, BANDS), [3], (1, 2))]
    assert feature_rows["audio_frames"].tolist() == [2, 0]
    assert feature_rows["audio_mel"][0, 0].tolist() == [11, 12]
    assert not feature_rows["audio_mel"][1].any()
    assert features.rows(np.array([3]))["audio_frames"].tolist() == [3]  # what is kept did not change
    features.rows(np.array([0, 2]), draw())
    assert len(seen) == 1


@pytest.mark.parametrize("batch", [1, 1024])
def test_each_recording_counts_once_in_the_standardisation_and_padding_never(batch):
    # Frames (1, 2), (3, 4), (5, 6) and (1, 2): the means are 2.5 and 3.5, the variances 36 / 4 - 6.25 = 2.75.
    mean, deviation = source().standardisation(batch)
    np.testing.assert_allclose(mean, [2.5, 3.5])
    np.testing.assert_allclose(deviation, np.sqrt([2.75, 2.75]), rtol=1e-6)
    mean, deviation = AudioFeatures(entry(1)[np.newaxis], np.array([-1, 0]), BANDS, None).standardisation()
    assert (mean.tolist(), deviation.tolist()) == ([1, 2], [1, 1])


def catalog(*files):
    return catalog_of([f"i{n}" for n in range(len(files))], audio=files)


def fill_sounds(shop, *arguments, **options):
    return fill(shop.content["audio"], shop, *arguments, **options)


def test_each_distinct_recording_is_heard_once_across_runs(tmp_path):
    audible, steps = [], []

    def spectrograms(files):
        audible.append(list(files))
        frames = np.array([len(file) % 4 for file in files])
        return np.stack([entry(count)[1:].reshape(3, BANDS) for count in frames]), frames

    path = tmp_path / "a.wav"
    path.write_bytes(b"a")
    shop = catalog(str(path), b"bb", None, b"a", b"cccc", b"ddd")  # the fifth is unreadable
    config = CatalogConfig(audio="audio", on_missing_audio="mask")
    store = FeatureStore(tmp_path / "store", (7,))
    places = fill_sounds(shop, config, store, spectrograms, lambda *step: steps.append(step), batch=3)
    assert audible == [[b"a", b"bb", b"cccc"], [b"ddd"]]
    assert steps == [("sounds", 3, 4), ("sounds", 4, 4)]
    assert places.tolist() == [-1, 0, 1, -1, 0, -1, 2]
    assert store.values[:, 0].tolist() == [1, 2, 3]

    again = fill_sounds(shop, config, FeatureStore(tmp_path / "store", (7,)), spectrograms, NO_PROGRESS)
    assert again.tolist() == places.tolist()
    assert audible[2:] == [[b"cccc"]]  # nothing is kept of what cannot be read


def test_an_unreadable_recording_stops_with_its_row(tmp_path):
    def spectrograms(files):
        return np.zeros((len(files), 3, BANDS)), np.array([1, 0])

    config, store = CatalogConfig(path="shop.csv", audio="sound"), FeatureStore(tmp_path / "store", (7,))
    with pytest.raises(InputError) as error:
        fill_sounds(catalog(None, b"good", b"bad"), config, store, spectrograms, NO_PROGRESS)
    assert str(error.value) == (
        f"{config.path}, row 3, column `sound`: must be a WAV recording of 8, 16, 24 or 32 bits. Received: 3 bytes, "
        "which cannot be decoded. Replace it, or set `data.catalog.on_missing_audio: mask` to train the item without "
        "it."
    )


def test_a_catalog_without_any_recording_is_refused(tmp_path):
    store = FeatureStore(tmp_path / "store", (7,))
    with pytest.raises(InputError, match=r"column `sound`: no item has a readable recording\. Correct"):
        fill_sounds(catalog(None, None), CatalogConfig(audio="sound"), store, lambda files: None, NO_PROGRESS)
