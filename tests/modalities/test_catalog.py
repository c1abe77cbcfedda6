"""How the modalities sort themselves and report what they left out of a catalog."""

from mmrec.config import Config
from mmrec.modalities.catalog import in_order, masked_files
from mmrec.modalities.names import modality_classes


def test_masked_content_is_reported_in_words_in_the_order_of_the_list():
    config = Config.load(**{"item.modalities": ["audio", "text", "image"]})
    counts = {"audio_unreadable": 2, "duplicate_item": 1, "image_missing": 1200, "image_unreadable": 0}
    assert masked_files(config, counts) == "photos absent 1,200, recordings unreadable 2"
    assert masked_files(config, {"duplicate_item": 1}) == ""


def test_modalities_from_outside_come_after_those_of_the_list():
    config = Config.load(**{"item.modalities": ["tests.toys.smell:Smell", "item_id", "text"]})
    assert [*modality_classes(config)] == ["smell", "item_id", "text"]
    assert [one.name for one in in_order(modality_classes(config).values())] == ["text", "item_id", "smell"]
