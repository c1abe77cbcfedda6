"""Compares two runs, or two sets of runs with different seeds: which ranks better, and how sure that is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from mmrec.comparing.folders import is_export
from mmrec.comparing.models import compare_models
from mmrec.errors import InputError, nearest
from mmrec.evaluation.query_table import QueryTable, read_query_table
from mmrec.training.run_folder import RunFolder

Runs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One folder, or several: runs of one config with different seeds."""


def compare_runs(
    run_a: Runs, run_b: Runs, *, metrics: Sequence[str] | None = None, samples: int = 1000, seed: int = 0
) -> dict:
    """Compares the test results of two models, paired over users, by a bootstrap over users and seeds.

    With one run on a side, nothing is known about the spread over its seeds. With two or three on a side, intervals are
    too narrow where seeds differ more than users do. Users who are not in the test of every run are left out and
    counted.

    Example:
      ```python
      report = mmrec.compare_runs(["runs/base/1", "runs/base/2"], ["runs/photos/1", "runs/photos/2"])
      print(report["metrics"]["ndcg@10"]["difference_ci95"])
      ```

    Args:
      run_a: a run folder, or several of one config with different seeds.
      run_b: the same for the other model.
      metrics: names of metrics, such as `ndcg@10`. None: all that every run has.
      samples: number of bootstrap resamples, at least 10.
      seed: seed of the resamples.

    Returns:
      A dict of plain values that JSON can hold, with the keys

      * `a`, `b`: the run folders.
      * `users`: the number of users who were compared.
      * `left_out`: for `a` and `b`, how many users of its tests are not in the test of every run.
      * `metrics`: by name, {`a`, `b`: means over users and seeds, `difference`: b minus a, `difference_ci95`: its 95%
        interval, `probability_b_better`: 0 to 1}.

    Raises:
      InputError: a folder is no finished run or lacks its test results, a metric is unknown, `samples` is too small, or
        the runs were tested on different data.
    """
    if samples < 10:
        raise InputError(f"`samples` must be at least 10. Received: {samples}.")
    side_a, side_b = _folders(run_a, "run_a"), _folders(run_b, "run_b")
    paths = [*side_a, *side_b]
    tables = [_read(path) for path in paths]
    common = set.intersection(*(set(table.user_ids) for table in tables))
    users = np.array(sorted(common), object)  # sorted as the tables are
    _require_same_test(paths, tables, users)
    names = _metrics(tables, metrics)
    values = np.stack([_values(table, users, names) for table in tables], axis=1)  # [M, S + T, Q]
    comparison = compare_models(values[:, : len(side_a)], values[:, len(side_a) :], samples, seed)
    sides = {"a": tables[: len(side_a)], "b": tables[len(side_a) :]}
    asked = {name: len(set().union(*(table.user_ids for table in side))) for name, side in sides.items()}
    return {
        "a": [str(path) for path in side_a],
        "b": [str(path) for path in side_b],
        "users": len(users),
        "left_out": {name: count - len(users) for name, count in asked.items()},
        "metrics": {
            name: {
                "a": float(comparison.a[row]),
                "b": float(comparison.b[row]),
                "difference": float(comparison.difference[row]),
                "difference_ci95": [float(comparison.low[row]), float(comparison.high[row])],
                "probability_b_better": float(comparison.probability[row]),
            }
            for row, name in enumerate(names)
        },
    }


def _folders(runs: Runs, name: str) -> list[Path]:
    several = [runs] if isinstance(runs, str | os.PathLike) else list(runs)
    paths = [Path(one) for one in several]
    if not paths or "" in several:
        raise InputError(f"`{name}` must name at least one run folder. Received: {several!r}.")
    export = next((path for path in paths if is_export(path)), None)
    if export is not None:
        raise InputError(
            f"`{name}` must name run folders. Received: {export}, an export. Give two exports, or runs alone."
        )
    if len({path.resolve() for path in paths}) < len(paths):
        raise InputError(f"`{name}` must name each run once. Received: {', '.join(map(str, paths))}.")
    return paths


def _read(path: Path) -> QueryTable:
    run = RunFolder(path)
    if not run.finished:
        raise InputError(f"{path}: the run has not finished. Give the command that trained it again: it continues.")
    if not run.test_queries.exists():
        raise InputError(
            f"{run.test_queries}: no such file: an earlier version of mmrec trained the run. Train it again."
        )
    try:
        return read_query_table(run.test_queries)
    except (pa.ArrowException, KeyError) as error:
        said = " ".join(str(error).split())
        raise InputError(f"{run.test_queries}: cannot be read: {said}. Train the run again.") from None


def _require_same_test(paths: Sequence[Path], tables: Sequence[QueryTable], users: np.ndarray) -> None:
    (first_path, *paths), (first, *others) = paths, tables
    where = "Compare runs of the same data and `data.split`."
    if any(table.candidates != first.candidates for table in others):
        path = next(path for path, table in zip(paths, others, strict=True) if table.candidates != first.candidates)
        raise InputError(f"{path}: had another test than {first_path}: their catalogs hold different items. {where}")
    if not len(users):
        raise InputError(f"{', '.join(map(str, paths))}: no user is in this test and in that of {first_path}. {where}")
    questions = _questions(first, users)
    for path, table in zip(paths, others, strict=True):
        differing = int((_questions(table, users) != questions).sum())
        if differing:
            raise InputError(
                f"{path}: had another test than {first_path}: for {differing:,} of {len(users):,} users other items "
                f"are right or excluded. {where}"
            )


def _questions(table: QueryTable, users: np.ndarray) -> np.ndarray:
    return table.question[np.searchsorted(table.user_ids, users)]


def _values(table: QueryTable, users: np.ndarray, names: Sequence[str]) -> np.ndarray:
    places = np.searchsorted(table.user_ids, users)
    return np.stack([table.values[name][places] for name in names])  # [M, Q]


def _metrics(tables: Sequence[QueryTable], wanted: Sequence[str] | None) -> list[str]:
    common = [name for name in tables[0].values if all(name in table.values for table in tables)]
    for name in wanted or ():
        if name not in common:
            raise InputError(
                f"`metrics`: no metric of all these runs is called {name!r}.{nearest(name, common)} Known: "
                f"{', '.join(common)}."
            )
    return common if wanted is None or not len(wanted) else list(dict.fromkeys(wanted))
