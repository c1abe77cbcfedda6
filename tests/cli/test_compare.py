"""`mmrec compare` tells runs from exports, and what is of one from what is of the other."""

import pytest


@pytest.fixture
def folders(tmp_path):
    """Two folders that look like runs and two that look like exports."""
    for name in ("run", "rerun"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        (tmp_path / name / "config.yaml").write_text("name: shop\n")
    for name in ("one", "other"):
        (tmp_path / name / "mmrec").mkdir(parents=True)
        (tmp_path / name / "mmrec" / "manifest.json").write_text("{}")
    return {path.name: str(path) for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("sides", "options", "message"),
    [
        (("run", "rerun"), ["--histories", "h.csv"], "`--histories` applies to exports, and"),
        (("run", "rerun"), ["--segment", "country"], "`--segment` applies to exports, and"),
        (
            ("one", "other"),
            [],
            "`--histories` must be given to compare exports: a parquet or csv file with",
        ),
        (("one", "other"), ["--metric", "mrr", "--histories", "h.csv"], "`--metric` applies to runs, and"),
        (("one,other", "other"), ["--histories", "h.csv"], "exports are compared one with one. Received:"),
        (("one", "other"), ["--histories", "h.csv"], "h.csv: no such file. Correct `histories`."),
        (("one", "run"), [], "`run_a` must name run folders. Received: "),
        (("", "run"), [], "`run_a` must name at least one run folder. Received: ['']."),
        (("run", "nothing"), [], "nothing: is neither a run folder nor an export. Give runs/<name>/<number>, or saved"),
        (("run", "rerun"), [], "run: the run has not finished."),
    ],
)
def test_what_is_of_runs_and_what_is_of_exports_is_told_apart(folders, command, sides, options, message):
    named = (",".join(folders.get(name, name) for name in side.split(",")) for side in sides)
    code, out, errors = command("compare", *named, *options)
    assert (code, out, len(errors.splitlines())) == (2, "", 1)
    assert errors.startswith("error: ")
    assert message in errors
