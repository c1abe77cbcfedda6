"""An export is brought up to date without training."""

import errno
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import mmrec
from mmrec.export import saved_model
from tests.refreshing.world import RANK, held, items, write, write_export

ONE_OF_EACH = {"unchanged": 22, "changed": 1, "new": 1, "delisted": 1}


def changed_items():
    """The catalog with another vector for i05, without i03, and with the new item `n`, of a kind never seen."""
    table = items().set_index("item_id", drop=False)
    table.at["i05", "vector"] = np.array([0.0, -1.0], np.float32)
    table.at["i07", "title"] = "another title"
    new = pd.DataFrame({"item_id": ["n"], "vector": [table.at["i10", "vector"]], "title": ["N"], "kind": ["vase"]})
    return pd.concat([new, table.drop("i03")], ignore_index=True)


def copied(version, folder):
    """Copies a version, so that a test has it for itself."""
    return Path(shutil.copytree(version, folder / "shop" / version.name))


def refreshed_folder(version, catalog, **settings):
    """Refreshes a version; returns the folder of the result."""
    return mmrec.refresh(version, catalog, **settings).export_dir


def versions(version):
    return sorted(path.name for path in version.parent.iterdir() if path.name != ".lock")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    return write_export(tmp_path_factory.mktemp("old"))


@pytest.fixture(scope="module")
def refreshed(old, tmp_path_factory):
    """(the old version, the new one)."""
    folder = tmp_path_factory.mktemp("refreshed")
    version = copied(old, folder)
    return version, refreshed_folder(version, write(folder / "new.parquet", changed_items()))


@pytest.fixture(scope="module")
def shops(refreshed):
    return tuple(mmrec.load(version, verify=True) for version in refreshed)


def test_an_earlier_export_is_compared_by_its_own_kind_of_digests(tmp_path):
    # Its digests are made of what the graph reads; its manifest does not say so.
    version = write_export(tmp_path, by_file=False)
    assert mmrec.refresh(version, write(tmp_path / "same.parquet", items())).export_dir == version
    manifest = json.loads((version / "mmrec/manifest.json").read_text())
    assert "file_digests" not in manifest


def test_the_next_version_says_what_it_is(refreshed):
    before, after = refreshed
    assert after == before.parent / "2"
    manifest, trained = (json.loads((path / "mmrec/manifest.json").read_text()) for path in (after, before))
    assert manifest["refresh"] == {"from_version": 1, **ONE_OF_EACH}
    assert manifest["metrics_of_version"] == 1
    assert manifest["run"] != trained["run"]
    assert manifest["config"]["data"]["catalog"]["path"].endswith("new.parquet")
    assert manifest["data"] == trained["data"]
    card = (after / "mmrec/README.md").read_text()
    assert "items: 22 unchanged, 1 changed, 1 new, 1 delisted" in card
    assert "with the 24 items of its catalog; later ones need a refresh" in card


def test_unchanged_items_keep_their_bytes_and_their_order(refreshed, shops):
    before, after = (held(version) for version in refreshed)
    assert [*after] == [item for item in before if item != "i03"] + ["n"]
    assert {item for item in before if after.get(item) != before[item]} == {"i03", "i05"}
    assert dict(zip(shops[1].items["item_id"], shops[1].items["title"], strict=True))["i07"] == "another title"


def test_changed_and_new_items_have_the_vectors_that_the_old_version_gives_them(shops):
    before, after = shops
    table = changed_items()
    expected = before.embed_items(table[table["item_id"].isin(["i05", "n"])].sort_values("item_id"))
    rows = after.items.index[after.items["item_id"].isin(["i05", "n"])] + 1
    np.testing.assert_allclose(after.item_table[rows], expected, atol=1e-6)
    assert np.abs(before.item_table[6] - after.item_table[5]).max() > 0.01  # i05


def test_a_new_item_is_answered_at_once(shops):
    after = shops[1]
    assert after.recommend([["i00"]], k=2, include=[["n"]]).item_ids.tolist() == [["n", ""]]
    assert after.recommend([["i00"]], k=2, filter={"kind": "vase"}).item_ids.tolist() == [["n", ""]]
    assert after.similar(["n"], k=23).item_ids[0].tolist().count("") == 0
    assert "n" in after.similar(["i10"], k=23).item_ids[0]


def test_a_new_item_is_read_in_histories_and_has_no_neighbours(shops):
    after = shops[1]
    alone, with_new = after.embed_queries([["i00"], ["i00", "n"]])
    assert np.abs(alone - with_new)[:-RANK].max() > 0.01
    np.testing.assert_allclose(with_new[-RANK:], alone[-RANK:] / 2, atol=1e-6)  # one event ago, at decay 1/2
    assert np.abs(alone[-RANK:]).max() > 0.01


