"""Tests that a check describes what training would see, finds planted faults exactly, and writes nothing."""

import csv
import io
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageFilter

import mmrec
import mmrec.cli
from mmrec.checking import agreement as check_agreement
from mmrec.reports.check import report_text
from mmrec.schema import Field
from tests.jobs.worlds import write_groups


def noise(seed, blur=0):
    """Draws a photo unlike that of any other seed; with `blur` it has no sharp edge."""
    squares = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    photo = Image.fromarray(squares).resize((48, 48), Image.Resampling.NEAREST)
    file = io.BytesIO()
    (photo.filter(ImageFilter.GaussianBlur(blur)) if blur else photo).save(file, "PNG")
    return file.getvalue()


def one_colour():
    file = io.BytesIO()
    Image.new("RGB", (48, 48), (250, 250, 248)).save(file, "PNG")
    return file.getvalue()


def give_photos_and_texts(folder, config, photos=(), titles=(), labels=()):
    """Gives each of the 24 items a photo and a title of its own, but for those in the dicts, by row of the file."""
    photos, titles, labels = dict(photos), dict(titles), dict(labels)
    with open(folder / "items.csv", newline="") as file:
        _, *rows = csv.reader(file)
    with open(folder / "items.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["item_id", "title", "label", "image"])
        for row, (item, title) in enumerate(rows, start=1):
            content = photos.get(row, noise(row))
            if content:
                (folder / f"{row}.png").write_bytes(content)
            table.writerow([item, titles.get(row, title), labels.get(row, "x"), f"{row}.png" if content else ""])
    config["data"]["catalog"] |= {"image": "image", "payload": ["title", "label"]}
    config["item"] |= {"modalities": ["image", "text"], "image": {"weights": None, "size": 32}}
    return config


def edit_events(folder, change):
    """Rewrites the events as `change(rows)` returns them."""
    with open(folder / "events.csv", newline="") as file:
        header, *rows = csv.reader(file)
    with open(folder / "events.csv", "w", newline="") as file:
        csv.writer(file).writerows([header, *change(rows)])


def codes(report):
    return [one.code for one in report.findings]


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def shop(tmp_path):
    return write_groups(tmp_path)


@pytest.fixture
def run(command, tmp_path):
    """Returns `run(config, *options)`: checks a config dict by the command line; see the fixture `command`."""

    def call(config, *options):
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        return command("check", path, *options)

    return call


def test_the_facts_of_a_small_shop_are_those_counted_by_hand(shop):
    # 24 items; 160 users with 6 events each, at the times 0..5; the last is test, the one before it validation.
    facts = mmrec.check(shop, probe=False).facts
    assert (facts["items"], facts["users"], facts["events"]) == (24, 160, 960)
    assert (facts["positive_events"], facts["seen_only_events"]) == (960, 0)
    assert facts["time"] == {"first": 0.0, "last": 5.0, "first_date": None, "last_date": None}
    assert facts["users_by_events"] == {"1": 0, "2": 0, "3_to_5": 0, "6_to_20": 160, "over_20": 0}
    assert facts["split"]["train"] == {"events": 640, "users": 160}
    for part in ("validation", "test"):
        assert facts["split"][part] == {"queries": 160, "answers": 160, "cold_answers": 0, "dropped": {}}
    assert facts["training"] == {"queries": 640, "steps_per_epoch": 5}  # 160 histories in batches of 32
    assert facts["items_without_training_events"] == 0
    assert facts["coverage"] == {}


def test_the_popularity_floor_is_the_one_that_an_evaluation_reports(tiny_export):
    from mmrec.evaluation.baselines import Popularity
    from mmrec.evaluation.evaluator import evaluate

    tables = tiny_export.tables
    expected = evaluate(Popularity(tables.train_counts), tables.split.validation, 150).metrics["ndcg@10"]
    facts = mmrec.check(tiny_export.shop / "config.yaml", probe=False).facts
    assert facts["popularity"]["validation_ndcg@10"] == pytest.approx(expected)


def test_a_time_split_names_its_cuts(shop):
    shop["data"]["split"] = {"kind": "time", "validation_fraction": 0.2, "test_fraction": 0.2}
    parts = mmrec.check(shop, probe=False).facts["split"]
    assert parts["validation"]["begins"] == 3.0  # 60% of 960 events of six times: the 577th is of time 3
    assert parts["test"]["begins"] == 4.0


def test_a_clean_shop_has_no_findings_even_when_looked_at_deeply(shop, tmp_path):
    report = mmrec.check(give_photos_and_texts(tmp_path, shop), deep=True, probe=False)
    assert report.findings == ()
    assert report.error == ""
    assert report.facts["coverage"] == {"image": 1.0, "text title": 1.0}
    assert report.facts["photos"]["distinct"] == 24
    assert report.facts["texts"]["script_share"] == {"Latin": 1.0}
    assert report.facts["texts"]["language_share"] == {"unsure": 1.0}  # titles of two words
    assert "\nlanguages     unsure 100%\n" in report_text(report)
    assert report_text(report).endswith("\n\nno findings")


def test_planted_faults_are_reported_exactly(shop, tmp_path):
    photos = {2: noise(1), 3: one_colour(), 4: b"no photo", 5: noise(5, blur=9)}
    titles = {13: "Same Thing", 14: " same  thing", 15: "as u100 has it", 16: "fits red-10!", 17: "blue-4", 18: ""}
    config = give_photos_and_texts(tmp_path, shop, photos, titles, labels={19: "blue thing 6"})
    config["data"]["catalog"]["on_missing_image"] = "mask"
    report = mmrec.check(config, deep=True, probe=False)
    assert {one.code: one.rows for one in report.findings} == {
        "duplicate_photos": (1, 2),
        "blank_photos": (3,),
        "unreadable_photos": (4,),
        "blurred_photos": (5,),
        "identical_texts": (13, 14),
        "user_id_in_text": (15,),
        "item_id_in_text": (16,),
        "text_is_item_id": (17,),
        "empty_texts": (18,),
        "payload_repeats_text": (19,),
    }
    assert report.error == ""  # the unreadable photo is masked
    assert report.facts["photos"] == {
        "photos": 24, "distinct": 23, "unreadable": 1, "blank": 1, "blurred": 1,
        "duplicate_groups": 1, "items_with_duplicate": 2, "near_duplicates": 0,
    }  # fmt: skip
    severities = [one.severity for one in report.findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert "row 4: red-3" in report_text(report)


@pytest.mark.parametrize("deep", [False, True])
def test_an_unreadable_photo_that_training_would_refuse_ends_the_command_with_2(shop, tmp_path, run, deep):
    config = give_photos_and_texts(tmp_path, shop, {4: b"no photo"})
    code, out, errors = run(config, "--no-probe", "--json", *(["--deep"] if deep else []))
    assert code == 2
    assert json.loads(out)["could_start"] is False
    assert errors.startswith("error: ")
    assert "row 4: red-3" in errors
    assert "on_missing_image: mask" in errors
    assert len(errors.splitlines()) == 1


def test_no_photo_at_all_is_an_error(shop, tmp_path):
    config = give_photos_and_texts(tmp_path, shop, {row: b"" for row in range(1, 25)})
    report = mmrec.check(config)
    assert "`image`" in report.error
    assert {"no_photo", "low_coverage"} <= set(codes(report))


def test_a_photo_that_ten_items_share_looks_like_a_placeholder(shop, tmp_path):
    config = give_photos_and_texts(tmp_path, shop, {row: noise(99) for row in range(3, 13)})
    report = mmrec.check(config, deep=True, probe=False)
    assert {one.code: one.rows for one in report.findings} == {"shared_photos": tuple(range(3, 13))}


def test_rare_modalities_are_named_with_their_share(shop, tmp_path):
    config = give_photos_and_texts(tmp_path, shop, {row: b"" for row in range(2, 25)})
    (finding,) = mmrec.check(config, probe=False).findings
    assert (finding.code, finding.text) == ("low_coverage", "Only 4.2% of the items have a photo.")  # 1 of 24


def test_ready_made_vectors_are_covered_and_probed(shop, tmp_path):
    with open(tmp_path / "items.csv", newline="") as file:
        header, *rows = csv.reader(file)
    with open(tmp_path / "items.csv", "w", newline="") as file:
        vectors = [f"[{row}, 1, 0.5]" if row % 2 else "" for row in range(24)]
        csv.writer(file).writerows(
            [[*header, "vector"], *([*row, vector] for row, vector in zip(rows, vectors, strict=True))]
        )
    shop["data"]["catalog"]["features"] = "vector"
    shop["item"]["modalities"] = ["features"]
    facts = mmrec.check(shop).facts
    assert facts["coverage"] == {"features": 0.5}
    assert facts["cost"]["memory_bytes"]["features"] == 24 * 3 * 4
    assert set(facts["cost"]["seconds"]) == {"step", "epoch", "all_epochs"}  # nothing of photos


@pytest.mark.parametrize(("present", "severity"), [(160, None), (150, "note"), (80, "warning")])
def test_users_that_their_table_lacks_are_reported(shop, tmp_path, present, severity):
    rows = "".join(f"u{user},{user % 3}\n" for user in range(present))
    (tmp_path / "users.csv").write_text(f"user_id,town\n{rows}")
    shop["data"]["users"] = {"path": str(tmp_path / "users.csv"), "attributes": {"town": "category"}}
    findings = mmrec.check(shop, probe=False).findings
    expected = [(severity, "users_without_attributes")] if severity else []
    assert [(one.severity, one.code) for one in findings] == expected
    if present == 80:
        assert findings[0].text == "80 of 160 users (50.0%) are not in the table of users."


def test_few_users_and_events_are_reported(tmp_path):
    config = write_groups(tmp_path, users=49, batch_size=16)  # 49 x 4 training events
    assert codes(mmrec.check(config, probe=False)) == ["few_users", "few_events"]


def test_users_with_one_event_are_reported(shop, tmp_path):
    edit_events(tmp_path, lambda rows: rows + [[f"once{i}", "red-0", "0"] for i in range(161)])
    findings = next(one for one in mmrec.check(shop, probe=False).findings if one.code == "users_with_one_event")
    assert findings.text.startswith("50.2% of the users")  # 161 of 321


def test_an_item_or_user_with_an_outsized_share_is_named(shop, tmp_path):
    more = [["robot", f"blue-{i % 12}" if i % 4 else "red-0", str(i)] for i in range(1600)]
    edit_events(tmp_path, lambda rows: rows + more)
    findings = {one.code: one.examples for one in mmrec.check(shop, probe=False).findings}
    assert findings["dominant_user"] == ("robot",)  # 1,598 of 2,238 training events
    more = [[row[0], "red-0", str(100 + i)] for i, row in enumerate(more)]
    edit_events(tmp_path, lambda rows: rows[:960] + more)
    findings = {one.code: one.examples for one in mmrec.check(shop, probe=False).findings}
    assert findings["dominant_item"] == ("red-0",)


def test_repeated_events_are_counted(shop, tmp_path):
    edit_events(tmp_path, lambda rows: rows + rows[:3])
    (finding,) = mmrec.check(shop, probe=False).findings
    assert (finding.severity, finding.code) == ("note", "duplicate_events")
    assert finding.text.startswith("3 events repeat")
    edit_events(tmp_path, lambda rows: rows[:960] + rows[:12])
    assert mmrec.check(shop, probe=False).findings[0].severity == "warning"  # 12 of 972: over 1%


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_times_in_the_future_are_counted_in_any_unit(shop, tmp_path, unit):
    now = int(time.time())
    edit_events(tmp_path, lambda rows: [[u, i, (now + (int(t) - 4) * 10**6) * unit] for u, i, t in rows])
    (finding,) = mmrec.check(shop, probe=False).findings
    assert finding.code == "future_times"
    # Each user's last event, of time 5.
    assert finding.text.startswith("160 events lie in the future; the last one is from 20")


def times_at(rows, change):
    """Returns the rows with their times 0..5 as days of 2024 in seconds, changed by `change(user number, seconds)`."""
    return [[u, i, change(int(u[1:]), 1_704_067_200 + 86_400 * int(t))] for u, i, t in rows]


def test_times_in_another_unit_than_most_are_reported(shop, tmp_path):
    edit_events(tmp_path, lambda rows: times_at(rows, lambda user, time: time * (1000 if user < 16 else 1)))
    (finding,) = mmrec.check(shop, probe=False).findings
    assert (finding.severity, finding.code) == ("warning", "mixed_time_units")
    # 16 of 160 users with 6 events each
    assert finding.text.startswith("96 times (10.0%) are milliseconds since 1970, the others seconds")


@pytest.mark.parametrize("unit", [1, 10**3, 10**9])
def test_times_of_zero_and_before_1990_are_reported(shop, tmp_path, unit):
    edit_events(tmp_path, lambda rows: times_at(rows, lambda user, time: unit * time * (user > 15)))
    (finding,) = mmrec.check(shop, probe=False).findings
    assert finding.code == "early_times"
    assert finding.text == (
        "96 events (10.0%) are from before 1990, the first from 1970-01-01 00:00:00; 96 have the time 0, which "
        "usually means that it is missing."
    )


def test_dates_written_as_numbers_are_reported(shop, tmp_path):
    edit_events(tmp_path, lambda rows: [[u, i, 20240101 + int(t)] for u, i, t in rows])
    (finding,) = mmrec.check(shop, probe=False).findings
    assert (finding.severity, finding.code) == ("note", "dates_as_numbers")
    assert mmrec.check(shop, probe=False, **{"data.interactions.timestamp_format": "%Y%m%d"}).findings == ()


def test_answers_that_users_saw_before_are_reported_with_the_remedy(shop, tmp_path):
    def viewed(rows):
        """Lets every third user view the right answer of the test before anything else."""
        views = [[u, i, "-1", "view"] for u, i, t in rows if t == "5" and int(u[1:]) % 3 == 0]
        return [*views, *([*row, "buy"] for row in rows)]

    edit_events(tmp_path, viewed)
    text = (tmp_path / "events.csv").read_text()
    (tmp_path / "events.csv").write_text(text.replace("timestamp", "timestamp,kind", 1))
    shop["data"]["interactions"] |= {"event": "kind", "positive_events": ["buy"]}
    (finding,) = mmrec.check(shop, probe=False).findings
    assert (finding.severity, finding.code) == ("warning", "answers_already_seen")
    assert finding.text.startswith("33.8% of the test's right answers (54 of 160) do not count")
    assert "`data.interactions.seen_events` to the types that keep an item from being recommended, such as [buy]" in (
        finding.remedy
    )
    report = mmrec.check(shop, probe=False, **{"data.interactions.seen_events": ["buy"]})
    assert report.findings == ()
    assert (report.facts["seen_only_events"], report.facts["unused_events"]) == (0, 54)
    assert report.facts["split"]["test"]["queries"] == 160


def test_a_table_with_many_skipped_rows_is_reported(shop, tmp_path):
    edit_events(tmp_path, lambda rows: [*rows, *[["u1", "gone", "7"]] * 100, *[["", "red-1", "7"]] * 10])
    shop["data"]["interactions"] |= {"on_unknown_item": "skip", "on_bad_row": "skip"}
    (finding,) = mmrec.check(shop, probe=False).findings
    assert finding.code == "many_skipped_rows"
    assert finding.text == (
        "10.3% of the rows of the interactions were skipped: event without user 10, unknown item 100."  # of 1,070
    )


def test_texts_are_judged_by_a_sample_unless_the_check_is_deep(shop, tmp_path):
    items = (tmp_path / "items.csv").read_text()
    (tmp_path / "items.csv").write_text(items + "".join(f"more-{i},another thing {i}\n" for i in range(2000)))
    shop["item"]["modalities"] = ["text"]
    shop["item"]["text"]["max_tokens"] = 2  # of the three of every title
    report = mmrec.check(shop, probe=False)
    (finding,) = [one for one in report.findings if one.code == "cut_texts"]
    assert finding.text == (
        "100% of the texts in `title` are cut to `item.text.max_tokens`. (In a sample of 2,000 items of 2,024; "
        "`deep` reads all.)"
    )
    assert "; of 2,000 items of 2,024, --deep reads all\n" in report_text(report)
    deep = mmrec.check(shop, deep=True, probe=False)
    (finding,) = [one for one in deep.findings if one.code == "cut_texts"]
    assert finding.text == "100% of the texts in `title` are cut to `item.text.max_tokens`."


def test_users_whose_events_share_one_time_are_reported(shop, tmp_path):
    edit_events(tmp_path, lambda rows: [[u, i, "0"] for u, i, _ in rows])
    shop["evaluation"]["min_history"] = 0
    findings = mmrec.check(shop, probe=False).findings
    assert "one_time_per_user" in [one.code for one in findings]


def test_baskets_that_fill_the_window_are_reported(shop, tmp_path):
    # Of a user's four training events the first three are one basket; windows are of three.
    edit_events(tmp_path, lambda rows: [[u, i, str(max(2, int(t)))] for u, i, t in rows])
    shop["query"]["max_length"] = 3
    (finding,) = mmrec.check(shop, probe=False).findings
    assert finding.code == "baskets_fill_windows"
    assert finding.text.startswith("75.0% of the training events")


def test_a_test_of_new_items_only_is_reported(shop, tmp_path):
    items = (tmp_path / "items.csv").read_text()
    (tmp_path / "items.csv").write_text(items + "new,new thing\n")
    edit_events(tmp_path, lambda rows: [[u, "new" if t == "5" else i, t] for u, i, t in rows])
    (finding,) = mmrec.check(shop, probe=False).findings
    assert finding.code == "cold_test"
    assert finding.text.startswith("100%")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"retrieval": {"temperature": 2.0}}, "unusual_temperature"),
        ({"training.batch_size": 8}, "small_batch"),
        ({"training.batch_size": 100}, "few_steps"),  # 160 histories: two steps
    ],
)
def test_unusual_settings_are_reported(shop, settings, code):
    assert codes(mmrec.check(shop, probe=False, **settings)) == [code]


