"""Exports whose index reads or stores less than everything: their answers, and what their manifest says."""

import json

import numpy as np
import pytest

import mmrec
from mmrec.jobs.export import export_model

pytestmark = pytest.mark.slow
KINDS = [("ivf", "float32"), ("exact", "int8")]


@pytest.fixture(scope="module", params=KINDS, ids=["ivf float32", "exact int8"])
def exported(request, tiny_export, tmp_path_factory):
    """The tiny model, exported once more with another index."""
    index, storage = request.param
    config = mmrec.Config.load(
        tiny_export.result.run_dir / "config.yaml",
        saved_models_dir=tmp_path_factory.mktemp("saved_models"),
        export={"k": 7, "index": index, "index_storage": storage, "index_recall": 0.8},
    )
    embedder = tiny_export.embed_queries.__self__
    metrics = json.loads((tiny_export.result.run_dir / "metrics.json").read_text())
    tables, prepared = tiny_export.tables, tiny_export.prepared
    return mmrec.load(export_model(config, tables, prepared, embedder, tiny_export.table, metrics))


def test_the_manifest_and_the_model_card_say_what_it_finds(exported):
    about = exported.manifest["index"]
    asked = exported.manifest["config"]["export"]
    assert (about["kind"], about["storage"]) == (asked["index"], asked["index_storage"])
    assert 0.7 < about["recall@10"] <= 1
    assert about["queries"] > 100
    if about["kind"] == "ivf":
        assert about["recall@10"] >= 0.8
        assert about["depth"] >= 10
        assert about["bytes"] > 2 * exported.item_table.nbytes  # stored by item and by cell
    else:
        assert about["bytes"] == 160 * (16 + 4)  # 150 items and row 0, in groups of 16
    card = (exported.path / "mmrec/README.md").read_text()
    assert f"its {about['kind']} index ({about['storage']}) finds {about['recall@10']:.1%}" in card


def test_answers_are_the_best_of_the_items_as_they_are_kept(exported, tiny_export):
    histories = [[tiny_export.ids[row], tiny_export.ids[51 - row]] for row in range(1, 50, 2)]
    table, queries = exported.item_table, exported.embed_queries(histories)
    np.testing.assert_allclose(table, tiny_export.table.scored, atol=0.005)
    answers, hits = exported.recommend(histories, k=5), 0
    for ids, scores, history, query in zip(answers.item_ids, answers.scores, histories, queries, strict=True):
        seen = {tiny_export.ids.index(one) for one in history}
        best = sorted({*range(1, len(table))} - seen, key=lambda row: -(table[row] @ query))[:5]
        rows = [tiny_export.ids.index(one) for one in ids]
        np.testing.assert_allclose(scores, table[rows] @ query, atol=1e-5)
        assert not seen & set(rows)
        assert (np.diff(scores) <= 0).all()
        assert rows == best or exported.manifest["index"]["kind"] == "ivf"
        hits += len(set(rows) & set(best))
    assert hits >= 0.8 * 5 * len(histories)


def test_filters_and_inclusions_are_exact(exported, tiny_export):
    histories = [[tiny_export.ids[3], tiny_export.ids[50]]]
    scores = exported.item_table @ exported.embed_queries(histories)[0]
    category = exported.items.set_index("item_id")["category"]

    def best(allowed):
        return sorted(allowed, key=lambda item: -scores[tiny_export.ids.index(item)])[:4]

    mugs = set(category.index[category == "mug"]) - set(histories[0])
    assert exported.recommend(histories, 4, filter={"category": "mug"}).item_ids[0].tolist() == best(mugs)
    some = [item for item in tiny_export.ids[60:90] if item not in histories[0]]
    assert exported.recommend(histories, 4, include=[some]).item_ids[0].tolist() == best(some)
