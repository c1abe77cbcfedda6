"""Draws the items and histories on which a refreshed version is compared with the model that it was made from."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from mmrec.config import Config
from mmrec.data.raw_items import RawItems
from mmrec.export.held_items import HeldItems
from mmrec.export.saved_model import Samples
from mmrec.export.serving_module import Parts
from mmrec.refreshing.items import Contents
from mmrec.serving.context import context_inputs

_COMPARED = 32  # items, half of them embedded anew
_ELSEWHERE = 0.01  # by which a vector may differ that another machine computed, as GPUs round products


def refresh_samples(raw: RawItems, config: Config, contents: Contents, held: HeldItems, parts: Parts) -> Samples:
    """Draws items, and makes histories of them, whose context is unknown.

    Args:
      raw: the raw fields of the new catalog's items.
      config: how the catalog is read.
      contents: the items of the version, and which are new.
      held: their vectors as they are stored.
      parts: the parts of the version.
    """
    rng, source = np.random.default_rng(config.seed), contents.source
    fresh = rng.permutation(np.flatnonzero(source == 0)[1:])[: _COMPARED // 2]
    rows = np.append(fresh, rng.permutation(np.flatnonzero(source))[: _COMPARED - len(fresh)])
    longest = min(len(rows), config.query.max_length)
    filled = np.arange(longest) < np.arange(longest + 1)[:, np.newaxis]  # [H, L], row i has i items
    histories = np.where(filled, rng.permutation(rows)[:longest], 0)
    place = np.where(filled, np.arange(1, longest + 1), 0)
    inputs = parts.model.context_inputs
    context = context_inputs(None, parts.ids[histories], inputs)
    queries = parts.model.query(
        tf.constant(parts.table.vectors()[histories]),
        tf.constant(place, tf.int32),
        {name: tf.constant(context[name].tolist(), spec.dtype) for name, spec in inputs.items()},
    )
    return Samples(
        rows=rows,
        items=raw.columns([raw.item(contents.order[row - 1]) for row in rows]),
        histories=parts.ids[histories],
        queries=queries.numpy(),
        context=context,
        rounding=held.codes.rounding()[rows] + np.where(source[rows] > 0, _ELSEWHERE, 0.0),
    )
