"""Two exports and histories to what users would see change, before a version goes live."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from mmrec import schema
from mmrec.comparing.streamed_means import Resamples
from mmrec.comparing.sums import BOTH, DriftSums, user_values
from mmrec.errors import InputError
from mmrec.evaluation.slices import HISTORY_LENGTHS
from mmrec.progress import progress
from mmrec.scoring.history_files import Histories, column_names, none_known, read_histories, require_readable_ids
from mmrec.serving.questions import for_each, strings
from mmrec.serving.recommender import Recommender
from mmrec.values import Spellings, string

_BATCH = 1024
_ANSWERS = 2**18  # of a side that are looked at together
_EXAMPLES, _SHOWN = 5, 5  # users, and items of their histories
_VALUES = 50  # of a column that makes segments
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
) -> dict:
    """Asks two versions for the same users, and says what changed; arguments and result are those of `compare`."""
    for_each(k, 0)
    path, columns = Path(histories), _columns(Path(histories), segments)
    exports = [Path(export_a), Path(export_b)]
    shops = [Recommender(export) for export in exports]
    _say_unread(path, shops)
    ids = [shop.items[schema.ID].to_numpy(object) for shop in shops]
    items = pd.Index(pd.unique(np.concatenate(ids)))
    require_readable_ids(path, items)
    owned = np.stack([np.append(False, items.isin(one)) for one in ids])  # [2, N + 1]
    items = Spellings(items)
    counts, unknown, users, columns = _survey(path, columns, items, owned, segments is not None)

    sizes, width = owned.sum(axis=1), min(k, len(items))
    resamples, overall = Resamples(samples, seed), DriftSums(sizes, len(items), samples)
    parts: dict[str, DriftSums] = {}
    examples: list[tuple[float, int, dict]] = []
    for part in read_histories(path, columns, batch=max(1, min(_BATCH, _ANSWERS // width))):
        answers = [shop.recommend(part.histories, k) for shop in shops]
        lists = np.stack([_padded(_rows(items, one.item_ids), width) for one in answers])  # [2, Q, K]
        scores = np.stack([_padded(one.scores, width) for one in answers])
        values = user_values(lists, scores, counts, owned)
        weights = resamples.weights(len(part.rows))
        overall.add(values, lists, weights)
        for name, inside in _segments(part, items, owned):
            if inside.any():
                one = parts.setdefault(name, DriftSums(sizes, len(items), samples))
                one.add(values[:, inside], lists[:, inside], weights[inside])
        examples = _most_changed(examples, part, [one.item_ids for one in answers], values[BOTH.index("rbo")])
        progress("users", overall.users, users)
    return {
        "a": str(exports[0]),
        "b": str(exports[1]),
        "histories": str(path),
        "k": k,
        "items": {"a": int(sizes[0]), "b": int(sizes[1]), "both": int(owned.all(axis=0).sum())},
        "unknown_items": {"a": unknown[0], "b": unknown[1]},
        "overall": overall.report(),
        "segments": {name: parts[name].report() for name in [*_BUILT_IN, *sorted(parts)] if name in parts},
        "examples": [one for _, _, one in examples],
    }


def _columns(path: Path, segments: Sequence[str] | None) -> list[str]:
    """Returns the columns that may make segments; if none are named, all but those that batch scoring reads."""
    if segments is None:
        return [name for name in column_names(path) if name not in _SCORED]
    return list(dict.fromkeys(strings(segments, "segments").tolist()))


def _say_unread(path: Path, shops: Sequence[Recommender]) -> None:
    """Names the columns of the file that batch scoring would tell one of the exports, and that it is not told here."""
    read = {"exclude"}.union(*(shop.context_inputs for shop in shops))
    unread = ", ".join(f"`{name}`" for name in column_names(path) if name in read)
    if unread:
        print(f"{path}: the exports are asked by histories alone, without {unread}", file=sys.stderr, flush=True)


def _survey(
    path: Path, columns: Sequence[str], items: Spellings, owned: np.ndarray, named: bool
) -> tuple[np.ndarray, list, int, list[str]]:
    """Reads the whole file once, so that what is wrong with it shows before anyone is asked.

    Returns:
      int64 [N + 1], how often each item stands in the histories; of either version, the share of what stands there that
      it lacks; the number of users; and the columns with few enough values to make segments, which those that were
      `named` must have.
    """
    counts, users = np.zeros(len(items) + 1, np.int64), 0
    present: dict[str, set] = {column: set() for column in columns}
    example = ""
    for part in read_histories(path, columns):
        users += len(part.rows)
        rows = _rows(items, _flat(part.histories))
        counts += np.bincount(rows, minlength=len(counts))
        example = example or next((history[0] for history in part.histories if history), "")
        for column, seen in list(present.items()):
            seen.update(map(_label, part.columns[column]))
            if len(seen) > _VALUES and not named:
                del present[column]
                print(f"column `{column}` has over {_VALUES} values and makes no segments", file=sys.stderr, flush=True)
            elif len(seen) > _VALUES:
                raise InputError(
                    f"{path}: column `{column}` makes segments and must have at most {_VALUES} values. Received: more, "
                    f"such as {min(seen)!r}. Leave it out of `segments`."
                )
    if not users:
        raise InputError(f"{path}: holds no rows. Give `histories` a file with at least one.")
    total = int(counts.sum())
    if total and not counts[1:].any():
        raise none_known(path, "the exports", example)
    return counts, [1 - int(counts[own].sum()) / total if total else 0.0 for own in owned], users, [*present]


def _segments(part: Histories, items: Spellings, owned: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yields names of segments and who of the users is in them, bool [Q]."""
    length = np.array([len(history) for history in part.histories])
    for name, (least, most) in HISTORY_LENGTHS.items():
        yield name, (length >= least) & (length <= most)
    user = np.repeat(np.arange(len(length)), length)
    known = owned.all(axis=0)[_rows(items, _flat(part.histories))]
    unknown = np.bincount(user[~known], minlength=len(length)) > 0
    yield from zip(_BUILT_IN[-2:], (~unknown, unknown), strict=True)
    for column, values in part.columns.items():
        labels = np.array([_label(value) for value in values], object)
        for label in dict.fromkeys(labels):
            yield f"{column}={label}", labels == label


def _most_changed(known: list, part: Histories, answers: Sequence[np.ndarray], rbo: np.ndarray) -> list:
    """Keeps the users with the lowest rank-biased overlap, the earlier ones where it is equal."""
    found = list(known)
    for place in np.argsort(rbo, kind="stable")[:_EXAMPLES]:
        a, b = ([item for item in one[place] if item] for one in answers)
        if a != b:
            last = part.histories[place][-_SHOWN:]
            one = {"user_id": part.user_ids[place], "rbo": float(rbo[place]), "last_items": last, "a": a, "b": b}
            found.append((one["rbo"], part.rows[place], one))
    return sorted(found, key=lambda one: one[:2])[:_EXAMPLES]


def _label(value) -> str:
    return string(value).strip()


def _flat(histories: Sequence[Sequence[str]]) -> np.ndarray:
    return np.array([item for history in histories for item in history], object)


def _rows(items: Spellings, ids: np.ndarray) -> np.ndarray:
    """Returns the rows of items, from 1; 0 for what is none of them."""
    return (items.places(ids.ravel()) + 1).reshape(ids.shape)


def _padded(answers: np.ndarray, width: int) -> np.ndarray:
    return np.pad(answers, [(0, 0), (0, width - answers.shape[1])])  # a smaller catalog gives fewer
