"""The quick start: trains on the sample shop, exports, asks the export, and draws what shoppers took and are shown."""

from __future__ import annotations

import sys
from pathlib import Path

import mmrec
from mmrec.cli.assignments import parse_assignments
from mmrec.data.interactions import load_interactions
from mmrec.data.vocabulary import Vocabulary
from mmrec.modalities.catalog import read_catalog
from mmrec.reports.contact_sheet import Item, Shopper, contact_sheet, to_png
from mmrec.reports.metrics import metrics_table

CONFIG = Path(__file__).parent / "configs" / "quickstart.yaml"
SHOPPERS, TAKEN, SHOWN = 4, 5, 5


def main(*assignments: str) -> None:
    """Runs it; assignments such as `training.epochs=1` override the config."""
    config = mmrec.Config.load(CONFIG, **parse_assignments(assignments))
    result = mmrec.train(config)
    shop = mmrec.load(result.export_dir)
    catalog = read_catalog(config)
    events = load_interactions(config.data.interactions, Vocabulary(catalog.item_ids), config.data.tfds_dir)
    photos = catalog.content.get("image")
    rows = {item: row for row, item in enumerate(catalog.item_ids)}

    def tile(item: str) -> Item:
        payload = catalog.payload.iloc[rows[item]]
        return Item(payload["title"] or payload["category"], photos.photo(rows[item]) if photos else b"")

    sheet = []
    for user in range(SHOPPERS):
        history = catalog.item_ids[events.row[events.user == user] - 1].tolist()
        answers = shop.recommend([history], k=SHOWN)
        print(f"\nshopper {events.user_ids[user]} took")
        print("\n".join(f"            {shop.describe(item)}" for item in history[-TAKEN:]))
        print("and is shown")
        for item, score in zip(answers.item_ids[0], answers.scores[0], strict=True):
            print(f"  {score:8.3f}  {shop.describe(item)}")
        sheet.append(Shopper([tile(item) for item in history[-TAKEN:]], [tile(item) for item in answers.item_ids[0]]))
    picture = result.run_dir / "contact_sheet.png"
    picture.write_bytes(to_png(contact_sheet(sheet)))
    print(f"\n{metrics_table(result.metrics)}\n\nexport: {result.export_dir}\npicture: {picture}")


if __name__ == "__main__":
    main(*sys.argv[1:])
