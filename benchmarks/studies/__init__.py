"""Questions that trainings answer which differ in one thing; `benchmarks.study` runs them."""

NAMES = ("ablation", "content", "defaults", "fusion", "missing")
