"""A model that knows items by their sound alone, from training to the answers of its export."""

import contextlib
import csv
import io

import numpy as np
import pytest
import tensorflow as tf

import mmrec
from mmrec.config import Config
from mmrec.data.features import Draw
from mmrec.data.raw_items import RawItems
from mmrec.jobs.tables import load_tables
from mmrec.modalities.audio.modality import AudioModality
from mmrec.modalities.fields import item_fields
from tests.jobs.worlds import write_groups
from tests.preprocess.wav_files import tone, wav

AUDIO = {"rate": 8000, "seconds": 0.2, "bands": 16, "channels": 12, "layers": 2}


def recording(hz, rate, seconds=0.15):
    return wav(np.round(tone(hz, rate, seconds) * 32767), rate)


def write_sounds(folder, **audio):
    """Gives each item of the planted shop a low or a high tone, some short and some long; the first has none and the
    second cannot be read."""
    config = write_groups(folder, learning_rate=0.01, epochs=3)
    with open(folder / "items.csv", newline="") as file:
        header, *rows = csv.reader(file)
    for number, row in enumerate(rows):
        low = row[0].startswith("red")
        row.append("" if number == 0 else f"{number}.wav")
        hz, rate, seconds = (300 if low else 2000) + 10 * number, 8000 if number % 2 else 22050, (0.08, 0.15, 0.2)
        sound = recording(hz, rate, seconds[number % 3])
        (folder / f"{number}.wav").write_bytes(b"broken" if number == 1 else sound)
    with open(folder / "items.csv", "w", newline="") as file:
        csv.writer(file).writerows([[*header, "sound"], *rows])
    config["data"]["catalog"] |= {"audio": "sound", "on_missing_audio": "mask"}
    config["item"] |= {"modalities": ["audio"], "audio": {**AUDIO, **audio}}
    return config


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    config = write_sounds(folder)
    with contextlib.redirect_stderr(io.StringIO()) as said:
        result = mmrec.train(config)
    return folder, config, result, said.getvalue()


def test_sounds_find_the_users_group(world):
    _, _, result, _ = world
    assert result.metrics["test"]["hit_rate@10"] > 0.6  # by chance, 10 of 18 or fewer that are left


def test_an_export_takes_wav_bytes_and_says_which_it_cannot_read(world):
    _, _, result, _ = world
    embed = tf.saved_model.load(str(result.export_dir)).signatures["embed_item"]
    low = [recording(hz, rate) for hz, rate in ((305, 8000), (320, 44100))]
    files = [*low, recording(2100, 16000), b"broken", b""]
    embedding = embed(audio_bytes=tf.constant(files))
    assert embedding["status"].numpy().tolist() == [0, 0, 0, 6, 4]
    vectors = embedding["embedding"].numpy()
    assert np.isfinite(vectors).all()
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_the_export_reads_what_training_read_bit_for_bit(world):
    _, config, *_ = world
    config = Config.load(config)
    tables = load_tables(config)
    modality = AudioModality(config, tables)
    items = RawItems(tables.catalog, item_fields(config))
    raw = [items.item(item)["audio_bytes"] for item in range(len(tables.catalog))]
    reader = modality.reader()
    read = tf.function(lambda files: reader({"audio_bytes": files}))(tf.constant(raw))
    features = modality.source.rows(np.arange(1, len(raw) + 1))
    frames = features["audio_frames"]
    assert sorted(set(frames.tolist())) == [0, 4, 8, 10]  # 0.08, 0.15 and 0.2 s in hops of 20 ms
    np.testing.assert_array_equal(read.features["audio_frames"], frames)
    np.testing.assert_array_equal(
        read.features["audio_mel"][:, : features["audio_mel"].shape[1]], features["audio_mel"]
    )
    assert modality.counts == {"audio_unreadable": 1}
    assert sorted(read.status.numpy().tolist())[-2:] == [0, 2]


def test_without_any_change_configured_training_reads_what_is_judged(tmp_path):
    config = Config.load(write_sounds(tmp_path, time_shift=0.0, time_masks=0, band_masks=0))
    source = AudioModality(config, load_tables(config)).source
    rows = np.arange(1, 25)
    drawn = source.rows(rows, Draw(np.random.default_rng(0), rows))
    np.testing.assert_array_equal(drawn["audio_mel"], source.rows(rows)["audio_mel"])


def test_training_says_how_many_recordings_it_masked(world):
    assert "masked: recordings unreadable 1\n" in world[3]


def test_a_check_opens_recordings(tmp_path):
    config = write_sounds(tmp_path)
    for deep in (False, True):
        report = mmrec.check(config, deep=deep, probe=False)
        assert report.facts["recordings"]["unreadable"] == 1
        (finding,) = [one for one in report.findings if one.code == "unreadable_recordings"]
        assert (finding.severity, finding.rows) == ("warning", (2,))
    config["data"]["catalog"]["on_missing_audio"] = "error"
    assert "recordings cannot be read" in mmrec.check(config, probe=False).error
