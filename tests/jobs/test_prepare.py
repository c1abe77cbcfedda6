"""What stands for `auto`, and what item ids begin with."""

import numpy as np
import pytest

from mmrec.config import Config
from mmrec.jobs.modalities import item_id
from mmrec.jobs.modalities.item_id import ItemIdModality
from mmrec.jobs.prepare import retrieval_task
from mmrec.jobs.tables import load_tables
from tests.jobs.worlds import write_groups

LATENT, IDS = {"encoder": "latent"}, ["item_id"]


@pytest.mark.parametrize(
    ("item", "retrieval", "competing", "want"),
    [
        ({"modalities": IDS}, {}, 50_000, "catalog"),
        ({"modalities": IDS}, {}, 50_001, "in_batch"),
        ({"modalities": ["item_id", "attributes", "features"]}, {}, 10, "catalog"),
        ({"modalities": ["text", "item_id"], "text": LATENT}, {}, 10, "catalog"),
        ({"modalities": ["text", "item_id"]}, {}, 10, "in_batch"),
        ({"modalities": ["image"]}, {}, 10, "in_batch"),
        ({"modalities": IDS}, {"loss": "bpr"}, 10, "in_batch"),
        ({"modalities": IDS}, {"memory": 8}, 10, "in_batch"),
        ({"modalities": IDS}, {"hard_negatives": 8}, 10, "in_batch"),
        ({"modalities": IDS}, {"negatives": "mixed"}, 10, "mixed"),
        ({"modalities": ["image"]}, {"negatives": "catalog"}, 99_999, "catalog"),
    ],
)
def test_auto_is_the_whole_catalog_where_that_is_quick(item, retrieval, competing, want):
    columns = {"attributes": {"price": "number"}, "features": "vector"}
    config = Config.load({"item": item, "retrieval": retrieval, "data": {"catalog": columns}})
    assert retrieval_task(config, competing).negatives == want


def initial(config):
    """Returns float32 [25, D], what ids begin with."""
    config = Config.load(config, **{"item.item_id.initial": "auto"})
    tower = ItemIdModality(config, load_tables(config)).tower()
    return tower({"item_id_row": np.arange(25, dtype=np.int32)})[0].numpy()


def test_ids_begin_with_what_training_alone_says_of_neighbours(tmp_path):
    config = write_groups(tmp_path)
    before = initial(config)
    lines = (tmp_path / "events.csv").read_text().splitlines()
    later = [place for place, line in enumerate(lines) if line.endswith((",4", ",5"))]  # validation and test
    turned = dict(zip(later, [lines[place].split(",")[1] for place in reversed(later)], strict=True))
    for place, item in turned.items():
        user, _, time = lines[place].split(",")
        lines[place] = f"{user},{item},{time}"
    (tmp_path / "events.csv").write_text("\n".join(lines))
    np.testing.assert_array_equal(initial(config), before)


def test_of_too_many_items_ids_begin_at_random(tmp_path, monkeypatch):
    config = write_groups(tmp_path)
    near = initial(config)[1:]
    same = np.arange(24) // 12 == np.arange(24)[:, np.newaxis] // 12
    assert (near @ near.T)[same].mean() > 0.5 > np.abs((near @ near.T)[~same]).mean()
    monkeypatch.setattr(item_id, "_MOST_FACTORED", 23)
    random = initial(config)[1:]
    assert np.abs((random @ random.T)[same].mean()) < 0.5
