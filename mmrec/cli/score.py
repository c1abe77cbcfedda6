"""`mmrec score`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import mmrec
from mmrec.cli.options import Answers, AsJson, Export, continued, start_tensorflow


def score(
    export: Export,
    source: Annotated[str, typer.Option("--input", help="Parquet or csv: a file, a folder of them, or a pattern.")],
    output: Annotated[Path, typer.Option(help="Folder of answers; absent, empty, or of the same job.")],
    task: Annotated[str, typer.Option(help="recommend, or of a catalog: embed or label.")] = "recommend",
    k: Answers = 10,
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
    """Answer for every row of a file of any size. The same command continues an interrupted job.

    Example: mmrec score saved_models/shop/1 --input users.parquet --output answers
    """
    start_tensorflow()
    with continued("job"):
        summary = mmrec.score(
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
    if as_json:
        print(json.dumps({"output": str(output), **summary}))
    else:
        lines = {"output": output, **summary}
        width = max(map(len, lines)) + 2
        print("\n".join(f"{name:{width}}{value}" for name, value in lines.items()))
