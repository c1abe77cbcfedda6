"""What `auto` becomes, what id vectors start from, and whether items differ at all."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from mmrec.config import Config
from mmrec.data.content import ColumnContent
from mmrec.data.similarity import mean_cosine
from mmrec.errors import InputError
from mmrec.jobs.prepare import prepare, require_difference
from mmrec.jobs.resolve import decided, resolve
from mmrec.jobs.tables import load_tables
from mmrec.modalities.item_id.modality import ItemIdModality
from tests.jobs.worlds import few_items, write_groups

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
    assert resolve(config, Counts(competing)).retrieval.negatives == want


@dataclass
class Counts:
    """Tables of a shop in which this many items have a training event, and two have none."""

    trained: int

    @property
    def train_counts(self):
        return np.append(np.zeros(3, int), np.ones(self.trained, int))


@pytest.mark.parametrize(("trained", "want"), [(50_000, "neighbours"), (50_001, "random")])
def test_ids_begin_with_neighbours_by_default_where_these_take_seconds(trained, want):
    assert resolve(Config(), Counts(trained)).item.item_id.initial == want


def test_what_was_decided_is_listed_and_stays_decided():
    written = Config.load({"item": {"modalities": IDS}, "retrieval": {"temperature": 0.5}})
    first = resolve(written, Counts(9))
    assert decided(written, first) == {
        "item.item_id.initial": "neighbours",
        "retrieval.negatives": "catalog",
        "retrieval.logq_correction": True,
    }
    assert resolve(first, Counts(99_999)) == first
    assert Config.load({"retrieval": first.retrieval.model_dump()}).retrieval == first.retrieval


def test_an_undecided_config_prepares_nothing(tmp_path):
    config = Config.load(write_groups(tmp_path), **{"item.item_id.initial": "auto"})
    with pytest.raises(ValueError, match="must be decided"):
        prepare(config, load_tables(config))


def initial(config, items=24, **most):
    """Returns float32 [items + 1, D], what the id vectors start from."""
    config = Config.load(config, **{"item.item_id.initial": "auto"})
    tables = load_tables(config)
    tower = ItemIdModality(resolve(config, tables, **most), tables).tower()
    return tower({"item_id_row": np.arange(items + 1, dtype=np.int32)})[0].numpy()


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


def test_with_too_many_items_ids_begin_at_random(tmp_path):
    config = write_groups(tmp_path)
    near = initial(config)[1:]
    same = np.arange(24) // 12 == np.arange(24)[:, np.newaxis] // 12
    assert (near @ near.T)[same].mean() > 0.5 > np.abs((near @ near.T)[~same]).mean()
    random = initial(config, most_factored=23)[1:]
    assert np.abs((random @ random.T)[same].mean()) < 0.5


@pytest.mark.parametrize("items", [2, 3, 4, 6, 9, 12])
def test_the_ids_of_few_items_begin_apart(tmp_path, items):
    # Regression: equally near to all others, they started from one vector, and training failed as collapsed.
    start = initial(few_items(tmp_path, items), items)[1:]
    assert mean_cosine(start) < 0.9
    assert (np.linalg.norm(start, axis=1) > 0).all()


def test_ids_without_any_neighbour_begin_at_random(tmp_path):
    config = few_items(tmp_path, 4)
    (tmp_path / "events.csv").write_text(
        "user_id,item_id,timestamp\n" + "\n".join(f"u{user},i{user % 4},{user}" for user in range(40))
    )
    config["data"]["split"] = {"kind": "time"}
    config["evaluation"]["min_history"] = 0
    assert (np.linalg.norm(initial(config, 4)[1:], axis=1) > 0).all()


def test_items_without_any_difference_are_refused(tmp_path):
    config = Config.load(write_groups(tmp_path), **{"item.modalities": ["text"]})
    lines = (tmp_path / "items.csv").read_text().splitlines()
    # A difference after the tokens that are read does not count.
    same = [line.replace(",", ",a thing for you " + "and " * 100) for line in lines[1:]]
    (tmp_path / "items.csv").write_text("\n".join([lines[0], *same]))
    tables = load_tables(config)
    with pytest.raises(InputError) as error:
        require_difference(prepare(config, tables), 24)
    assert "items must differ in what is read of them. Received: 24 items without any difference in text." in str(
        error.value
    )
    columns = tables.catalog.content["text"].columns
    last = {name: np.append(column[:-1], "a blue thing") for name, column in columns.items()}
    other = replace(tables, catalog=replace(tables.catalog, content={"text": ColumnContent(last)}))
    require_difference(prepare(config, other), 24)
    ids = Config.load(config, **{"item.modalities": ["text", "item_id"]})
    require_difference(prepare(ids, tables), 24)
