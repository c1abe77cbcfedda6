"""A check's report as text for people."""

from __future__ import annotations

from mmrec.data.findings import Finding, percent
from mmrec.jobs.check import CheckReport

_LABEL = 14


def report_text(report: CheckReport) -> str:
    """Returns the facts as lines of a label and plain words, then the findings."""
    facts = report.facts
    lines = [*_table_lines(facts), *_split_lines(facts)]
    if "photos_opened" in facts and "photos" not in facts:
        opened = facts["photos_opened"]
        lines.append(("photos", f"{opened['opened']:,} opened, {opened['unreadable']:,} unreadable; --deep opens all"))
    if "photos" in facts:
        lines.append(("photos", _counts(facts["photos"])))
    if "texts" in facts:
        lines += _text_lines(facts["texts"])
    if "agreement" in facts:
        lines += _agreement_lines(facts["agreement"])
    lines += _cost_lines(facts["cost"]) if "cost" in facts else []
    shown = [f"{label:{_LABEL}}{words}" for label, words in lines]
    return "\n".join([*shown, "", *(_finding_lines(report.findings) or ["no findings"])])


def _table_lines(facts: dict) -> list[tuple[str, str]]:
    time = facts["time"]
    skipped = {f"{table} {reason}": count for table, by in facts["skipped"].items() for reason, count in by.items()}
    lines = [
        ("items", f"{facts['items']:,}, {facts['items_without_training_events']:,} without training events"),
        ("users", f"{facts['users']:,}; by number of events: {_counts(facts['users_by_events'])}"),
        (
            "events",
            f"{facts['events']:,}, {facts['positive_events']:,} positive, {facts['seen_only_events']:,} only seen",
        ),
        ("time", f"{_time(time['first'], time['first_date'])} to {_time(time['last'], time['last_date'])}"),
        ("skipped", _counts(skipped) or "nothing"),
    ]
    if facts["coverage"]:
        covered = (f"{name} {percent(share)}" for name, share in facts["coverage"].items())
        lines.append(("coverage", ", ".join(covered) + " of the items"))
    return lines


def _split_lines(facts: dict) -> list[tuple[str, str]]:
    train, training = facts["split"]["train"], facts["training"]
    lines = [
        (
            "train",
            f"{train['events']:,} events of {train['users']:,} users; {training['queries']:,} queries and "
            f"{training['steps_per_epoch']:,} steps an epoch",
        )
    ]
    for name in ("validation", "test"):
        part = facts["split"][name]
        words = f"{part['queries']:,} queries, {part['answers']:,} right answers, {part['cold_answers']:,} of them cold"
        if "begins" in part:
            words += f"; from {_time(part['begins'], part['begins_date'])}"
        if part["dropped"]:
            words += f"; dropped: {_counts(part['dropped'])}"
        lines.append((name, words))
    floor = facts["popularity"]
    words = f"NDCG@10 {floor['validation_ndcg@10']:.4f} by popularity, {floor['queries']:,} validation queries"
    return [*lines, ("floor", words)]


def _text_lines(texts: dict) -> list[tuple[str, str]]:
    counts = {name: count for name, count in texts.items() if isinstance(count, int)}
    return [
        ("texts", _counts(counts)),
        ("languages", _shares(texts["language_share"], 5) or "no text"),
        ("scripts", _shares(texts["script_share"], 5) or "no letters"),
        ("cut texts", _shares(texts["cut_share"])),
    ]


def _agreement_lines(found: dict) -> list[tuple[str, str]]:
    if "lowest" not in found:
        return [("photo-text", f"{found['items']:,} items have both: too few to compare")]
    lowest = ", ".join(f"{one['item_id']} {one['cosine']:.2f}" for one in found["lowest"][:5])
    return [("photo-text", f"{found['items']:,} items, mean cosine {found['mean_cosine']:.2f}; lowest: {lowest}")]


def _cost_lines(cost: dict) -> list[tuple[str, str]]:
    seconds = cost["seconds"]
    photos = f"photos {_duration(seconds['photos'])}, " if seconds["photos"] else ""
    time = f"{photos}epoch {_duration(seconds['epoch'])}, all epochs at most {_duration(seconds['all_epochs'])}"
    sizes = (", ".join(f"{name} {_size(size)}" for name, size in _plain(cost[key])) for key in _SIZES)
    return [("time", time), *zip(("memory", "disk"), sizes, strict=True), ("measured", "; ".join(cost["basis"]))]


_SIZES = ("memory_bytes", "disk_bytes")


def _finding_lines(findings: tuple[Finding, ...]) -> list[str]:
    lines = []
    for one in findings:
        lines.append(f"{one.severity + ':':{_LABEL}}{one.text} {one.remedy}")
        if one.examples and one.rows:
            more = ", ..." if len(one.rows) > len(one.examples) else ""
            lines.append(" " * _LABEL + ", ".join(one.examples) + more)
    return lines


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())


def _shares(shares: dict[str, float], most: int | None = None) -> str:
    return ", ".join(f"{name} {percent(share)}" for name, share in list(shares.items())[:most])


def _plain(sizes: dict[str, int]) -> list[tuple[str, int]]:
    return [(name.replace("_", " "), size) for name, size in sizes.items() if size]


def _time(time: float, date: str | None) -> str:
    return date or f"{time:,.10g}"


def _size(size: float) -> str:
    """Returns bytes as text.

    >>> _size(900), _size(94_000_000), _size(2.5e9)
    ('<0.1 MB', '94.0 MB', '2.5 GB')
    """
    if size < 1e5:
        return "<0.1 MB"
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "<1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
