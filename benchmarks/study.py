"""Trains models that differ in one thing, each with several seeds, and says what the difference makes.

A study is a module of `benchmarks.studies`: its shops, its variants (config changes, the base first) and what is
measured of a trained model. Every variant is trained by the package's own `fit_model`. A value is the mean over users
of the mean over seeds; differences to the base are paired over users and, with several seeds, resample seeds too.
Seconds are those of a whole training.

    python -m benchmarks.study NAME [--json FILE] [--quick] [--seeds S] [--shops A,B] [--only A,B] [--runs DIR]

`--runs` keeps what was measured of each training, and a later call reads it there: the same command continues a study
that was cut off. `--quick` trains small versions for one epoch with one seed: it shows that they run, and nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.common import Rows  # isort: skip  (before TensorFlow)
import mmrec  # isort: skip
import numpy as np
import tf_keras

from benchmarks.studies import NAMES
from benchmarks.studies.base import Shop, Study
from mmrec.after_training.fitted import Fitted
from mmrec.comparing.models import compare_models
from mmrec.data.shop_tables import Tables
from mmrec.jobs.fit import fit_model
from mmrec.jobs.prepare import run_identity
from mmrec.jobs.resolve import resolve
from mmrec.training.run_folder import RunFolder

Values = Mapping[str, np.ndarray]
"""float64 [Q] by column; NaN where a query is not asked."""


def train(config: mmrec.Config, tables: Tables, callbacks: Sequence[tf_keras.callbacks.Callback] = ()) -> Fitted:
    """Trains a model as `mmrec.train` does, without judging it on test, exporting it or keeping its run."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        config = resolve(mmrec.Config.load(config, runs_dir=folder), tables)
        with RunFolder.open(config, "benchmark") as run:
            return fit_model(config, tables, run, callbacks)


def measured(study: Study, shop: Shop, config: mmrec.Config, kept: Path | None) -> tuple[Values, dict]:
    """Returns what is measured of one training, and facts about it; from the file `kept` where it holds the same."""
    identity = run_identity(resolve(config, shop.tables))
    if kept is not None and kept.exists():
        with np.load(kept) as file:
            if str(file["identity"]) == identity:
                values = dict(zip(map(str, file["columns"]), file["values"], strict=True))
                return values, {"seconds": float(file["seconds"]), "parameters": int(file["parameters"])}
    start = time.perf_counter()
    fitted = train(config, shop.tables)
    facts = {"seconds": time.perf_counter() - start, "parameters": _parameters(fitted)}
    values = dict(study.measure(fitted, shop.tables))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, identity=identity, columns=[*values], values=np.stack([*values.values()]), **facts)
    return values, facts


def add_rows(
    rows: Rows, shop: str, values: Mapping[str, Sequence[Values]], facts: Mapping[str, Sequence[dict]]
) -> None:
    """Adds a row per variant and column.

    Args:
      rows: grows.
      shop: the shop's name.
      values: by variant, the base first, what was measured with each seed.
      facts: beside them.
    """
    base = next(iter(values))
    for variant, seeds in values.items():
        for column in seeds[0]:
            asked = ~np.isnan(seeds[0][column])
            one = np.stack([seed[column][asked] for seed in seeds])[np.newaxis]  # [1, seeds, Q]
            beside = np.stack([seed[column][asked] for seed in values[base]])[np.newaxis]
            comparison = compare_models(beside, one)
            interval = [float(comparison.low[0]), float(comparison.high[0])]
            rows.add(
                f"{shop}/{variant}/{column}",
                one.mean(),
                f"{one.shape[2]:,} queries",
                **({} if variant == base else {f"minus_{base}_ci95": interval}),
                seeds=one.mean(axis=2)[0].tolist(),
                seconds=round(statistics.median(one["seconds"] for one in facts[variant])),
                parameters=facts[variant][0]["parameters"],
            )


def run(study: Study, rows: Rows, folder: Path) -> None:
    """Runs a study in a folder, which keeps its shops and, with `--runs`, what is measured."""
    options = rows.options
    _require("--shops", options.shops, study.shops)
    shops = options.shops or list(study.shops)[: 1 if options.quick else None]
    _require("--only", options.only, dict.fromkeys(variant for name in shops for variant in study.variants_of(name)))
    below = folder / ("quick_shops" if options.quick else "shops")  # small shops are no whole ones
    for name in shops:
        shop = study.shops[name](below / name.replace(" ", "_"), options.quick)
        chosen = _chosen(study, name, options.only or (study.quick if options.quick else None))
        values: dict[str, list[Values]] = {variant: [] for variant in chosen}
        facts: dict[str, list[dict]] = {variant: [] for variant in chosen}
        for seed in range(1 if options.quick else options.seeds or study.seeds):
            for variant, changes in chosen.items():  # by turns: what slows the machine down slows all variants down
                config = mmrec.Config.load(shop.config, seed=seed, **changes)
                kept = folder / "measured" / rows.name / name / f"{variant}-{seed}.npz" if options.runs else None
                one, fact = measured(study, shop, config, kept)
                values[variant].append(one)
                facts[variant].append(fact)
                print(f"{name}, {variant}, seed {seed}: {fact['seconds']:.0f} s", file=sys.stderr, flush=True)
        add_rows(rows, name, values, facts)


def _require(option: str, names: Iterable[str] | None, among: Collection[str]) -> None:
    for name in names or ():
        if name not in among:
            raise SystemExit(f"{option}: {name!r} is none of {', '.join(among)}")


def _chosen(study: Study, shop: str, only: Iterable[str] | None) -> dict[str, Mapping]:
    variants = study.variants_of(shop)
    base = next(iter(variants))
    return {name: changes for name, changes in variants.items() if only is None or name == base or name in only}


def _parameters(fitted: Fitted) -> int:
    return sum(int(np.prod(variable.shape)) for variable in fitted.model.trainable_variables)


def _options(parser: argparse.ArgumentParser) -> None:
    def names(text: str) -> list[str]:
        return re.split(r",(?! )", text)  # "both, ids not mapped" is one name

    parser.add_argument("study", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--seeds", type=int, help="trainings of each variant")
    parser.add_argument("--shops", type=names, metavar="A,B", help="these alone")
    parser.add_argument("--only", type=names, metavar="A,B", help="these variants beside the base")
    parser.add_argument("--runs", metavar="DIR", help="keeps what is measured of each training")


def main() -> None:
    rows = Rows(__doc__, _options)
    module = importlib.import_module(f"benchmarks.studies.{rows.options.study}")
    rows.describe(rows.options.study, module.__doc__)
    with tempfile.TemporaryDirectory() as temporary:
        run(module.STUDY, rows, Path(rows.options.runs or temporary).absolute())
    rows.write()


if __name__ == "__main__":
    main()
