"""Items of a batch job: where their files are, and what becomes of an absent one."""

import pyarrow as pa
import pytest
import tensorflow as tf

from mmrec.manifest import EventRules, Files, Interface
from mmrec.schema import Field
from mmrec.scoring.items import Items, media_folders
from mmrec.serving.columns import column
from mmrec.values import Spellings


class PhotoShop:
    """Reads nothing but photos; `folder` and `mask` are the settings of training."""

    def __init__(self, folder=None, mask=False):
        fields, files = [Field("image", "image", "image_bytes", "bytes")], {"image_bytes": Files(folder, mask)}
        self.interface = Interface(fields, [], ["item_id"], files, EventRules(), 3)
        self.spellings = Spellings([])

    def inputs(self, signature):
        return {"image_bytes": tf.TensorSpec([None], tf.string)}

    def item_inputs(self, table, signature):
        return {"image_bytes": column(table["image"], "bytes", (), "image")}


@pytest.fixture
def read(tmp_path):
    """Returns `read(cells, media_dir=None, **trained)`: the bytes of the photos that cells name, and the faults."""

    def photos(cells, media_dir=None, **trained):
        shop = PhotoShop(**trained)
        folders = media_folders(shop.interface.files, media_dir, str(tmp_path / "input/items.csv"))
        table = pa.table({"item_id": [f"i{row}" for row in range(len(cells))], "image": pa.array(cells, pa.string())})
        items = Items(table, "item_id", shop, "embed_item", folders)
        return items.ask(items.batches(len(cells))[0])["image_bytes"].numpy().tolist(), items.faults

    for folder in ("trained", "input", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(folder.encode())
    return photos


def test_photos_are_where_training_had_them_unless_told_otherwise(read, tmp_path):
    trained = str(tmp_path / "trained")
    assert read(["a.jpg"], folder=trained) == ([b"trained"], {})
    assert read(["a.jpg"], folder=None) == ([b"input"], {})
    assert read(["a.jpg"], folder=str(tmp_path / "on another machine")) == ([b"input"], {})
    assert read(["a.jpg"], media_dir=str(tmp_path / "other"), folder=trained) == ([b"other"], {})


def test_an_empty_cell_is_no_photo(read):
    assert read(["a.jpg", None, "", "  ", "[]", " a.jpg "]) == ([b"input", b"", b"", b"", b"", b"input"], {})


def test_an_absent_photo_is_missing_where_training_masked_such_and_otherwise_a_fault(read):
    assert read(["none.jpg", "a.jpg"], mask=True) == ([b"", b"input"], {})
    actual, faults = read(["none.jpg", "a.jpg"], mask=False)
    assert actual == [b"input"]
    assert [*faults] == [0]
    assert "input/none.jpg: the file cannot be read: No such file or directory" in faults[0]
