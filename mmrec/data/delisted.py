"""Items that a catalog no longer holds, and events still name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from mmrec.data.catalog import Catalog


def with_delisted(catalog: Catalog, item_ids: Sequence[str]) -> Catalog:
    """Returns a catalog to judge a model by, with more items, of which nothing but the id is known.

    Payload and filters are left out: no judgment reads them.

    Args:
      catalog: the items that there are.
      item_ids: the others; those that the catalog has are left out.
    """
    more = np.setdiff1d(np.array(item_ids, object), catalog.item_ids)
    if not len(more):
        return catalog
    ids = np.append(catalog.item_ids, more)
    order = np.argsort(ids, kind="stable")

    def longer(values: np.ndarray, nothing: Any) -> np.ndarray:
        filled = np.empty([len(ids), *values.shape[1:]], values.dtype)
        filled[: len(values)], filled[len(values) :] = values, nothing
        return filled[order]

    def columns(named: dict) -> dict:
        return {name: longer(one, "" if one.dtype == object else np.nan) for name, one in named.items()}

    return replace(
        catalog,
        item_ids=ids[order],
        text=columns(catalog.text),
        photos=longer(catalog.photos, None),
        sounds=longer(catalog.sounds, None),
        payload=pd.DataFrame({"item_id": ids[order]}),
        source_rows=longer(catalog.source_rows, -1),
        filters={},
        features=None if catalog.features is None else longer(catalog.features, np.nan),
        attributes=columns(catalog.attributes),
    )