def test_a_delisted_item_is_no_answer_and_is_skipped_in_histories(shops):
    before, after = shops
    assert "i03" in before.recommend([["i00"]], k=30).item_ids
    assert "i03" not in after.recommend([["i00"]], k=30).item_ids
    assert after.recommend([["i00"]], k=3, include=[["i03"]]).item_ids.tolist() == [["", "", ""]]
    np.testing.assert_array_equal(*after.embed_queries([["i00", "i03"], ["i00"]]))
    np.testing.assert_allclose(after.embed_queries([["i00"]]), before.embed_queries([["i00"]]), atol=1e-6)


def test_the_same_refresh_again_finds_its_version_and_says_what_has_changed(refreshed, tmp_path, command):
    before, after = (copied(version, tmp_path) for version in refreshed)
    catalog = write(tmp_path / "again.parquet", changed_items())
    code, out, errors = command("refresh", before, "--catalog", catalog)
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["export", str(after)],
        *([name, str(count)] for name, count in ONE_OF_EACH.items()),
    ]
    assert "22 unchanged, 1 changed, 1 new, 1 delisted" in errors
    again, still = mmrec.refresh(before, catalog), mmrec.refresh(after, catalog)
    assert (again.export_dir, again.changes) == (after, ONE_OF_EACH)
    assert (still.export_dir, still.changes) == (after, {"unchanged": 24, "changed": 0, "new": 0, "delisted": 0})
    assert versions(before) == ["1", "2"]


@pytest.mark.slow
def test_a_refresh_whose_version_is_no_longer_the_newest_is_written_again(refreshed, tmp_path):
    before, _ = (copied(version, tmp_path) for version in refreshed)
    (tmp_path / "shop" / "4").mkdir()
    assert refreshed_folder(before, write(tmp_path / "again.parquet", changed_items())).name == "5"


def test_an_unchanged_catalog_writes_nothing(old, tmp_path, command):
    version = copied(old, tmp_path)
    catalog = write(tmp_path / "same.parquet", items()[::-1])
    code, out, errors = command("refresh", version, "--catalog", catalog, "--json")
    assert (code, versions(version)) == (0, ["1"])
    assert json.loads(out) == {"export_dir": str(version), "unchanged": 24, "changed": 0, "new": 0, "delisted": 0}
    assert "nothing has changed since" in errors


def test_photos_and_texts_are_what_they_were_at_the_export(tiny_export, tmp_path):
    version = copied(tiny_export.result.export_dir, tmp_path)
    assert refreshed_folder(version, tiny_export.shop / "catalog.csv") == version


def test_a_refresh_that_fails_leaves_the_old_versions_alone(old, tmp_path, monkeypatch):
    version = copied(old, tmp_path)
    before = saved_model.checksums(version)

    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(saved_model, "_compare", fail)
    with pytest.raises(mmrec.InputError, match=r"No space left on device\)\. Free space there\.$"):
        refreshed_folder(version, write(tmp_path / "new.parquet", changed_items()))
    assert versions(version) == ["1"]
    assert saved_model.checksums(version) == before


def test_a_version_of_an_earlier_mmrec_says_that_it_must_be_exported_anew(old, tmp_path):
    version = copied(old, tmp_path)
    path = version / "mmrec/manifest.json"
    tf.saved_model.save(tf.Module(), str(version))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": saved_model.checksums(version)}))
    with pytest.raises(mmrec.InputError, match=r"exported by an earlier mmrec.* Export the model again"):
        refreshed_folder(version, write(tmp_path / "new.parquet", changed_items()))


CUT = {"unchanged": 1, "changed": 0, "new": 0, "delisted": 23}


def test_most_of_an_export_is_delisted_only_on_demand(old, tmp_path, command):
    version = copied(old, tmp_path)
    catalog = write(tmp_path / "cut.parquet", items()[:1])
    code, out, errors = command("refresh", version, "--catalog", catalog)
    assert (code, out, versions(version)) == (2, "", ["1"])
    assert "cut.parquet: 23 of 24 items of the export are not in it (such as 'i01'); at most 30%" in errors
    code, out, _ = command("refresh", version, "--catalog", catalog, "--max-delisted", 1, "--json")
    assert code == 0
    assert json.loads(out) == {"export_dir": str(version.parent / "2"), **CUT}
    assert pd.read_parquet(version.parent / "2/mmrec/delisted.parquet")["item_id"].tolist() == [
        f"i{number:02}" for number in range(1, 24)
    ]


