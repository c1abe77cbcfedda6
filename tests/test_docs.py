"""What the pages say works as written: commands, code, configs, options and links."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

import mmrec
import tests.toys.smell
from mmrec.cli.app import app
from mmrec.config.reference import config_reference

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]}
PROGRAMS = {"mmrec": f"{sys.executable} -m mmrec ", "python": f"{sys.executable} "}
FIRST = "first_steps.md"  # the others continue in its folder


def blocks(page, *languages):
    """Returns (language, text) of a page's code blocks in these languages, in order."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    return [(language, text) for language, text in fences if language in languages]


def commands_of(text):
    """Yields each command of a console block with the output that the page shows below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output.splitlines()


def plain(line):
    """Returns a line of output without what differs from run to run: digits, widths of columns."""
    return " ".join(re.sub(r"\d+", "0", line).split())


def shown_but_not_printed(expected, printed):
    """Returns the lines of a page that were not printed in their order; `...` stands for anything."""
    rest, missing = [plain(line) for line in printed.splitlines()], []
    for line in expected:
        pattern = re.escape(plain(line)).replace(re.escape("..."), ".*")
        place = next((number for number, one in enumerate(rest) if re.fullmatch(pattern, one)), None)
        if place is None:
            missing.append(line)
        else:
            rest = rest[place if line.strip() == "..." else place + 1 :]
    return missing


def run_page(page, folder):
    """Runs a page's console and python blocks in order, as a reader would, in one folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3"}
    names, before = {}, Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        for language, text in blocks(page, "console", "python"):
            if language == "python":
                exec(compile(text, page, "exec"), names)
                continue
            for command, expected in commands_of(text):
                line = re.sub(r"^(mmrec|python) (?=[a-z-])", lambda match: PROGRAMS[match[1]], command)
                done = subprocess.run(line, shell=True, env=environment, capture_output=True, text=True)
                assert done.returncode == 0, f"{page}: {command}\n{done.stdout}\n{done.stderr}"
                missing = shown_but_not_printed(expected, f"{done.stdout}\n{done.stderr}\n{done.stdout}")
                assert missing == [], f"{page}: {command}\nprinted:\n{done.stdout}\n{done.stderr}"
    finally:
        os.chdir(before)
        sys.path.remove(str(folder))
    return names


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The folder of the first steps."""
    folder = tmp_path_factory.mktemp("shop")
    run_page(FIRST, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if page not in (FIRST, "index.md", "README.md")])
def test_the_blocks_of_a_page_run_and_print_what_it_shows(page, shop):
    run_page(page, shop)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["index.md", "README.md"])
def test_the_blocks_of_a_front_page_run_in_an_empty_folder(page, tmp_path):
    run_page(page, tmp_path)


@pytest.mark.parametrize("page", [page for page in PAGES if page != "README.md"])
def test_every_page_has_a_block_that_runs(page):
    assert blocks(page, "console", "python")


def test_the_first_steps_are_checked_against_what_is_printed():
    printed = "items   12, 3 cold\nepoch 1/4  loss 5.1  7 s\nexported x"
    assert shown_but_not_printed(["items         150, 6 cold", "...", "exported x"], printed) == []
    assert shown_but_not_printed(["epoch 9/9  loss ...", "items 1, 2 cold"], printed) == ["items 1, 2 cold"]


def test_the_config_examples_are_valid_configs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "my_shop", tests.toys)
    monkeypatch.setitem(sys.modules, "my_shop.smell", tests.toys.smell)
    examples = [text for page in PAGES for _, text in blocks(page, "yaml")]
    assert len(examples) >= 4
    for text in examples:
        (tmp_path / "config.yaml").write_text(text)
        assert mmrec.Config.load(tmp_path / "config.yaml") != mmrec.Config()


@pytest.mark.parametrize("page", PAGES)
def test_commands_on_pages_have_the_options_that_they_use(page):
    commands = get_command(app).commands
    for language, text in blocks(page, "sh", "console"):
        begins = r"(?:^\$ |&& )" if language == "console" else "^"
        for command in re.findall(rf"{begins}mmrec ([^\n]*(?:\\\n[^\n]*)*)", text, flags=re.MULTILINE):
            name, *words = command.split()
            if not name.startswith("-"):
                parameters = commands[name].params
                options = {option for one in parameters for option in (*one.opts, *one.secondary_opts)}
                used = [re.sub(r"=.*", "", word) for word in words if word.startswith("-")]
                assert [option for option in used if option not in options] == [], command


def anchors(text):
    """Returns the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page):
    folder = ROOT if page == "README.md" else DOCS
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        path, _, anchor = target.partition("#")
        if path.startswith("http"):
            continue
        file = folder / path if path else folder / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_page_is_in_the_menu():
    menu = re.findall(r": (\w+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(menu) == sorted(page for page in PAGES if page != "README.md")
    assert len(menu) >= 10


def test_the_config_reference_is_what_the_config_says():
    assert PAGES["config.md"] == config_reference(), "run: mmrec schema --markdown > docs/config.md"
    assert "| `item.text.units` | integer >= 1 | `64` | Width of the encoder: " in PAGES["config.md"]


def test_the_readme_is_short_and_its_two_commands_are_those_of_ci():
    text, ci = PAGES["README.md"], (ROOT / ".ci" / "run").read_text()
    assert len(text.splitlines()) <= 150
    for command in re.findall(r"^make ([\w-]+)", text, flags=re.MULTILINE):
        assert f"\n{command}:" in (ROOT / "Makefile").read_text()
    assert "\nmake test\n" in ci
    assert "\nmake docs\n" in ci


def test_the_figures_of_the_readme_are_those_that_were_measured():
    results = json.loads((ROOT / "benchmarks" / "results" / "configs.json").read_text())["rows"]
    row = next(row for row in results if row["name"] == "ndcg@10:sample_shop")
    assert "mmrec        {:.4f} [{:.4f}, {:.4f}] ".format(row["value"], *row["ci95"]) in PAGES["README.md"]


def test_every_config_in_pipelines_loads():
    paths = sorted((ROOT / "pipelines" / "configs").glob("*.yaml"))
    assert {path.stem for path in paths} >= {"quickstart", "wines", "retail"}
    for path in paths:
        assert mmrec.Config.load(path).name == path.stem


def test_the_pages_say_nothing_about_a_machine_and_yaml_of_the_site_is_valid():
    assert yaml.safe_load((ROOT / "mkdocs.yml").read_text())["site_name"] == "mmrec"
    for page, text in PAGES.items():
        assert not re.search(r"/(home|root|tmp|work)/", text), page
