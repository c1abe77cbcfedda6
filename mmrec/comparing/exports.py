"""Compares what two exports answer to the same users, before a version goes live."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec import schema
from mmrec.comparing.folders import is_export
from mmrec.comparing.streamed_means import Resamples
from mmrec.comparing.sums import BOTH, DriftSums, user_values
from mmrec.comparing.survey import Survey, flat, item_rows, label
from mmrec.errors import InputError
from mmrec.evaluation.slices import HISTORY_LENGTHS
from mmrec.progress import progress
from mmrec.scoring.history_files import Histories, column_names, require_readable_ids
from mmrec.serving.questions import for_each, strings
from mmrec.serving.recommender import Recommender
from mmrec.values import Spellings

_ANSWERS = 2**18  # answers of one export that are in memory at once
_EXAMPLES, _SHOWN = 5, 5  # users, and items of their histories
_SCORED = ("exclude", schema.HISTORY_TIME, schema.HISTORY_EVENT, schema.NOW)  # what batch scoring reads
_BUILT_IN = (*HISTORY_LENGTHS, "known_items", "unknown_items")


def compare_exports(
    export_a: str | os.PathLike[str],
    export_b: str | os.PathLike[str],
    histories: str | os.PathLike[str],
    *,
    segments: Sequence[str] | None = None,
    k: int = 10,
    samples: int = 1000,
    seed: int = 0,
    batch_size: int = 1024,
) -> dict:
    """Asks two exports for the users of a file and compares their answers, overall and by segment.

    The report says what changes for users, not which export is better. The exports are asked by histories alone: other
    columns that batch scoring would read (`exclude`, and the context of an export) are ignored; stderr says so.
    Intervals come from a bootstrap over users.

    Example:
      ```python
      report = mmrec.compare_exports("saved_models/shop/1", "saved_models/shop/2", "users.parquet", k=10)
      print(report["overall"]["overlap"]["mean"])
      ```

    Args:
      export_a: the version folder of an export.
      export_b: the version folder of another export.
      histories: a .parquet or .csv file with the columns `user_id` and `history`, see `mmrec.scoring.history_files`.
      segments: further columns of `histories` that make segments, of at most 50 values each. None: all such columns,
        except those that batch scoring reads.
      k: number of answers per user, at least 1.
      samples: number of bootstrap resamples, at least 10.
      seed: seed of the resamples.
      batch_size: largest number of users who are asked together; it does not change the result.

    Returns:
      A dict of plain values that JSON can hold, with the keys

      * `a`, `b`, `histories`, `k`: the arguments.
      * `items`: how many items `a`, `b` and `both` have.
      * `unknown_items`: for `a` and `b`, the share of the histories' entries that the export lacks, 0 to 1.
      * `overall`: the number of `users`; {`mean`, `ci95`} of `overlap`, `jaccard`, `rbo`, `kendall_tau` (with the
        number of `users` for whom it is defined) and `changed`, see `mmrec.comparing.overlap`; {`a`, `b`, `difference`,
        `difference_ci95`} of `score`, `popularity` (how often an answer occurs in the histories, as exports hold no
        counts) and `lacking` (the share of answers that the other export lacks); {`a`, `b`, `difference`} of `coverage`
        and `effective_items`. None where a value is not defined.
      * `segments`: the same for some users, by name: `history_0`, `history_1_to_5`, `history_6_to_20`,
        `history_over_20`, `known_items`, `unknown_items` (the history has an item that an export lacks), and
        "column=value".
      * `examples`: the users with the lowest `rbo`, their last items and their answers.

    Raises:
      InputError: a folder is no export, `histories` or one of its columns cannot be used, or `k` or `samples` is too
        small.
    """
    if samples < 10:
        raise InputError(f"`samples` must be at least 10. Received: {samples}.")
    for_each(k, 0)
    exports = [_export(export_a, "export_a"), _export(export_b, "export_b")]
    path = Path(histories)
    names = column_names(path)
    shops = [Recommender(export) for export in exports]
    _say_unread(path, names, shops)
    ids = [shop.items[schema.ID].to_numpy(object) for shop in shops]
    items = pd.Index(pd.unique(np.concatenate(ids)))
    require_readable_ids(path, items)
    owned = np.stack([np.append(False, items.isin(one)) for one in ids])  # [2, N + 1]
    items = Spellings(items)
    sizes, width = owned.sum(axis=1), min(k, len(items))
    batch = max(1, min(batch_size, _ANSWERS // width))
    survey = Survey(path, _columns(names, segments), segments is not None, items, owned, batch)

    resamples, overall = Resamples(samples, seed), DriftSums(sizes, len(items), samples)
    segment_sums: dict[str, DriftSums] = {}
    examples: list[tuple[float, int, dict]] = []
    for part in survey.parts():
        answers = [shop.recommend(part.histories, k) for shop in shops]
        lists = np.stack([_padded(item_rows(items, one.item_ids), width) for one in answers])  # [2, Q, K]
        scores = np.stack([_padded(one.scores, width) for one in answers])
        values = user_values(lists, scores, survey.counts, owned)
        weights = resamples.weights(len(part.rows))
        overall.add(values, lists, weights)
        for name, inside in _segments(part, items, owned):
            if inside.any():
                one = segment_sums.setdefault(name, DriftSums(sizes, len(items), samples))
                one.add(values[:, inside], lists[:, inside], weights[inside])
        examples = _most_changed(examples, part, [one.item_ids for one in answers], values[BOTH.index("rbo")])
        progress("users", overall.users, survey.users)
    reported = [name for name in [*_BUILT_IN, *sorted(segment_sums)] if name in segment_sums]
    return {
        "a": str(exports[0]),
        "b": str(exports[1]),
        "histories": str(path),
        "k": k,
        "items": {"a": int(sizes[0]), "b": int(sizes[1]), "both": int(owned.all(axis=0).sum())},
        "unknown_items": dict(zip("ab", survey.unknown, strict=True)),
        "overall": overall.report(),
        "segments": {name: segment_sums[name].report() for name in reported},
        "examples": [one for _, _, one in examples],
    }


def _export(folder: str | os.PathLike[str], name: str) -> Path:
    path = Path(folder)
    if not is_export(path):
        raise InputError(f"`{name}` must name an export. Received: {path}, a run. Give two exports, or runs alone.")
    return path


def _columns(names: Sequence[str], segments: Sequence[str] | None) -> list[str]:
    """Returns the columns that may make segments: `segments`, or else all except those that batch scoring reads."""
    if segments is None:
        return [name for name in names if name not in _SCORED]
    return list(dict.fromkeys(strings(segments, "segments").tolist()))


def _say_unread(path: Path, names: Sequence[str], shops: Sequence[Recommender]) -> None:
    """Names on stderr the columns that batch scoring would pass to one of the exports, and that are ignored here."""
    read = {"exclude"}.union(*(shop.context_inputs for shop in shops))
    unread = ", ".join(f"`{name}`" for name in names if name in read)
    if unread:
        print(f"{path}: the exports are asked by histories alone, without {unread}", file=sys.stderr, flush=True)


def _segments(part: Histories, items: Spellings, owned: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the name of each segment and which users are in it, bool [Q]."""
    length = np.array([len(history) for history in part.histories])
    for name, (least, most) in HISTORY_LENGTHS.items():
        yield name, (length >= least) & (length <= most)
    user = np.repeat(np.arange(len(length)), length)
    shared = owned.all(axis=0)[item_rows(items, flat(part.histories))]
    unknown = np.bincount(user[~shared], minlength=len(length)) > 0
    yield from zip(_BUILT_IN[-2:], (~unknown, unknown), strict=True)
    for column, values in part.columns.items():
        labels = np.array([label(value) for value in values], object)
        for one in dict.fromkeys(labels):
            yield f"{column}={one}", labels == one


def _most_changed(before: list, part: Histories, answers: Sequence[np.ndarray], rbo: np.ndarray) -> list:
    """Keeps the users with the lowest rank-biased overlap; of equal ones, those that come first in the file."""
    kept = list(before)
    for place in np.argsort(rbo, kind="stable")[:_EXAMPLES]:
        a, b = ([item for item in one[place] if item] for one in answers)
        if a != b:
            last = part.histories[place][-_SHOWN:]
            one = {"user_id": part.user_ids[place], "rbo": float(rbo[place]), "last_items": last, "a": a, "b": b}
            kept.append((one["rbo"], part.rows[place], one))
    return sorted(kept, key=lambda one: one[:2])[:_EXAMPLES]


def _padded(answers: np.ndarray, width: int) -> np.ndarray:
    return np.pad(answers, [(0, 0), (0, width - answers.shape[1])])  # a smaller catalog gives fewer
