"""The preparation of Online Retail."""

import pandas as pd

from pipelines.prepare_retail import prepare

LINES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,10001,RED  MUG,2.0,2011-01-01 10:00:00,2.0,7.0,UK
1,10001,RED  MUG,1.0,2011-01-01 10:00:00,2.0,7.0,UK
1,10002a,"LAMP, SMALL",1.0,2011-01-01 10:00:00,4.0,7.0,UK
2,10002A,"LAMP, SMALL",1.0,2011-01-02 10:00:00,6.0,8.0,UK
3,10002A,broken?,1.0,2011-01-03 10:00:00,5.0,8.0,UK
C4,10001,RED MUG,-2.0,2011-01-04 10:00:00,2.0,7.0,UK
5,10001,RED MUG,1.0,2011-01-05 10:00:00,2.0,,UK
6,POST,POSTAGE,1.0,2011-01-06 10:00:00,9.0,7.0,UK
7,10003,GIFT,1.0,2011-01-07 10:00:00,0.0,7.0,UK
"""


def test_what_is_no_purchase_of_a_named_customer_is_left_out_and_counted(tmp_path):
    (tmp_path / "raw.csv").write_text(LINES)
    counts = prepare(tmp_path / "raw.csv", tmp_path / "out")
    assert counts == {
        "lines": 9,
        "cancelled": 1,
        "without_customer": 1,
        "without_price": 1,
        "no_product": 1,
        "same_item_in_basket": 1,
        "events": 4,
        "items": 2,
        "users": 2,
    }
    events = pd.read_csv(tmp_path / "out" / "interactions.csv", dtype=str)
    assert events.values.tolist() == [
        ["7", "10001", "2011-01-01 10:00:00"],
        ["7", "10002A", "2011-01-01 10:00:00"],
        ["8", "10002A", "2011-01-02 10:00:00"],
        ["8", "10002A", "2011-01-03 10:00:00"],
    ]


def test_an_item_gets_its_most_frequent_description_and_its_median_price(tmp_path):
    (tmp_path / "raw.csv").write_text(LINES)
    prepare(tmp_path / "raw.csv", tmp_path / "out")
    catalog = pd.read_csv(tmp_path / "out" / "catalog.csv", dtype=str)
    assert catalog.values.tolist() == [["10001", "RED MUG", "2.0"], ["10002A", "LAMP, SMALL", "5.0"]]
