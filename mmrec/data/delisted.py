"""Adds delisted items to a catalog: items that it no longer has, but that events still name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mmrec import schema
from mmrec.data.catalog import Catalog
from mmrec.data.content import lengthened


def with_delisted(catalog: Catalog, item_ids: Sequence[str]) -> Catalog:
    """Returns a catalog for evaluation, with further items of which only the id is known.

    Payload and filters are left out: evaluation does not read them.

    Args:
      catalog: the current items.
      item_ids: ids of the delisted items; ids that the catalog has are ignored.
    """
    more = np.setdiff1d(np.array(item_ids, object), catalog.item_ids)
    if not len(more):
        return catalog
    ids = np.append(catalog.item_ids, more)
    order = np.argsort(ids, kind="stable")

    return replace(
        catalog,
        item_ids=ids[order],
        content={name: content.lengthened(len(more)).take(order) for name, content in catalog.content.items()},
        payload=pd.DataFrame({schema.ID: ids[order]}),
        source_rows=lengthened(catalog.source_rows, len(more), -1)[order],
        filters={},
    )