def test_skipped_rows_are_counted_by_reason(shop, tmp_path):
    edit_events(tmp_path, lambda rows: [*rows, ["u1", "gone", "7"], ["", "red-1", "7"]])
    shop["data"]["interactions"] |= {"on_unknown_item": "skip", "on_bad_row": "skip"}
    report = mmrec.check(shop, probe=False)
    assert report.facts["skipped"] == {"catalog": {}, "interactions": {"event_without_user": 1, "unknown_item": 1}}
    assert "interactions unknown item 1" in report_text(report)


def test_the_probe_measures_photos_and_steps_and_nothing_is_written(shop, tmp_path, monkeypatch):
    config = give_photos_and_texts(tmp_path, shop)
    monkeypatch.chdir(tmp_path)
    before = listing(tmp_path)
    report = mmrec.check(config, deep=True)
    assert listing(tmp_path) == before
    cost = report.facts["cost"]
    assert all(seconds > 0 for seconds in cost["seconds"].values())
    assert cost["seconds"]["all_epochs"] == pytest.approx(cost["seconds"]["step"] * 5 * 4)  # steps, epochs
    assert cost["disk_bytes"]["photo_cache"] == 24 * 2048 * 4  # items, ResNet50's features, float32
    assert cost["memory_bytes"]["item_embeddings"] == 25 * 16 * 4
    assert any("24 photos" in words for words in cost["basis"])
    text = report_text(report)
    assert "all epochs at most" in text
    assert text.endswith("no findings")
    json.dumps(report.to_dict())


