"""Test metrics as text for people."""

from __future__ import annotations


def metrics_table(metrics: dict) -> str:
    """Returns the test metrics of the model and its baselines as lines of text.

    A hint follows when the model is not clearly better than item-kNN.

    Args:
      metrics: what a run's metrics.json holds.
    """
    names = [name for name in ("ndcg@10", "recall@10", "hit_rate@10", "mrr") if name in metrics["test"]]
    lines = [f"{'test':12}" + "".join(f"{name:>24}" for name in names)]
    for label, values in (("mmrec", metrics["test"]), *((k, v["test"]) for k, v in metrics["baselines"].items())):
        cells = (
            f"{values[name]:.4f} [{values[name + '_ci95'][0]:.4f}, {values[name + '_ci95'][1]:.4f}]" for name in names
        )
        lines.append(f"{label:12}" + "".join(f"{cell:>24}" for cell in cells))
    lines.append(f"{metrics['queries']:,} queries, {metrics['candidates']:,} candidates, 95% intervals over users")
    if metrics["versus_baselines"]["item_knn"]["ndcg@10_difference_ci95"][0] <= 0 and not metrics.get("neighbours"):
        lines.append(
            "Not clearly better than item-kNN on this test. Try `retrieval.neighbours: 512`, which adds "
            "item-kNN's signal to the model."
        )
    return "\n".join(lines)
