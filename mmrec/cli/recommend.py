"""`mmrec recommend`."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Annotated

import typer

import mmrec
from mmrec.cli.options import AsJson, Export, start_tensorflow


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
    """Ask an export what to show a shopper.

    Example: mmrec recommend saved_models/shop/1 --history id1,id2 -k 5
    """
    start_tensorflow()
    shop = mmrec.load(export)
    seen, excluded, included = (_item_ids(shop, texts or []) for texts in (history, exclude, include))
    unknown = shop.unknown([*seen, *excluded, *included])
    if unknown:
        print(f"not in the export, skipped: {', '.join(unknown)}", file=sys.stderr)
    with warnings.catch_warnings(record=True) as raised:
        answers = shop.recommend([seen], k=k, exclude=[excluded], include=[included], filter=[filters or []])
    for one in raised:
        print(one.message, file=sys.stderr)
    pairs = zip(answers.item_ids[0], answers.scores[0], strict=True)
    scores = {item: float(score) for item, score in pairs if item}
    if as_json:
        print(json.dumps({"item_ids": [*scores], "scores": [*scores.values()]}))
        return
    for item, score in scores.items():
        print(f"{score:8.4f}  {shop.describe(item)}")


def _item_ids(shop: mmrec.Recommender, texts: list[str]) -> list[str]:
    """Returns the ids in some texts: each is an id of the export, or ids with commas between them."""
    parts = ([text] if not shop.unknown([text]) else text.split(",") for text in texts)
    return [item for part in parts for item in part if item.strip()]
