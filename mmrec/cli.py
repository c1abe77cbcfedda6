"""The command line: `mmrec COMMAND`. Each command parses, calls one job, prints."""

from __future__ import annotations

import json
import os
import sys
import warnings
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec import process
from mmrec.allocator import keep_freed_memory
from mmrec.config import Config
from mmrec.config.reference import config_reference
from mmrec.config.source import parse_assignments
from mmrec.reports.metrics import metrics_table

app = typer.Typer(
    name="mmrec",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Multimodal recommendation.",
)

ConfigFile = Annotated[Path, typer.Argument(help="YAML or JSON config.")]
Export = Annotated[Path, typer.Argument(help="Version folder, saved_models/<name>/<version>.")]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config value; may be given again. Relative paths of data start at the config file's folder, "
        "as they do in the file.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]


class Size(StrEnum):
    """Sizes of the sample shop."""

    tiny = "tiny"
    small = "small"
    medium = "medium"
    large = "large"


class TableFormat(StrEnum):
    """File formats of the sample shop."""

    csv = "csv"
    parquet = "parquet"


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(mmrec.__version__)
        raise typer.Exit


@app.command()
def train(config: ConfigFile, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Train, evaluate and export a model."""
    checked = Config.load(config, **parse_assignments(assignments or []))
    start_tensorflow()
    try:
        result = mmrec.train(checked)
    except KeyboardInterrupt:
        print("interrupted; the same command continues the run", file=sys.stderr)
        raise
    if as_json:
        paths = {"run_dir": str(result.run_dir), "export_dir": str(result.export_dir)}
        print(json.dumps({**paths, "metrics": result.metrics}))
    else:
        print(f"run     {result.run_dir}\nexport  {result.export_dir}\n\n{metrics_table(result.metrics)}")


@app.command()
def tune(
    config: ConfigFile,
    space: Annotated[Path, typer.Option(help="YAML or JSON: config keys to values or {low, high, log, step}.")],
    trials: Annotated[int, typer.Option(min=1, help="Total trials, counting finished ones.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other trials.")] = 0,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Search for the best config on validation, then train it in full."""
    checked = Config.load(config, **parse_assignments(assignments or []))
    start_tensorflow()
    try:
        result = mmrec.tune(checked, space, trials, seed=seed)
    except KeyboardInterrupt:
        print("interrupted; the same command continues the search", file=sys.stderr)
        raise
    best, trained = result.trials.with_name("best.yaml"), result.train_result
    if as_json:
        paths = {"trials": result.trials, "best": best, "run_dir": trained.run_dir, "export_dir": trained.export_dir}
        print(json.dumps({name: str(path) for name, path in paths.items()} | {"metrics": trained.metrics}))
    else:
        from mmrec.reports.trials import trials_text

        print(f"{trials_text(result.trials)}\n\ntrials  {result.trials}\nbest    {best}")
        print(f"run     {trained.run_dir}\nexport  {trained.export_dir}\n\n{metrics_table(trained.metrics)}")


@app.command()
def evaluate(
    export: Export,
    config: Annotated[Path | None, typer.Argument(help="YAML or JSON config; by default the export's own.")] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Judge an export as training judged its model."""
    overrides = parse_assignments(assignments or [])
    start_tensorflow()
    metrics = mmrec.evaluate(export, config, **overrides)
    print(json.dumps({"export_dir": str(export), "metrics": metrics}) if as_json else metrics_table(metrics))


@app.command()
def check(
    config: ConfigFile,
    assignments: Assignments = None,
    deep: Annotated[bool, typer.Option("--deep", help="Open every photo and read every text, not a sample.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="With --deep: version folder; lists items whose photo and texts disagree.")
    ] = None,
    probe: Annotated[bool, typer.Option(help="Measure a few steps for an estimate of time, memory and disk.")] = True,
    as_json: AsJson = False,
) -> None:
    """Say what training would see and what stands in its way; trains nothing, writes nothing."""
    checked = Config.load(config, **parse_assignments(assignments or []))
    start_tensorflow()
    report = mmrec.check(checked, deep, export_dir=export, probe=probe)
    if as_json:
        print(json.dumps(report.to_dict()))
    else:
        from mmrec.reports.check import report_text

        print(report_text(report))
    if report.errors:
        sys.stdout.flush()
        raise mmrec.InputError(*report.errors)


@app.command()
def compare(
    run_a: Annotated[
        str, typer.Argument(help="Run folder, runs/<name>/<number>, several seeds joined by commas; or an export.")
    ],
    run_b: Annotated[str, typer.Argument(help="The same of the other model.")],
    metrics: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Of runs: such as ndcg@10; may be given again. By default: all."),
    ] = None,
    histories: Annotated[
        Path | None,
        typer.Option(help="Of exports: parquet (lists) or csv (ids with a space between) of user_id, history."),
    ] = None,
    segments: Annotated[
        list[str] | None,
        typer.Option("--segment", help="Of exports: further column of the histories; may be given again."),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Of exports: answers for each user.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Say which of two trained models ranks better, or what a version would change for users."""
    if histories:
        start_tensorflow()
    found = mmrec.compare(
        run_a.split(","), run_b.split(","), metrics=metrics, histories=histories, segments=segments or None, k=k
    )
    if as_json:
        print(json.dumps(found))
    elif histories:
        from mmrec.reports.drift import drift_text

        print(drift_text(found))
    else:
        from mmrec.reports.runs import comparison_text

        print(comparison_text(found))


@app.command()
def refresh(
    export: Export,
    catalog: Annotated[
        Path,
        typer.Option(help="Table of all items; --set data.catalog.text=[name] where columns are called otherwise."),
    ],
    max_delisted: Annotated[
        float, typer.Option(help="Largest share of the export's items that the table may lack, 0 to 1.")
    ] = 0.3,
    histories: Annotated[
        Path | None,
        typer.Option(help="Recent histories, as for compare: the share also counts in what these name."),
    ] = None,
    assignments: Assignments = None,
    as_json: AsJson = False,
) -> None:
    """Bring an export up to date with a new catalog, without training."""
    overrides = parse_assignments(assignments or [])
    start_tensorflow()
    from mmrec.jobs.refresh import refresh_export

    found = refresh_export(export, catalog, max_delisted=max_delisted, histories=histories, **overrides)
    if as_json:
        print(json.dumps({"export_dir": str(found.export_dir), **found.changes}))
    else:
        print("\n".join([f"export     {found.export_dir}", *(f"{n:11}{c:,}" for n, c in found.changes.items())]))


@app.command()
def recommend(
    export: Export,
    history: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IDS",
            help="Item ids, oldest first, separated by commas; may be given again. One that is an item's id as a "
            "whole is that item, commas and all.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Answers wanted.")] = 10,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="IDS", help="Item ids that are no answer, as in --history.")
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option(metavar="IDS", help="Recommend only from these ids, as in --history.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="COLUMN=VALUE", help="What answers must have; may be given again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask an export what to show a user."""
    start_tensorflow()
    shop = mmrec.load(export)
    seen, excluded, included = (_item_ids(shop, texts or []) for texts in (history, exclude, include))
    unknown = shop.unknown([*seen, *excluded, *included])
    if unknown:
        print(f"not in the export, skipped: {', '.join(unknown)}", file=sys.stderr)
    with warnings.catch_warnings(record=True) as said:
        answers = shop.recommend([seen], k=k, exclude=[excluded], include=[included], filter=[filters or []])
    for one in said:
        print(one.message, file=sys.stderr)
    found = [(item, float(score)) for item, score in zip(answers.item_ids[0], answers.scores[0], strict=True) if item]
    if as_json:
        print(json.dumps({"item_ids": [item for item, _ in found], "scores": [score for _, score in found]}))
        return
    for item, score in found:
        print(f"{score:8.4f}  {shop.describe(item)}")


def _item_ids(shop: mmrec.Recommender, texts: list[str]) -> list[str]:
    """Returns the ids in some texts: each is an id of the export, or ids with commas between them."""
    parts = ([text] if not shop.unknown([text]) else text.split(",") for text in texts)
    return [item for part in parts for item in part if item.strip()]


@app.command()
def score(
    export: Export,
    source: Annotated[str, typer.Option("--input", help="Parquet or csv: a file, a folder of them, or a pattern.")],
    output: Annotated[Path, typer.Option(help="Folder of answers; absent, empty, or of the same job.")],
    task: Annotated[str, typer.Option(help="recommend, or of a catalog: embed or label.")] = "recommend",
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="Answers for each user.")] = 10,
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs the extra beam.")] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows per call of the export.")] = 256,
    shard_rows: Annotated[int, typer.Option(min=1, help="Rows per file of answers.")] = 20_000,
    media_dir: Annotated[
        Path | None, typer.Option(help="Where paths of photos and recordings begin; by default as in training.")
    ] = None,
    beam_options: Annotated[
        list[str] | None,
        typer.Option("--beam", metavar="KEY=VALUE", help="Such as runner=FlinkRunner; may be given again."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer for every row of a file, however large; the same command continues what was interrupted."""
    start_tensorflow()
    try:
        found = mmrec.score(
            export,
            source,
            output,
            task=task,
            k=k,
            workers=workers,
            batch_size=batch_size,
            shard_rows=shard_rows,
            media_dir=media_dir,
            beam_options=[f"--{option}" for option in beam_options or []],
        )
    except KeyboardInterrupt:
        print("interrupted; the same command continues the job", file=sys.stderr)
        raise
    if as_json:
        print(json.dumps({"output": str(output), **found}))
    else:
        lines = {"output": output, **found}
        width = max(map(len, lines)) + 2
        print("\n".join(f"{name:{width}}{value}" for name, value in lines.items()))


@app.command()
def sample(
    directory: Annotated[Path, typer.Argument(help="Folder to write; must not exist, or be empty.")],
    size: Annotated[Size, typer.Option(help="How much of everything.")] = Size.small,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws another shop.")] = 0,
    table_format: Annotated[TableFormat, typer.Option("--format", help="Of the tables.")] = TableFormat.csv,
) -> None:
    """Write the sample shop and a ready config."""
    start_tensorflow()
    path = mmrec.write_sample_shop(directory, size.value, seed, table_format.value)
    print(f"wrote {directory}; now: mmrec train {path}")


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="As a page to read.")] = False,
) -> None:
    """Print the JSON schema of the config, for editors."""
    print(config_reference() if markdown else json.dumps(Config.json_schema(), indent=2), end="" if markdown else "\n")


def start_tensorflow() -> None:
    """Starts TensorFlow where a config may name classes of the user's own project, made of `tensorflow.keras` too."""
    sys.path.append(os.getcwd())
    os.environ[process.LEGACY_KERAS] = "1"
    process.start_tensorflow()
    keep_freed_memory()


def main() -> None:
    """Runs the command line. Exit code 0: done; 2: bad usage, config or data; 130: interrupted; 1: anything else."""
    try:
        app()
    except mmrec.InputError as error:
        print("\n".join(f"error: {message}" for message in error.messages), file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except mmrec.TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
