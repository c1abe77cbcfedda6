"""Finds items whose photo and text disagree, as a trained model sees them."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd

from mmrec import schema
from mmrec.data.catalog import Catalog
from mmrec.data.findings import Finding, about_items
from mmrec.errors import InputError
from mmrec.modalities.names import IMAGE, TEXT
from mmrec.serving.recommender import Recommender

_LISTED = 20
_FAR = 3.0  # standard deviations below the mean
_BATCH = 64  # photos in memory at once


def photo_text_agreement(
    export_dir: str | os.PathLike, catalog: Catalog, unreadable: list[int]
) -> tuple[dict, list[Finding]]:
    """Embeds each item by its photo only and by its texts only, and compares the two.

    The mean photo embedding and the mean text embedding are subtracted first, so an unrelated photo and text have a
    cosine near 0. An item is judged by the distance of its cosine from the mean of all items.

    Args:
      export_dir: the version folder of an export whose model reads photos and texts.
      catalog: the items.
      unreadable: positions (0-based) of items whose photo cannot be decoded; they are left out.

    Returns:
      The facts: `items` compared, their `mean_cosine`, and the items with the `lowest` cosine; only `items` when fewer
      than two can be compared. Then a list with one finding about the items far below the mean, if there are any.

    Raises:
      InputError: the folder is not an export, its model does not read both, or the catalog lacks a column it reads.
    """
    shop = Recommender(export_dir)
    fields = shop.interface.fields
    modalities = list(dict.fromkeys(field.modality for field in fields))
    if not {IMAGE, TEXT} <= {*modalities}:
        raise InputError(
            f"`export_dir` must name an export that reads photos and texts. Received: {export_dir}, which reads "
            f"{', '.join(modalities)}. Name another, or leave `export_dir` out."
        )
    names = {field.input: field.name for field in fields if field.modality == TEXT}
    photo = next(field.input for field in fields if field.modality == IMAGE)
    photos, texts = catalog.content.get(IMAGE), catalog.content.get(TEXT)
    lacking = [name for name in names.values() if texts is None or name not in texts.columns]
    if lacking or photos is None or photos.missing.all():
        raise InputError(
            f"`export_dir` {export_dir} reads the columns {', '.join(names.values())} and photos. Received: a config "
            f"without {lacking[0] if lacking else 'photos'}. Check with the config that it was trained with."
        )
    able = ~photos.missing
    able[unreadable] = False
    both = [item for item in np.flatnonzero(able) if any(texts.columns[name][item].strip() for name in names.values())]
    if len(both) < 2:
        return {"items": len(both)}, []
    seen, said = [], []
    for start in range(0, len(both), _BATCH):
        part = both[start : start + _BATCH]
        seen.append(shop.embed_items(pd.DataFrame({photo: [photos.photo(item) for item in part]})))
        said.append(shop.embed_items(pd.DataFrame({key: texts.columns[name][part] for key, name in names.items()})))
    cosine = (_centred(np.concatenate(seen)) * _centred(np.concatenate(said))).sum(axis=1)
    mean, deviation = float(cosine.mean()), float(cosine.std())
    order = np.argsort(cosine, kind="stable")
    facts = {
        "items": len(both),
        "mean_cosine": mean,
        "lowest": [{schema.ID: str(catalog.item_ids[both[at]]), "cosine": float(cosine[at])} for at in order[:_LISTED]],
    }
    far = [both[at] for at in order if cosine[at] < mean - _FAR * deviation]
    if not far:
        return facts, []
    text = f"{len(far):,} items have a photo and texts that disagree, as the export sees them."
    remedy = "Check that each photo shows its item."
    return facts, [about_items("note", "photo_text_disagree", text, remedy, catalog, far)]


def _centred(embeddings: np.ndarray) -> np.ndarray:
    moved = embeddings - embeddings.mean(axis=0)
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