def test_the_command_prints_a_table_or_one_json_object_and_ends_with_0(shop, run):
    code, out, errors = run(shop, "--no-probe")
    assert (code, errors) == (0, "")
    assert out.startswith("items         24, 0 without training events\n")
    assert out.endswith("\n\nno findings\n")
    code, out, _ = run(shop, "--no-probe", "--json", "--set", "training.batch_size=8")
    assert code == 0
    printed = json.loads(out.splitlines()[-1])
    assert set(printed) == {"could_start", "facts", "findings"}
    assert printed["could_start"] is True
    assert [one["code"] for one in printed["findings"]] == ["small_batch"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "training.epoch=3"], "Did you mean `training.epochs`"),
        (["--export", "somewhere"], "`export_dir` needs `deep`"),
    ],
)
def test_without_a_usable_config_nothing_is_read(shop, run, options, message):
    code, out, errors = run(shop, *options)
    assert (code, out) == (2, "")
    assert message in errors
    assert len(errors.splitlines()) == 1


def test_a_catalog_of_one_item_is_refused_for_that_reason(shop, tmp_path):
    lines = (tmp_path / "items.csv").read_text().splitlines()
    (tmp_path / "items.csv").write_text("\n".join(lines[:2]))
    report = mmrec.check(shop, probe=False)
    assert "items.csv: holds one item, 'red-0': there is nothing to choose from. Give a catalog of two" in report.error


