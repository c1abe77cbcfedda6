"""Two runs, or two sets of runs with different seeds, to which of them ranks better and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from mmrec.comparing.models import compare_models
from mmrec.errors import InputError, nearest
from mmrec.evaluation.query_table import QueryTable, read_query_table
from mmrec.training.run_folder import RunFolder


def compare_runs(
    side_a: Sequence[Path], side_b: Sequence[Path], *, metrics: Sequence[str] | None, samples: int, seed: int
) -> dict:
    """Compares the tests of two models; arguments and result are those of `compare` with runs."""
    paths = [*side_a, *side_b]
    tables = [_read(path) for path in paths]
    common = set.intersection(*(set(table.user_ids) for table in tables))
    users = np.array(sorted(common), object)  # sorted as the tables are
    _require_same_test(paths, tables, users)
    names = _metrics(tables, metrics)
    values = np.stack([_values(table, users, names) for table in tables], axis=1)  # [M, S + T, Q]
    found = compare_models(*np.split(values, [len(side_a)], axis=1), samples, seed)
    sides = {"a": tables[: len(side_a)], "b": tables[len(side_a) :]}
    asked = {name: len(set().union(*(table.user_ids for table in side))) for name, side in sides.items()}
    return {
        "a": [str(path) for path in side_a],
        "b": [str(path) for path in side_b],
        "users": len(users),
        "left_out": {name: count - len(users) for name, count in asked.items()},
        "metrics": {
            name: {
                "a": float(found.a[row]),
                "b": float(found.b[row]),
                "difference": float(found.difference[row]),
                "difference_ci95": [float(found.low[row]), float(found.high[row])],
                "probability_b_better": float(found.probability[row]),
            }
            for row, name in enumerate(names)
        },
    }


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
        raise InputError(f"{path}: judged another test than {first_path}: the catalogs hold other items. {where}")
    if not len(users):
        raise InputError(f"{', '.join(map(str, paths))}: no user is in this test and in that of {first_path}. {where}")
    questions = _questions(first, users)
    for path, table in zip(paths, others, strict=True):
        differing = int((_questions(table, users) != questions).sum())
        if differing:
            raise InputError(
                f"{path}: judged another test than {first_path}: for {differing:,} of {len(users):,} users other items "
                f"are right or excluded. {where}"
            )


def _questions(table: QueryTable, users: np.ndarray) -> np.ndarray:
    return table.question[np.searchsorted(table.user_ids, users)]


def _values(table: QueryTable, users: np.ndarray, names: Sequence[str]) -> np.ndarray:
    places = np.searchsorted(table.user_ids, users)
    return np.stack([table.values[name][places] for name in names])  # [M, Q]


def _metrics(tables: Sequence[QueryTable], wanted: Sequence[str] | None) -> list[str]:
    known = [name for name in tables[0].values if all(name in table.values for table in tables)]
    for name in wanted or ():
        if name not in known:
            raise InputError(
                f"`metric`: no metric of all these runs is called {name!r}.{nearest(name, known)} Known: "
                f"{', '.join(known)}."
            )
    return known if wanted is None or not len(wanted) else list(dict.fromkeys(wanted))
