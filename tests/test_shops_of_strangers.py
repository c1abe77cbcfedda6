"""Three shops, each kept well and kept with bad habits: both train to the same numbers, and answer alike.

The habits are those of spreadsheets (ids with `.0`, day before month, markup, spaces), of frames (lists, missing
numbers, views before purchases, zones) and of scripts that write JSON lines (numbers as ids, transparent photos, names
of files with a space).
"""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import mmrec
from mmrec.modalities.image import tower as image_tower
from tests.jobs.worlds import MeanColour

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}
START = pd.Timestamp("2024-01-20T09:00:00Z")
USERS, TAKEN = 90, 6


def items():
    """Returns 24 items in two groups, numbered from 101."""
    rows = [(101 + 12 * group + place, colour, place) for group, colour in enumerate(COLOURS) for place in range(12)]
    table = pd.DataFrame(rows, columns=["item_id", "colour", "place"])
    return table.assign(
        title=[f"{colour} thing {place}" for colour, place in zip(table["colour"], table["place"], strict=True)],
        brand=np.where(table["place"] % 3 == 0, "acme", "none such"),
    )


def events():
    """Returns what each user took: six items of one group, a day between each two."""
    generator, rows = np.random.default_rng(0), []
    for user in range(USERS):
        taken = 101 + 12 * (user % 2) + generator.permutation(12)[:TAKEN]
        rows += [(5000 + user, item, START + pd.Timedelta(days=day)) for day, item in enumerate(taken)]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "time"])


def config(folder, modalities, catalog, interactions):
    return {
        "name": "shop",
        "runs_dir": str(folder / "runs"),
        "saved_models_dir": str(folder / "models"),
        "data": {
            "catalog": {"image": None, "text": ["title"], "payload": ["title"], **catalog},
            "interactions": {"timestamp": "time", **interactions},
            "split": {"kind": "leave_last_out"},
            "cache_dir": str(folder / "cache"),
        },
        "item": {
            "modalities": modalities,
            "dim": 16,
            "text": {"tokenizer": "word", "encoder": "mean", "embedding_dim": 8, "units": 8},
            "image": {"weights": None, "size": 32},
        },
        "query": {"history": "mean", "max_length": 8, "context": ["time_gap"]},
        "training": {"epochs": 3, "batch_size": 32, "learning_rate": 0.02},
        "evaluation": {"bootstrap_samples": 20},
    }


def spreadsheet(folder, well_kept):
    catalog, taken = items(), events()
    dates = {"timestamp_format": "%d/%m/%Y %H:%M"}
    if well_kept:
        taken["time"], dates = taken["time"].dt.strftime("%Y-%m-%dT%H:%M:%S"), {}
    else:
        taken["time"] = taken["time"].dt.strftime("%d/%m/%Y %H:%M")
        for column in ("user_id", "item_id"):
            taken[column] = taken[column].astype(float)  # as after a join with gaps: 101.0
        catalog["title"] = [f'<p class="t" hidden>{title.replace(" ", "&nbsp;", 1)}<br/>' for title in catalog["title"]]
        catalog["brand"] = " " + catalog["brand"] + " "
    catalog.to_csv(folder / "items.csv", index=False, encoding="utf-8" if well_kept else "utf-8-sig")
    taken.to_csv(folder / "events.csv", index=False)
    paths = [{"path": str(folder / name)} for name in ("items.csv", "events.csv")]
    return config(folder, ["text", "item_id"], paths[0] | {"filters": ["brand"]}, paths[1] | dates)


def frames(folder, well_kept):
    catalog, taken = items(), events().assign(kind="purchase")
    catalog["tags"] = [[brand, colour] for brand, colour in zip(catalog["brand"], catalog["colour"], strict=True)]
    rules = {}
    if not well_kept:
        catalog["item_id"] = catalog["item_id"].astype("int64[pyarrow]")
        catalog["title"] = catalog["title"].astype("string[pyarrow]")
        viewed = taken.assign(kind="view", time=taken["time"] - pd.Timedelta(minutes=10))
        nothing = pd.DataFrame({"user_id": [5000.0], "item_id": [np.nan], "time": [START], "kind": ["purchase"]})
        taken = pd.concat([viewed, taken, nothing]).sample(frac=1, random_state=0)
        taken["time"] = taken["time"].dt.tz_convert("Asia/Tokyo").astype("datetime64[ns, Asia/Tokyo]")
        only = ["purchase"]
        rules = {"event": "kind", "positive_events": only, "seen_events": only, "on_bad_row": "skip"}
    return config(folder, ["text", "item_id"], {"path": catalog, "filters": ["tags"]}, {"path": taken, **rules})


def photo(colour, number):
    """Returns a drawn photo of a circle: on white, or with nothing behind it, in a palette of 2 bits or as a GIF."""
    drawn = Image.new("P", (48, 48), 0)
    drawn.putpalette([90, 90, 90, *COLOURS[colour], 10 * number, 90, 90, 0, 0, 0])
    yy, xx = np.mgrid[:48, :48]
    inside = (yy - 24) ** 2 + (xx - 24) ** 2 < 20**2
    drawn.putdata((inside * 1 + (inside & (xx > 24)) * 1).ravel().tolist())
    return drawn