def test_every_error_of_the_inputs_is_reported_with_its_count_and_ends_with_2(shop, tmp_path, run):
    items = (tmp_path / "items.csv").read_text()
    (tmp_path / "items.csv").write_text(items + "red-1,again\n,nothing\n,nobody\n")
    edit_events(tmp_path, lambda rows: [*rows, ["u1", "gone", "7"], ["u1", "red-1", "soon"], ["u2", "lost", "8"]])
    (tmp_path / "file").write_text("")
    shop |= {"runs_dir": str(tmp_path / "file" / "runs"), "saved_models_dir": str(tmp_path / "file")}
    shop["data"]["users"] = {"path": str(tmp_path / "users.csv"), "attributes": {"home": "category"}}
    code, _, errors = run(shop, "--no-probe", "--set", "query.history=nope")
    assert code == 2
    said = [
        "no history tower is called 'nope'",
        "items.csv, row 26 (and 1 more), column `item_id`: every item needs an id",
        "items.csv, row 25, column `item_id`: ids must be unique",
        "events.csv, row 962, column `timestamp`: must be a number",
        "events.csv, row 961 (and 1 more), column `item_id`: must be an item of the catalog. Received: 'gone'",
        "users.csv: no such file. Correct `data.users.path`.",
        "file/runs/groups: cannot be written. Set `runs_dir`",
        "file/groups: cannot be written. Set `saved_models_dir`",
    ]
    lines = errors.splitlines()
    assert len(lines) == 8
    for part, line in zip(said, lines, strict=True):
        assert line.startswith("error: ")
        assert part in line
    assert not (tmp_path / "file").is_dir()
    report = mmrec.check(shop, probe=False)
    assert report.error == report.errors[0]
    assert [one.code for one in report.findings] == [
        *["unusable_catalog"] * 2, *["unusable_interactions"] * 2, "unusable_users", *["unwritable_folder"] * 2,
    ]  # fmt: skip


