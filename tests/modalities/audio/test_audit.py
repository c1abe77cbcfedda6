"""Finds recordings that are silent or duplicates, among sounds made by hand."""

import numpy as np
import pytest

from mmrec.modalities.audio.audit import audit_sounds, sound_findings
from mmrec.modalities.audio.config import AudioConfig
from tests.catalogs import catalog_of
from tests.preprocess.wav_files import tone, wav

AUDIO = AudioConfig(rate=8000, seconds=0.5, window_ms=40.0)


def recording(seconds=0.3, loudness=0.5, hz=440):
    return wav(np.round(tone(hz, 8000, seconds, loudness) * 32767), 8000)


def catalog(*sounds):
    return catalog_of([f"item-{i}" for i in range(len(sounds))], audio=sounds)


def test_each_fault_is_audit_at_its_item():
    late = np.concatenate([np.zeros(5000), tone(440, 8000, 0.3) * 32767])  # sounds after 0.625 s, where none is read
    sounds = [recording(), None, b"no wav", recording(0.03), recording(0.6), wav([0] * 4000), wav(late), "/no/file.wav"]
    audit = audit_sounds(catalog(*sounds).content["audio"], AUDIO)
    assert (audit.recordings, audit.distinct) == (7, 7)
    assert (audit.unreadable, audit.short, audit.cut, audit.silent) == ([2, 7], [3], [4, 6], [5, 6])


@pytest.mark.parametrize(("loudest", "silent"), [(32, [0]), (33, [])])  # of 32,768: 0.00098 and 0.00101
def test_silence_is_60_decibels_below_the_loudest(loudest, silent):
    assert audit_sounds(catalog(wav([loudest, -loudest] * 1000)).content["audio"], AUDIO).silent == silent


def test_a_recording_of_exactly_the_length_that_is_read_is_neither_short_nor_cut():
    audit = audit_sounds(catalog(recording(0.5), recording(0.04, hz=1000)).content["audio"], AUDIO)
    assert (audit.short, audit.cut) == ([], [])


def test_the_same_recording_of_a_few_items_is_a_note_and_of_ten_a_warning():
    few, many = recording(hz=300), recording(hz=500)
    shop = catalog(*[few] * 2, *[many] * 10, recording())
    audit = audit_sounds(shop.content["audio"], AUDIO)
    assert [len(group) for group in audit.duplicates] == [10, 2]
    said = {one.code: (one.severity, len(one.rows)) for one in sound_findings(audit, shop, stops=False)}
    assert said == {"shared_recordings": ("warning", 10), "duplicate_recordings": ("note", 2)}


def test_unreadable_recordings_are_an_error_only_where_training_stops_at_them():
    shop = catalog(b"no wav")
    for stops, severity in ((True, "error"), (False, "warning")):
        (finding,) = sound_findings(audit_sounds(shop.content["audio"], AUDIO), shop, stops)
        assert (finding.severity, finding.code, finding.rows) == (severity, "unreadable_recordings", (1,))


def test_a_catalog_without_recordings_is_fine():
    shop = catalog(None, None)
    audit = audit_sounds(shop.content["audio"], AUDIO)
    assert audit.facts() == dict.fromkeys(audit.facts(), 0)
    assert sound_findings(audit, shop, True) == []