def encoded(drawn, kind, transparent):
    file = io.BytesIO()
    if transparent:
        drawn.save(file, kind, transparency=0, **({"bits": 2} if kind == "PNG" else {}))
    else:
        shown = drawn.convert("RGB")
        background = Image.new("RGB", drawn.size, "white")
        background.paste(shown, mask=drawn.point([0, *[255] * 255], "L"))
        background.save(file, "PNG")
    return file.getvalue()


def lines(folder, well_kept):
    catalog, taken = items(), events()
    names = []
    for item in catalog.itertuples():
        kind = "PNG" if item.place % 2 else "GIF"
        names.append(f"{item.item_id}.{'png' if well_kept else kind.lower()}")
        if not well_kept and item.place == 3:
            names[-1] = " " + names[-1]
        (folder / names[-1]).write_bytes(encoded(photo(item.colour, item.place), kind, not well_kept))
    catalog["image"] = names
    taken["time"] = taken["time"].astype("datetime64[ns, UTC]").astype(np.int64)
    if well_kept:
        taken["time"] //= 10**9
    else:
        catalog["item_id"] = catalog["item_id"].astype(float)
        catalog["brand"] = [[brand] for brand in catalog["brand"]]
    for name, table in (("items", catalog), ("events", taken)):
        rows = (json.dumps(row) for row in table.to_dict("records"))
        (folder / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    paths = [{"path": str(folder / f"{name}.jsonl")} for name in ("items", "events")]
    return config(folder, ["image", "item_id"], paths[0] | {"image": "image", "filters": ["brand"]}, paths[1])


SHOPS = {"spreadsheet": spreadsheet, "frames": frames, "lines": lines}
RED = [str(number) for number in range(101, 113)]
ACME = {str(number) for number in range(101, 125, 3)}


@pytest.fixture(scope="module", params=[*SHOPS])
def trained(request, tmp_path_factory):
    """Both versions of a shop: their configs and what training returned, the well-kept one first."""
    actual = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_tower, "Backbone", MeanColour)
        for well_kept in (True, False):
            folder = tmp_path_factory.mktemp(request.param)
            settings = SHOPS[request.param](folder, well_kept)
            report = mmrec.check(settings, probe=False)
            assert report.errors == ()
            actual.append((settings, mmrec.train(settings)))
    return request.param, actual


@pytest.mark.slow
def test_bad_habits_change_no_number(trained):
    _, (well, badly) = trained
    for part in ("validation", "test"):
        expected, actual = (
            {name: value for name, value in result.metrics[part].items() if "ci95" not in name}
            for _, result in (well, badly)
        )
        assert actual == pytest.approx(expected, abs=1e-4)
        assert expected["hit_rate@10"] > 0.9  # ten of the eleven or fewer left of the group: it was learnt
    assert badly[1].metrics["queries"] == well[1].metrics["queries"] == USERS


@pytest.mark.slow
def test_bad_habits_change_no_answer(trained):
    name, (well, badly) = trained
    shops = [mmrec.load(result.export_dir) for _, result in (well, badly)]
    column = "tags" if name == "frames" else "brand"
    histories = [["101", "105", "109"], [113.0, 116.0], ["117.0"], []]
    answers = [shop.recommend(histories, k=4, filter={column: "acme"}) for shop in shops]
    np.testing.assert_array_equal(*(actual.item_ids for actual in answers))
    np.testing.assert_allclose(*(actual.scores for actual in answers), atol=1e-4)
    for row in answers[1].item_ids:
        assert set(row) - {""} <= ACME
    assert set(answers[1].item_ids[0]) & set(RED) == {"104", "107", "110"}  # what is left of the group


@pytest.mark.slow
def test_each_catalog_refreshes_the_export_of_the_other(trained, tmp_path):
    _, (well, badly) = trained
    for (settings, _), (_, result) in ((well, badly), (badly, well)):
        catalog = settings["data"]["catalog"]
        path = catalog["path"]
        if isinstance(path, pd.DataFrame):
            path = tmp_path / "items.parquet"
            catalog["path"].to_parquet(path)
        before = mmrec.load(result.export_dir)
        after = mmrec.load(mmrec.refresh(result.export_dir, path).export_dir)
        assert after.items["item_id"].tolist() == before.items["item_id"].tolist()
        np.testing.assert_allclose(after.item_table, before.item_table, atol=1e-4)


@pytest.mark.slow
def test_events_with_bad_habits_are_scored_as_the_others(trained, tmp_path):
    name, actual = trained
    rows = []
    for number, (settings, result) in enumerate(actual):
        source = settings["data"]["interactions"]["path"]
        if name == "lines":  # batch jobs read no JSON lines
            source = tmp_path / f"{number}.parquet"
            pd.read_json(settings["data"]["interactions"]["path"], lines=True).to_parquet(source)
        elif isinstance(source, pd.DataFrame):
            source = tmp_path / f"{number}.parquet"
            settings["data"]["interactions"]["path"].to_parquet(source)
        output = tmp_path / f"answers-{number}"
        mmrec.score(result.export_dir, source, output, k=3)
        table = pd.concat(pd.read_parquet(path) for path in sorted((output / "rows").glob("*.parquet")))
        rows.append(table.sort_values("user_id").reset_index(drop=True))
    assert rows[0]["user_id"].tolist() == rows[1]["user_id"].tolist() == [str(5000 + user) for user in range(USERS)]
    assert np.stack(rows[0]["item_ids"]).tolist() == np.stack(rows[1]["item_ids"]).tolist()
