"""A check's report as text for people."""

from __future__ import annotations

from mmrec import schema
from mmrec.checking.check import CheckReport
from mmrec.data.findings import Finding, counted, percent

_LABEL = 14


def report_text(report: CheckReport) -> str:
    """Returns the facts, a line with a label for each topic, and then the findings with their remedies."""
    facts = report.facts
    lines = [*_table_lines(facts)]
    lines += _split_lines(facts) if "split" in facts else []
    lines += report.lines
    lines += _agreement_lines(facts["agreement"]) if "agreement" in facts else []
    if facts.get("decided"):
        lines.append(("decided", ", ".join(f"{key}: {value}" for key, value in facts["decided"].items())))
    lines += _cost_lines(facts["cost"]) if "cost" in facts else []
    shown = [f"{label:{_LABEL}}{words}" for label, words in lines]
    return "\n".join([*shown, "", *(_finding_lines(report.findings) or ["no findings"])])


def _table_lines(facts: dict) -> list[tuple[str, str]]:
    lines = []
    if "items" in facts:
        cold = facts.get("items_without_training_events")
        lines.append(("items", f"{facts['items']:,}" + ("" if cold is None else f", {cold:,} without training events")))
    if "users" in facts:
        time, unused = facts["time"], facts["unused_events"]
        words = f"{facts['events']:,}, {facts['positive_events']:,} positive, {facts['seen_only_events']:,} only seen"
        words += f", {unused:,} without effect" if unused else ""
        lines += [
            ("users", f"{facts['users']:,}; by number of events: {counted(facts['users_by_events'])}"),
            ("events", words),
            ("time", f"{_time(time['first'], time['first_date'])} to {_time(time['last'], time['last_date'])}"),
        ]
    skipped = {f"{table} {reason}": count for table, by in facts["skipped"].items() for reason, count in by.items()}
    lines.append(("skipped", counted(skipped) or "nothing"))
    if facts.get("coverage"):
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
    for name, basket in (("validation", "basket before the last"), ("test", "last basket")):
        part = facts["split"][name]
        words = f"{part['queries']:,} queries, {part['answers']:,} right answers, {part['cold_answers']:,} of them cold"
        begins = f"from {_time(part['begins'], part['begins_date'])}" if "begins" in part else f"each user's {basket}"
        dropped = f"; dropped: {counted(part['dropped'])}" if part["dropped"] else ""
        lines.append((name, f"{words}; {begins}{dropped}"))
    floor = facts["popularity"]
    ndcg, queries = floor["validation_ndcg@10"], floor["queries"]
    return [*lines, ("to beat", f"NDCG@10 {ndcg:.4f} (recommending bestsellers), {queries:,} validation queries")]


def _agreement_lines(agreement: dict) -> list[tuple[str, str]]:
    if "lowest" not in agreement:
        return [("photo-text", f"{agreement['items']:,} items have both: too few to compare")]
    lowest = ", ".join(f"{one[schema.ID]} {one['cosine']:.2f}" for one in agreement["lowest"][:5])
    mean = f"mean cosine {agreement['mean_cosine']:.2f}"
    return [("photo-text", f"{agreement['items']:,} items, {mean}; lowest: {lowest}")]


def _cost_lines(cost: dict) -> list[tuple[str, str]]:
    seconds = cost["seconds"]
    prepare = "".join(f"{part} {_duration(took)}, " for part, took in seconds.items() if part not in _TRAINING)
    time = f"{prepare}epoch {_duration(seconds['epoch'])}, all epochs at most {_duration(seconds['all_epochs'])}"
    sizes = (", ".join(f"{name} {_size(size)}" for name, size in _plain(cost[key])) for key in _SIZES)
    return [("time", time), *zip(("memory", "disk"), sizes, strict=True), ("measured", "; ".join(cost["basis"]))]


_TRAINING = ("step", "epoch", "all_epochs")
_SIZES = ("memory_bytes", "disk_bytes")


def _finding_lines(findings: tuple[Finding, ...]) -> list[str]:
    lines = []
    for one in findings:
        lines.append(f"{one.severity + ':':{_LABEL}}{one.text} {one.remedy}".rstrip())
        if one.examples and one.rows:
            more = ", ..." if len(one.rows) > len(one.examples) else ""
            lines.append(" " * _LABEL + ", ".join(one.examples) + more)
    return lines


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