def test_ids_that_are_spelt_differently_are_named_with_both_spellings(old, tmp_path):
    version = copied(old, tmp_path)
    catalog = write(tmp_path / "new.parquet", items().assign(item_id=items()["item_id"].str.upper()))
    with pytest.raises(mmrec.InputError, match=r"24 of 24 items .* \(such as 'i00'; the catalog has 'I00'\)"):
        refreshed_folder(version, catalog)
    (tmp_path / "users.csv").write_text("user_id,history\nu,i03 i03\nv,i00\n")
    with pytest.raises(mmrec.InputError, match=r"1 of 24 items of the export, 67% of what .*users\.csv names,"):
        refreshed_folder(version, write(tmp_path / "new.parquet", changed_items()), histories=tmp_path / "users.csv")
    assert versions(version) == ["1"]


def test_changed_items_without_content_count_as_delisted(old, tmp_path):
    version = copied(old, tmp_path)
    catalog = write(tmp_path / "new.parquet", items().assign(vector=[[1.0, 0.0]] + [None] * 23))
    with pytest.raises(mmrec.InputError, match=r"3 of 24 items .* not in it or have nothing that the model reads"):
        refreshed_folder(version, catalog, max_delisted=0.05, **{"data.catalog.on_bad_row": "skip"})


RENAMED = {"item_id": "sku", "features": "vec", "payload": ["name"], "filters": ["type"]}


@pytest.mark.slow
def test_columns_may_have_other_names_and_users_keep_the_old_ones(old, tmp_path, capsys):
    version = copied(old, tmp_path)
    called = {"item_id": "sku", "vector": "vec", "title": "name", "kind": "type"}
    catalog = write(tmp_path / "new.parquet", changed_items().rename(columns=called))
    after = refreshed_folder(version, catalog, data={"catalog": RENAMED})
    assert "column `sku` is read as `item_id`, column `vec` is read as `vector`" in capsys.readouterr().err
    shop = mmrec.load(after)
    assert shop.manifest["refresh"] == {"from_version": 1, **ONE_OF_EACH}
    assert shop.items.columns.tolist() == ["item_id", "title", "kind", "digest"]
    assert shop.filter_columns == ["kind"]
    assert shop.recommend([["i00"]], k=1, filter={"kind": "vase"}).item_ids.tolist() == [["n"]]
    table = changed_items()[:3]
    expected = shop.embed_items(table[["item_id", "vector"]])
    for name in ("vec", "features"):
        embedding = shop.embed_items(table[["item_id", "vector"]].rename(columns={"vector": name}))
        np.testing.assert_array_equal(embedding, expected)
    assert "* filters: `kind`" in (after / "mmrec/README.md").read_text()
    assert refreshed_folder(after, catalog) == after  # by the names of the last refresh
    back = {"item_id": "item_id", "features": "vector", "payload": ["title"], "filters": ["kind"]}
    assert refreshed_folder(after, write(tmp_path / "old.parquet", changed_items()), data={"catalog": back}) == after


def nothing(table):
    return pd.concat([table, pd.DataFrame({"item_id": ["empty"], "title": ["-"], "kind": ["mug"]})])


@pytest.mark.parametrize(
    ("spoil", "overrides", "said"),
    [
        (lambda t: t.drop(columns="kind"), {}, "new.parquet: no column `kind`"),
        (lambda t: pd.concat([t, t[:1]]), {}, "row 25, column `item_id`: ids must be unique"),
        (lambda t: t.assign(vector=[[1.0, 2, 3]] * 24), {}, "column `vector`: must have 2 numbers, as the model was"),
        (nothing, {}, "row 25: a new or changed item needs something that the model reads, in one of `vector`"),
        (lambda t: t, {"training.epochs": 3}, "`training.epochs`: a refresh takes values of `data.catalog` and"),
        (lambda t: t, {"data.catalog.features": "vectr"}, "no column `vectr`. Did you mean `vector`"),
    ],
    ids=["column", "id twice", "width", "nothing readable", "training", "override"],
)
def test_bad_input_is_one_message_and_writes_nothing(old, tmp_path, spoil, overrides, said):
    version = copied(old, tmp_path)
    with pytest.raises(mmrec.InputError) as error:
        refreshed_folder(version, write(tmp_path / "new.parquet", spoil(items())), **overrides)
    assert said in str(error.value)
    assert versions(version) == ["1"]


def test_new_items_of_which_nothing_is_readable_are_skipped_when_asked_for(old, tmp_path, capsys):
    version = copied(old, tmp_path)
    catalog = write(tmp_path / "new.parquet", nothing(items()))
    assert refreshed_folder(version, catalog, **{"data.catalog.on_bad_row": "skip"}) == version
    assert "1 item without content" in capsys.readouterr().err


