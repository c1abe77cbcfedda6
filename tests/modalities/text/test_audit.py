"""Finds texts that are cut, identical or leak ids, in a handful of rows."""

import numpy as np
import pandas as pd

from mmrec.modalities.text.audit import audit_texts, text_findings
from mmrec.preprocess.text import TextEncoder
from mmrec.preprocess.tokenizers import Words
from tests.catalogs import catalog_of


def catalog(ids, payload=None, **texts):
    columns = {name: np.array(values, dtype=object) for name, values in texts.items()}
    return catalog_of(ids, pd.DataFrame({"item_id": ids, **(payload or {})}), text=columns)


def audit(shop, users=(), max_tokens=2):
    return audit_texts(
        shop, shop.content["text"].columns, users, TextEncoder(Words(["[PAD]", "[UNK]", "a", "b"]), max_tokens)
    )


def test_the_share_of_cut_texts_counts_those_with_more_tokens_than_are_kept():
    report = audit(catalog(["i", "j", "k", "l"], title=["a b", "a b a", "", "a"], note=["a"] * 4))
    assert report.cut == {"title": 1 / 3, "note": 0.0}  # of the three titles that are not empty
    assert [one.code for one in text_findings(report, catalog(["i"] * 4))] == ["cut_texts"]


def test_scripts_are_shares_of_letters():
    report = audit(catalog(["i", "j"], title=["tea 12", "чай 茶"]))
    assert report.scripts == {"Latin": 3 / 7, "Cyrillic": 3 / 7, "Han": 1 / 7}


def test_several_languages_are_said_with_their_shares():
    german, english = "Eine kleine Lampe aus Messing für den Schreibtisch", "A small lamp made of brass for the desk"
    shop = catalog([*"abcdefgh"], title=[german] * 3 + [english] * 4 + ["mug"], note=["sehr schön"] * 3 + [""] * 5)
    report = audit(shop, max_tokens=20)
    assert report.languages == {"en": 0.5, "de": 0.375, "unsure": 0.125}
    assert report.facts()["language_share"] == report.languages
    (one,) = [one for one in text_findings(report, shop) if one.code == "several_languages"]
    assert (one.severity, one.examples) == ("note", ("en", "de"))
    assert one.text.startswith("The texts are in several languages (en 50.0%, de 37.5%)")


def test_a_language_of_less_than_a_twentieth_is_no_finding():
    english, french = "A small lamp made of brass for the desk", "Une petite lampe en laiton pour le bureau"
    shop = catalog([f"i{row}" for row in range(25)], title=[english] * 24 + [french])
    report = audit(shop, max_tokens=20)
    assert report.languages == {"en": 0.96, "fr": 0.04}
    assert [one.code for one in text_findings(report, shop)] == ["identical_texts"]


def test_items_are_alike_when_all_columns_agree_but_for_case_and_spaces():
    shop = catalog(["i", "j", "k", "l"], title=["Red  Mug", "red mug", "red mug", ""], note=["x", "X ", "y", " "])
    report = audit(shop)
    assert (report.identical, report.empty) == ([[0, 1]], [3])


def test_ids_leak_only_as_whole_words_that_can_be_nothing_else():
    shop = catalog(
        ["sku-17", "mug", "1234", "99887766"],
        title=["a mug, 1234 pieces", "see sku-17.", "see sku-171", "made for 55443322, 12 times"],
    )
    report = audit(shop, users=["55443322", "12", "times"])
    assert report.with_other_item_id == [1]  # neither the word `mug` nor the short number 1234
    assert report.with_user_id == [3]


def test_a_payload_column_that_repeats_a_text_is_named_once_per_pair():
    payload = {"title": ["a", "b"], "label": ["a", "c"], "price": [1.0, 2.0]}
    report = audit(catalog(["i", "j"], payload, title=["a", "b"]))
    assert report.repeats_payload == {("label", "title"): [0]}
