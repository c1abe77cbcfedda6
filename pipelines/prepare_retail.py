"""Prepares UCI Online Retail: a shop's raw invoice lines to a catalog and interactions.

    python -m pipelines.prepare_retail [SOURCE.csv.gz] [DIRECTORY]

Left out, and counted: cancelled invoices and their negative quantities, adjustments, lines without a customer, lines
without a price, and what is no product (postage, fees, vouchers, samples). An item's title is its most frequent
description among the lines that are kept; a basket is one invoice. SOURCE is by default `retail/online_retail.csv.gz`
in the folder MMREC_DATA, that by default ../shared/data beside the checkout.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pandas as pd

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
DEFAULT_OUTPUT = Path(__file__).resolve().parents[1] / "runs" / "data" / "retail"
PRODUCT = r"\d{5}[A-Z]*"  # five digits, then letters for colours and sizes; all else is postage, fees, vouchers...


def prepare(source: Path, directory: Path) -> dict[str, int]:
    """Writes `catalog.csv` (item_id, title, price) and `interactions.csv` (user_id, item_id, timestamp).

    Args:
      source: the invoice lines, .csv or .csv.gz.
      directory: made when absent.

    Returns:
      What was left out, and what is there, by name.
    """
    lines = pd.read_csv(source, dtype=str, keep_default_na=False)
    quantity, price = pd.to_numeric(lines["Quantity"]), pd.to_numeric(lines["UnitPrice"])
    code = lines["StockCode"].str.strip().str.upper()
    rules = {
        "cancelled": lines["InvoiceNo"].str.startswith("C") | (quantity <= 0),
        "without_customer": lines["CustomerID"] == "",
        "without_price": price <= 0,
        "no_product": ~code.str.fullmatch(PRODUCT),
    }
    keep, counts = pd.Series(True, lines.index), {"lines": len(lines)}
    for reason, fault in rules.items():
        counts[reason] = int((fault & keep).sum())
        keep &= ~fault
    kept = pd.DataFrame(
        {
            "user_id": lines["CustomerID"].str.removesuffix(".0"),
            "item_id": code,
            "timestamp": lines["InvoiceDate"],
            "title": lines["Description"].str.split().str.join(" "),
            "price": price,
        }
    )[keep]
    named = kept[kept["title"] != ""].groupby(["item_id", "title"]).size().reset_index(name="lines")
    titles = named.sort_values(["lines", "title"], ascending=[False, True]).drop_duplicates("item_id")
    catalog = kept.groupby("item_id", as_index=False)["price"].median()
    catalog = catalog.merge(titles[["item_id", "title"]], how="left", on="item_id").fillna({"title": ""})
    events = kept[["user_id", "item_id", "timestamp"]].drop_duplicates()  # a basket names an item once
    counts |= {"same_item_in_basket": len(kept) - len(events), "events": len(events)}
    counts |= {"items": len(catalog), "users": events["user_id"].nunique()}
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in (("catalog", catalog[["item_id", "title", "price"]]), ("interactions", events)):
        aside = directory / f".{name}.csv"
        table.to_csv(aside, index=False)
        aside.replace(directory / f"{name}.csv")
    return counts


if __name__ == "__main__":
    data = Path(os.environ.get("MMREC_DATA", DEFAULT_DATA))
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else data / "retail" / "online_retail.csv.gz"
    directory = Path(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_OUTPUT
    for reason, count in prepare(source, directory).items():
        print(f"{count:>9,}  {reason.replace('_', ' ')}")
    print(f"wrote {directory}")
