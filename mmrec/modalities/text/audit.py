"""Reads texts and finds those that are empty, cut, identical, or that leak ids."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.data.catalog import Catalog
from mmrec.data.findings import Finding, about_items, percent
from mmrec.modalities.text.languages import UNSURE, language_shares
from mmrec.preprocess.text import TextEncoder
from mmrec.values import joined

_CUT = 0.2  # share of the texts of a column
_LETTER_ID, _NUMBER_ID = 4, 6  # characters from which a word with a digit, or a number, may be an id
_LANGUAGE = 0.05  # share of the items from which a language counts as one of the catalog's
_NAMES = {"CJK": "Han"}  # how Unicode's names of characters call a script, where not by its own name


@dataclass(frozen=True)
class TextAudit:
    """The result of reading texts; item positions are 0-based and sorted.

    Attributes:
      empty: items without any text.
      identical: groups of items whose texts agree in every column but for case and spaces, the largest first.
      cut: per column, the share of its texts that has more than `max_tokens` tokens.
      scripts: Unicode script -> share of all letters, the largest first.
      languages: ISO 639 code -> share of the items with a text, the largest first; `unsure` for short texts and names.
      with_user_id: items whose text holds a user's id.
      with_other_item_id: items whose text holds another item's id.
      is_item_id: items with a text that is the item's own id.
      repeats_payload: (payload column, text column) -> items in which both are the same.
    """

    empty: list[int]
    identical: list[list[int]]
    cut: dict[str, float]
    scripts: dict[str, float]
    languages: dict[str, float]
    with_user_id: list[int]
    with_other_item_id: list[int]
    is_item_id: list[int]
    repeats_payload: dict[tuple[str, str], list[int]]

    def facts(self) -> dict:
        """Returns the counts, ready for JSON."""
        return {
            "empty": len(self.empty),
            "identical_groups": len(self.identical),
            "items_with_identical": sum(map(len, self.identical)),
            "cut_share": self.cut,
            "script_share": self.scripts,
            "language_share": self.languages,
            "with_user_id": len(self.with_user_id),
            "with_other_item_id": len(self.with_other_item_id),
            "is_item_id": len(self.is_item_id),
            "repeats_payload": {f"{a} = {b}": len(items) for (a, b), items in self.repeats_payload.items()},
        }


def audit_texts(
    catalog: Catalog, columns: Mapping[str, np.ndarray], user_ids: Iterable[str], encoder: TextEncoder
) -> TextAudit:
    """Reads all texts.

    An id counts as leaked when it stands in a text as a word of its own and cannot be mistaken for one: at least 4
    characters with a digit, or 6 when it is all digits.

    Args:
      catalog: the items.
      columns: their texts, str objects [N] by column.
      user_ids: of the interactions.
      encoder: as learnt on these texts.
    """
    items, users = set(filter(_is_telling, catalog.item_ids)), set(filter(_is_telling, user_ids))
    limits = dict(zip(columns, encoder.limits(len(columns)), strict=True))
    longer = {limit: TextEncoder(encoder.tokenizer, limit + 1) for limit in limits.values()}  # each is traced once
    same: dict[tuple[str, ...], list[int]] = {}
    letters: Counter[str] = Counter()
    faulty: dict[str, list[int]] = {"empty": [], "user": [], "item": [], "own": []}
    for at, texts in enumerate(zip(*columns.values(), strict=True)):
        own = catalog.item_ids[at]
        plain = tuple(" ".join(text.casefold().split()) for text in texts)
        if not any(plain):
            faulty["empty"].append(at)
            continue
        same.setdefault(plain, []).append(at)
        words = {word for text in texts for word in re.findall(r"[\w.-]*\w", text)}
        for name, hit in (("user", words & users), ("item", words & items - {own}), ("own", own in texts)):
            if hit:
                faulty[name].append(at)
        letters.update(char for text in texts for char in text if char.isalpha())
    return TextAudit(
        empty=faulty["empty"],
        identical=sorted((group for group in same.values() if len(group) > 1), key=lambda group: (-len(group), group)),
        cut={column: _cut_share(values, longer[limits[column]]) for column, values in columns.items()},
        scripts=_scripts(letters),
        languages=language_shares(map(" ".join, zip(*columns.values(), strict=True))),
        with_user_id=faulty["user"],
        with_other_item_id=faulty["item"],
        is_item_id=faulty["own"],
        repeats_payload=_repeats(catalog, columns),
    )


def _is_telling(name: str) -> bool:
    digits = sum(char.isdigit() for char in name)
    return len(name) >= (_NUMBER_ID if digits == len(name) else _LETTER_ID) and digits > 0


def _cut_share(texts: np.ndarray, longer: TextEncoder, batch: int = 1024) -> float:
    """Returns the share of the texts that are not empty which fill an encoder of one token more than is kept."""
    filled = [text for text in texts if text.strip()]
    parts = (filled[start : start + batch] for start in range(0, len(filled), batch))
    cut = sum(int((longer([tf.constant(part)])[:, -1].numpy() != 0).sum()) for part in parts)
    return cut / max(1, len(filled))


def _scripts(letters: Counter[str]) -> dict[str, float]:
    """Returns the share of each script, by the first word of its letters' Unicode names.

    >>> _scripts(Counter("caféя"))
    {'Latin': 0.8, 'Cyrillic': 0.2}
    """
    scripts: Counter[str] = Counter()
    for letter, count in letters.items():
        first = unicodedata.name(letter, "unknown").split()[0].split("-")[0]
        scripts[_NAMES.get(first, first.capitalize())] += count
    return {script: count / scripts.total() for script, count in scripts.most_common()}


def _repeats(catalog: Catalog, columns: Mapping[str, np.ndarray]) -> dict[tuple[str, str], list[int]]:
    rows = {}
    for payload in catalog.payload.columns:
        if payload == schema.ID or payload in columns:
            continue
        values = joined(catalog.payload[payload])
        for column, texts in columns.items():
            items = np.flatnonzero((texts == values) & (texts != "")).tolist()
            if items:
                rows[payload, column] = items
    return rows


def text_findings(audit: TextAudit, catalog: Catalog) -> list[Finding]:
    """Says what is wrong with the texts."""
    findings = []

    def add(severity: str, code: str, items: list[int], text: str, remedy: str) -> None:
        if items:
            findings.append(about_items(severity, code, text.format(f"{len(items):,}"), remedy, catalog, items))

    alike = [item for group in audit.identical for item in group]
    remedy = "Give texts that tell them apart, or merge items that are one."
    add("note", "identical_texts", alike, "{} items have the same texts as another item.", remedy)
    add("note", "empty_texts", audit.empty, "{} items have no text at all.", "Fill them, if there is anything to say.")
    text, remedy = "{} items have their own id as a text.", "Leave that column out of `data.catalog.text`."
    add("warning", "text_is_item_id", audit.is_item_id, text, remedy)
    remedy = "Remove it: it gives away who took the item."
    add("warning", "user_id_in_text", audit.with_user_id, "{} items have a user's id in their texts.", remedy)
    remedy = "Remove it, unless it shall be read (spare parts, sets)."
    add("warning", "item_id_in_text", audit.with_other_item_id, "{} items name another item's id.", remedy)
    for (payload, column), items in audit.repeats_payload.items():
        text = f"`{payload}` and the text `{column}` are the same in {{}} items."
        add("note", "payload_repeats_text", items, text, "Leave one of the columns out if they are one.")
    for column, share in audit.cut.items():
        if share > _CUT:
            text = f"{percent(share)} of the texts in `{column}` are cut to `item.text.max_tokens`."
            findings.append(Finding("note", "cut_texts", text, "Raise `item.text.max_tokens`.", (column,)))
    several = [name for name, share in audit.languages.items() if name != UNSURE and share >= _LANGUAGE]
    if len(several) > 1:
        shares = ", ".join(f"{name} {percent(audit.languages[name])}" for name in several)
        text = f"The texts are in several languages ({shares}): words of one do not find items in another."
        remedy = "Give the items texts in one language, or all items texts in each."
        findings.append(Finding("note", "several_languages", text, remedy, tuple(several)))
    return findings
