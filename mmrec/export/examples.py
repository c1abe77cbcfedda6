"""One ready question per signature, made from the signatures: warm-up and sample requests are written from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from mmrec import schema

Examples = Mapping[str, Mapping[str, np.ndarray]]
"""Signature -> input -> its value, one row: [1] or [1, W]."""


def example_inputs(
    signatures: Mapping,
    items: Mapping[str, np.ndarray],
    histories: np.ndarray,
    filters: Mapping[str, np.ndarray],
    context: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Examples:
    """Makes one question per signature.

    Args:
      signatures: concrete functions by name.
      items: raw fields of some items by signature input, [S]; the first item is asked about.
      histories: str objects [B, L]; the last one is asked about.
      filters: per filter column, objects [N], the tuple of an item's values; one of the first column is asked for.
      context: what is known beside the histories, by signature input; first dimension B.
    """
    column = next(iter(filters), "")
    value = next((value for values in filters.get(column, ()) for value in values), "")
    asked = {
        "history": histories[-1:],
        "exclude": histories[-1:, :1],
        "include": np.array([[""]], object),
        "filter": np.array([[f"{column}={value}" if value else ""]], object),
        "item_id": histories[-1:, 0],
        "k": np.array([10], np.int32),
        **{name: values[-1:] for name, values in context.items()},
    }
    return {
        name: {
            key: items[key][:1] if name == schema.EMBED_ITEM else asked[key]
            for key in function.structured_input_signature[1]
        }
        for name, function in signatures.items()
    }
