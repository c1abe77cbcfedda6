"""Two runs, or sets of runs with different seeds, to which of them ranks better; two exports to what they change."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mmrec import schema
from mmrec.comparing.runs import compare_runs
from mmrec.errors import InputError
from mmrec.process import start_tensorflow

Runs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""One folder, or several: runs of one config with different seeds."""


def compare(
    run_a: Runs,
    run_b: Runs,
    *,
    metrics: Sequence[str] | None = None,
    samples: int = 1000,
    seed: int = 0,
    histories: str | os.PathLike[str] | None = None,
    segments: Sequence[str] | None = None,
    k: int = 10,
) -> dict:
    """Compares the tests of two models, or the answers of two exports.

    Runs are compared paired over users, by a bootstrap over users and seeds. A side with one run says nothing about its
    seeds, and intervals from two or three a side are too narrow where seeds differ more than users do. Users that not
    every run asked for are left out and counted.

    Exports are both asked for the users of a file, and what they answer is set side by side; nothing is said of which
    is better. They are asked by histories alone: what else batch scoring would read of the file (`exclude`, and what an
    export reads beside a history) is left out, which stderr says. Intervals are of a bootstrap over users.

    Args:
      run_a: a run folder, or several of one config with different seeds; or an export.
      run_b: the same of the other model.
      metrics: of runs: names such as `ndcg@10`. None: all that every run has.
      samples: number of resamples, at least 10.
      seed: seed of the resamples.
      histories: of exports, needed: a parquet or csv file with the columns `user_id` and `history`, see
        `mmrec.scoring.history_files`.
      segments: of exports: further columns of `histories`, of at most 50 values each. None: all such, but those that
        batch scoring reads.
      k: of exports: answers for each user.

    Returns:
      Plain values. Of runs `a` and `b` (the folders), `users`, `left_out` ({"a": users that a run of `a` asked for and
      not every run of both, "b": ..}) and `metrics`: name -> {`a`, `b`, `difference` (b minus a), `difference_ci95`,
      `probability_b_better`}.

      Of exports:
        a, b, histories, k: as given.
        items: how many `a`, `b` and `both` have.
        unknown_items: the share of what stands in the histories that `a` and `b` lack.
        overall: `users`; {`mean`, `ci95`} of `overlap`, `jaccard`, `rbo`, `kendall_tau` (and the `users` that have one)
          and `changed`, see `mmrec.comparing.overlap`; {`a`, `b`, `difference`, `difference_ci95`} of `score`,
          `popularity` (how often an answer stands in the histories: exports hold no counts) and `lacking` (share of the
          answers that the other version lacks); {`a`, `b`, `difference`} of `coverage` and `effective_items`. None
          where nothing is defined.
        segments: name -> the same for some users: `history_0`, `history_1_to_5`, `history_6_to_20`, `history_over_20`,
          `known_items`, `unknown_items` (the history holds one that a version lacks) and "column=value".
        examples: the users with the lowest `rbo`, with what they are answered.

    Raises:
      InputError: a folder is no finished run or lacks its queries, or the runs judged different tests; a run stands
        beside an export; or `histories` is missing or cannot be read.
    """
    if samples < 10:
        raise InputError(f"`samples` must be at least 10. Received: {samples}.")
    side_a, side_b = _folders(run_a, "run_a"), _folders(run_b, "run_b")
    paths = [*side_a, *side_b]
    if _kind_of_all(paths) == "export":
        _require_two(paths, metrics, histories)
        start_tensorflow()  # which runs do not need
        from mmrec.comparing.exports import compare_exports

        return compare_exports(*paths, histories, segments=segments, k=k, samples=samples, seed=seed)
    for name, given in (("histories", histories), ("segments", segments)):
        if given is not None:
            raise InputError(f"`{name}` is of exports, and {paths[0]} is a run. Leave it out, or give two exports.")
    return compare_runs(side_a, side_b, metrics=metrics, samples=samples, seed=seed)


def _folders(runs: Runs, name: str) -> list[Path]:
    several = [runs] if isinstance(runs, str | os.PathLike) else list(runs)
    paths = [Path(one) for one in several]
    if not paths or "" in several:
        raise InputError(f"`{name}` must name at least one run folder or export. Received: {several!r}.")
    if len({path.resolve() for path in paths if _kind(path)}) < len(paths):
        raise InputError(f"`{name}` must name each run once. Received: {', '.join(map(str, paths))}.")
    return paths


def _kind_of_all(paths: Sequence[Path]) -> str:
    """Returns what the folders are, `run` or `export`."""
    kinds = [_kind(path) for path in paths]
    if len(set(kinds)) > 1:
        run, export = paths[kinds.index("run")], paths[kinds.index("export")]
        raise InputError(f"{run}: is a run, and {export} is an export. Give two exports, or run folders alone.")
    return kinds[0]


def _require_two(
    exports: Sequence[Path], metrics: Sequence[str] | None, histories: str | os.PathLike[str] | None
) -> None:
    """Checks what is given beside exports."""
    if len(exports) != 2:
        raise InputError(f"of exports one a side is compared. Received: {', '.join(map(str, exports))}. Give two.")
    if metrics:
        raise InputError(f"`metric` is of runs, and {exports[0]} is an export. Leave it out, or give run folders.")
    if histories is None:
        raise InputError(
            "`histories` must be given to compare exports: a parquet or csv file with the columns `user_id` and "
            "`history`. Received: none."
        )


def _kind(path: Path) -> str:
    """Returns what a folder is, `run` or `export`."""
    if (path / schema.MANIFEST).is_file():
        return "export"
    if (path / "config.yaml").is_file() and (path / "checkpoints").is_dir():
        return "run"
    raise InputError(
        f"{path}: is neither a run folder nor an export. Give runs/<name>/<number>, or saved_models/<name>/<version>."
    )
