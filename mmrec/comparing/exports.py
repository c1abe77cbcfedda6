"""Compares the answers of two exports for the same histories, before a version goes live."""

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

_ANSWERS = 2**18  # of a side that are looked at together
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
    """Asks two exports for the users of a file, and sets side by side what they answer.

    Nothing is said of which is better. They are asked by histories alone: what else batch scoring would read of the
    file (`exclude`, and what an export reads beside a history) is left out, which stderr says. Intervals are of a
    bootstrap over users.

    Args:
      export_a: the version folder of an export.
      export_b: another.
      histories: a parquet or csv file with the columns `user_id` and `history`, see `mmrec.scoring.history_files`.
      segments: further columns of `histories`, of at most 50 values each. None: all such, but those that batch scoring
        reads.
      k: answers for each user.
      samples: number of resamples, at least 10.
      seed: seed of the resamples.
      batch_size: users who are asked together at most; it changes nothing of the result.

    Returns:
      Plain values:
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
      InputError: a folder is no export, or `histories` cannot be read.
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
    """Returns the columns that may make segments; if none are named, all but those that batch scoring reads."""
    if segments is None:
        return [name for name in names if name not in _SCORED]
    return list(dict.fromkeys(strings(segments, "segments").tolist()))


def _say_unread(path: Path, names: Sequence[str], shops: Sequence[Recommender]) -> None:
    """Names the columns of the file that batch scoring would tell one of the exports, and that it is not told here."""
    read = {"exclude"}.union(*(shop.context_inputs for shop in shops))
    unread = ", ".join(f"`{name}`" for name in names if name in read)
    if unread:
        print(f"{path}: the exports are asked by histories alone, without {unread}", file=sys.stderr, flush=True)


def _segments(part: Histories, items: Spellings, owned: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yields names of segments and who of the users is in them, bool [Q]."""
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
    """Keeps the users with the lowest rank-biased overlap, the earlier ones where it is equal."""
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
