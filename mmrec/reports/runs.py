"""A comparison of runs as text for people."""

from __future__ import annotations


def comparison_text(comparison: dict) -> str:
    """Returns the result of `mmrec.compare_runs` as lines of text."""
    lines = [f"{'test':14}{'A':>10}{'B':>10}{'B minus A':>12}{'95% interval':>22}{'P(B better)':>14}"]
    for name, one in comparison["metrics"].items():
        interval = "[{:+.4f}, {:+.4f}]".format(*one["difference_ci95"])
        lines.append(
            f"{name:14}{one['a']:>10.4f}{one['b']:>10.4f}{one['difference']:>+12.4f}{interval:>22}"
            f"{one['probability_b_better']:>14.3f}"
        )
    seeds = [len(comparison["a"]), len(comparison["b"])]
    several = [side for side, count in zip("AB", seeds, strict=True) if count > 1]
    over = "users" + (f" and the seeds of {' and '.join(several)}" if several else "")
    if len(several) < 2:
        over += f"; nothing is said about seeds of {' and '.join(sorted(set('AB') - set(several)))}"
    left_out = comparison["left_out"]
    lines.append(f"{comparison['users']:,} users; left out: {left_out['a']:,} of A, {left_out['b']:,} of B")
    lines.append(f"{seeds[0]} run{'s'[: seeds[0] > 1]} of A, {seeds[1]} of B; intervals over {over}")
    return "\n".join(lines)
