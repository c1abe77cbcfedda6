"""A comparison of two exports as text for people."""

from __future__ import annotations

from collections.abc import Mapping

_BOTH = {
    "overlap": "answers in common",
    "jaccard": "Jaccard",
    "rbo": "rank-biased overlap",
    "kendall_tau": "Kendall's tau",
    "changed": "users with a change",
}
_EACH = {
    "score": "mean score",
    "popularity": "popularity",
    "lacking": "share of answers missing from the other version",
    "coverage": "share of the catalog ever recommended",
    "effective_items": "items effectively in use",
}
_LABEL = max(map(len, [*_BOTH.values(), *_EACH.values()])) + 2
_ANSWERS = 5  # shown per list of an example


def drift_text(drift: Mapping) -> str:
    """Returns the result of `mmrec.compare_exports` as lines of text."""
    overall, items, unknown = drift["overall"], drift["items"], drift["unknown_items"]
    lines = [
        f"A {drift['a']}\nB {drift['b']}",
        f"{overall['users']:,} users, {drift['k']:,} answers each; {items['a']:,} items in A, {items['b']:,} in B, "
        f"{items['both']:,} in both",
        f"share of history entries unknown to A: {unknown['a']:.1%}, to B: {unknown['b']:.1%}\n",
        f"{'':{_LABEL}}{'mean':>12}{'95% interval':>24}",
    ]
    for name, label in _BOTH.items():
        users = f"  {overall[name]['users']:,} users" if "users" in overall[name] else ""
        lines.append(
            f"{label:{_LABEL}}{_number(overall[name]['mean']):>12}{_interval(overall[name]['ci95']):>24}{users}"
        )
    lines.append(f"\n{'':{_LABEL}}{'A':>12}{'B':>12}{'B minus A':>12}{'95% interval':>24}")
    for name, label in _EACH.items():
        one = overall[name]
        numbers = "".join(f"{_number(one[side]):>12}" for side in ("a", "b", "difference"))
        lines.append(f"{label:{_LABEL}}{numbers}{_interval(one.get('difference_ci95')):>24}".rstrip())
    width = max(len(name) for name in ("segment", *drift["segments"])) + 1
    lines.append(
        f"\n{'segment':{width}}{'users':>10}{'common':>9}{'rbo':>9}{'changed':>9}{'shown A':>9}{'shown B':>9}"
        f"{'popularity B minus A':>22}"
    )
    for name, one in drift["segments"].items():
        means = "".join(f"{_number(one[value]['mean']):>9}" for value in ("overlap", "rbo", "changed"))
        shown = "".join(f"{_number(one['coverage'][side]):>9}" for side in ("a", "b"))
        lines.append(f"{name:{width}}{one['users']:>10,}{means}{shown}{_number(one['popularity']['difference']):>22}")
    if drift["examples"]:
        lines.append("\nmost changed")
    for one in drift["examples"]:
        lines.append(f"{one['user_id']}, rank-biased overlap {one['rbo']:.4f}, last saw {_ids(one['last_items'])}")
        lines += [f"  {side.upper()}  {_ids(one[side])}" for side in ("a", "b")]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _interval(bounds: list | None) -> str:
    return "" if bounds is None or bounds[0] is None else f"[{bounds[0]:.4f}, {bounds[1]:.4f}]"


def _ids(items: list[str]) -> str:
    shown = " ".join(items[:_ANSWERS]) + (" ..." if len(items) > _ANSWERS else "")
    return shown or "nothing"