def test_where_a_table_cannot_be_used_the_others_are_described(shop, tmp_path, run):
    code, out, errors = run(shop, "--no-probe", "--set", "data.catalog.path=no.csv", "--json")
    assert code == 2
    assert errors.splitlines() == [f"error: {tmp_path / 'no.csv'}: no such file. Correct `data.catalog.path`."]
    facts = json.loads(out)["facts"]
    assert (facts["users"], facts["events"]) == (160, 960)
    assert not {"items", "split", "training"} & set(facts)
    code, out, errors = run(shop, "--no-probe", "--set", "data.interactions.timestamp=when")
    assert code == 2
    assert "no column `when`" in errors
    assert out.startswith("items         24\nskipped       nothing\n\nerror:  ")


def test_an_item_whose_photo_and_texts_disagree_is_named(shop, tmp_path, monkeypatch):
    config = give_photos_and_texts(tmp_path, shop)
    vectors = np.random.default_rng(0).normal(size=(24, 8)).astype(np.float32)
    asked = []

    class Shop:
        def __init__(self, path):
            fields = [Field("image", "image", "image_bytes", "bytes"), Field("title", "text", "text", "text")]
            self.interface = SimpleNamespace(fields=fields)

        def embed_items(self, table):
            asked.append(list(table))
            by_photo = "image_bytes" in table
            return np.where(np.arange(24)[:, None] == 5, -1.0, 1.0) * vectors if by_photo else vectors

    monkeypatch.setattr(check_agreement, "Recommender", Shop)
    report = mmrec.check(config, deep=True, export_dir="export", probe=False)
    assert asked == [["image_bytes"], ["text"]]
    (finding,) = report.findings
    # The sixth id in order, after blue-0, blue-1, blue-10, blue-11 and blue-2, is blue-3: row 16 of the file.
    assert (finding.code, finding.rows) == ("photo_text_disagree", (16,))
    assert report.facts["agreement"]["lowest"][0]["item_id"] == "blue-3"
    assert len(report.facts["agreement"]["lowest"]) == 20


@pytest.mark.slow
def test_photos_and_texts_are_compared_through_a_real_export(tiny_export):
    report = mmrec.check(
        tiny_export.shop / "config.yaml", deep=True, export_dir=tiny_export.result.export_dir, probe=False
    ).facts["agreement"]
    cosines = [one["cosine"] for one in report["lowest"]]
    assert cosines == sorted(cosines)
    assert cosines[0] < report["mean_cosine"] < 1


def test_an_export_without_photos_is_refused(shop, monkeypatch):
    interface = SimpleNamespace(fields=[Field("title", "text", "text", "text")])
    monkeypatch.setattr(check_agreement, "Recommender", lambda _: SimpleNamespace(interface=interface))
    with pytest.raises(mmrec.InputError, match="reads photos and texts"):
        mmrec.check(shop, deep=True, export_dir="export", probe=False)