@pytest.mark.slow
def test_a_model_of_ids_alone_refuses_new_items_and_drops_delisted_ones(tmp_path):
    version = write_export(tmp_path, modalities=["item_id"])
    table = changed_items()
    with pytest.raises(mmrec.InputError, match=r"row 1: a model that reads nothing but `item_id` .* 'n'. Train again"):
        refreshed_folder(version, write(tmp_path / "new.parquet", table))
    shop = mmrec.load(refreshed_folder(version, write(tmp_path / "new.parquet", table[1:])))
    assert shop.manifest["refresh"] == {"from_version": 1, "unchanged": 23, "changed": 0, "new": 0, "delisted": 1}
    assert "another title" in shop.items["title"].tolist()
    assert "later ones need another training" in (shop.path / "mmrec/README.md").read_text()


def functions(version):
    """The names of the functions that a version holds, and its bytes without its vectors."""
    content = (version / "saved_model.pb").read_bytes()
    graph = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].graph_def
    return len(graph.library.function), len(content)


@pytest.mark.slow
def test_refreshing_again_and_again_nests_nothing(refreshed, tmp_path):
    version = first = copied(refreshed[1], tmp_path)
    for start in (1, 0):  # without the new item, and with it once more
        version = refreshed_folder(version, write(tmp_path / "new.parquet", changed_items()[start:]))
    assert version.name == "4"
    (before, size), (after, grown) = functions(first), functions(version)
    assert after == before
    assert grown - size < 200  # TensorFlow lengthens the names of tables
    shop, manifest = mmrec.load(version), json.loads((version / "mmrec/manifest.json").read_text())
    assert manifest["refresh"] == {"from_version": 3, "unchanged": 23, "changed": 0, "new": 1, "delisted": 0}
    assert manifest["metrics_of_version"] == 1
    left, again = held(first), held(version)
    assert {item for item in left if again[item] != left[item]} <= {"n"}  # embedded once more, in another batch
    assert shop.recommend([["i00"]], k=1, include=[["n"]]).item_ids.tolist() == [["n"]]


@pytest.mark.slow
@pytest.mark.parametrize(("index", "storage"), [("exact", "int8"), ("ivf", "float16")])
def test_any_index_keeps_what_it_holds_of_unchanged_items(index, storage, tmp_path):
    version = write_export(tmp_path, index=index, index_storage=storage)
    after = refreshed_folder(version, write(tmp_path / "new.parquet", changed_items()))
    kept, now = held(version), held(after)
    assert {item for item in kept if now.get(item) != kept[item]} == {"i03", "i05"}
    before, shop = mmrec.load(version), mmrec.load(after)
    about = shop.manifest["index"]
    unmoved = ("kind", "storage", "recall@10", "queries", *(["share", "depth"] if index == "ivf" else []))
    assert {name: about[name] for name in unmoved} == {name: before.manifest["index"][name] for name in unmoved}
    assert about["recall_of_version"] == 1
    answers = shop.recommend([["i00"]], k=23).item_ids[0]  # so many that an approximate index ranks exactly
    scores = dict(zip(now, shop.item_table[1:] @ shop.embed_queries([["i00"]])[0], strict=True))
    assert answers.tolist() == sorted(set(now) - {"i00"}, key=lambda item: -scores[item])


@pytest.mark.slow
def test_a_killed_refresh_leaves_no_version_and_the_next_one_writes_it(old, tmp_path):
    version = copied(old, tmp_path)
    catalog = write(tmp_path / "new.parquet", changed_items())
    before = saved_model.checksums(version)
    process = subprocess.Popen([sys.executable, "-m", "mmrec", "refresh", version, "--catalog", catalog])
    while process.poll() is None and not (version.parent / ".writing").exists():
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -9
    assert "2" not in versions(version)
    assert saved_model.checksums(version) == before
    assert refreshed_folder(version, catalog) == version.parent / "2"
    assert versions(version) == ["1", "2"]


@pytest.mark.slow
def test_filter_values_may_become_several_and_lists_stay_lists(old, tmp_path):
    version = copied(old, tmp_path)
    kinds = [[kind, "new"] if number < 2 else [kind] for number, kind in enumerate(items()["kind"])]
    shop = mmrec.load(refreshed_folder(version, write(tmp_path / "lists.parquet", items().assign(kind=kinds))))
    assert shop.items["kind"].map(list).tolist() == kinds
    answers = shop.recommend([[]], k=24, filter={"kind": "new"}).item_ids[0]
    assert {*answers} == {"i00", "i01", ""}
    assert len({*shop.recommend([[]], k=24, filter={"kind": "lamp"}).item_ids[0]} - {""}) == 12
    assert {*shop.recommend([[]], k=24, filter=["kind=lamp", "kind=new"]).item_ids[0]} == {"i00", ""}
