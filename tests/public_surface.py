"""Uses the public names as a user's typed program would; `make lint` has mypy check it in strict mode."""

from pathlib import Path

import numpy as np
import pandas as pd

import mmrec


def recommend(config: Path, users: list[list[str]]) -> list[str]:
    """Trains, and returns the best item of each user."""
    settings: mmrec.Config = mmrec.Config.load(config, training={"epochs": 1})
    result: mmrec.TrainResult = mmrec.train(settings, seed=3)
    metrics: dict[str, object] = mmrec.evaluate(result.export_dir)
    print(metrics["test"], settings.training.epochs + 1)
    tuned: mmrec.TuneResult = mmrec.tune(settings, {"training.epochs": [1, 2]}, trials=2)
    print(mmrec.compare_runs(result.run_dir, [tuned.train_result.run_dir], metrics=["ndcg@10"])["users"])
    print(mmrec.compare_exports(result.export_dir, "other", Path("users.csv"), segments=["country"], k=5)["overall"])
    refreshed: mmrec.RefreshResult = mmrec.refresh(
        result.export_dir, "new.parquet", data={"catalog": {"image_dir": "photos"}}
    )
    newer: Path = refreshed.export_dir
    print(refreshed.changes["new"])
    report: mmrec.CheckReport = mmrec.check(settings)
    print(report.findings)
    shop: mmrec.Recommender = mmrec.load(newer)
    summary: dict[str, object] = mmrec.score(newer, "users.parquet", Path("answers"), k=5, workers=2)
    print(summary["rows"])
    answers: mmrec.Answers = shop.recommend(users, k=1, exclude=[["mug"] for _ in users])
    vectors: np.ndarray = shop.embed_items(pd.DataFrame({"title": ["mug"]})) + shop.embed_queries(users[:1])
    print(vectors.shape, shop.similar(["mug"]).scores)
    return [str(item) for item in answers.item_ids[:, 0]]
