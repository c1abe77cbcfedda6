"""The quick start: trains on the sample shop, exports, and asks the export."""

from __future__ import annotations

import sys
from pathlib import Path

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.data.interactions import load_interactions
from mmrec.data.vocabulary import Vocabulary
from mmrec.reports.metrics import metrics_table

CONFIG = Path(__file__).parent / "configs" / "quickstart.yaml"


def main(*assignments: str) -> None:
    """Runs it; assignments such as `training.epochs=1` override the config."""
    config = mmrec.Config.load(CONFIG, **parse_assignments(assignments))
    result = mmrec.train(config)
    shop = mmrec.load(result.export_dir)
    events = load_interactions(config.data.interactions, Vocabulary(shop.items["item_id"]), config.data.tfds_dir)
    for user in range(3):
        history = shop.items["item_id"].to_numpy()[events.row[events.user == user] - 1].tolist()
        print(f"\nshopper {events.user_ids[user]} took")
        print("\n".join(f"            {shop.describe(item)}" for item in history[-6:]))
        print("and is shown")
        answers = shop.recommend([history], k=5)
        for item, score in zip(answers.item_ids[0], answers.scores[0], strict=True):
            print(f"  {score:8.3f}  {shop.describe(item)}")
    print(f"\n{metrics_table(result.metrics)}\n\nexport: {result.export_dir}")


if __name__ == "__main__":
    main(*sys.argv[1:])
