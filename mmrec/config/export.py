"""How an export answers, and how it stores and searches its items."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmrec.config.section import Positive, Section


class ExportConfig(Section):
    """How an export answers, and how it stores and searches its items."""

    k: Positive = 10
    """Number of answers per query of the signature `serving_default`."""
    signatures: tuple[str, ...] = ()
    """Serving signatures of your own, beside those that every export has, as `package.module:Class`; see
    `mmrec.export.signatures.signature`. A refresh keeps them, and needs their classes."""
    index: Literal["exact", "ivf"] = "exact"
    """How answers are searched for. `exact` scores every item. `ivf` divides the catalog into cells, scores only the
    items in the cells nearest to the query, and misses some answers; it stores the embeddings twice, by item and by
    cell."""
    index_storage: Literal["float32", "float16", "int8"] = "float32"
    """Number format in which the export stores item embeddings; histories are read from the same numbers. `float16`
    takes half the bytes of `float32`. `int8` takes a quarter, and its rounding changes some answers: the manifest says
    which share of the first ten stay the same (`index`, `recall@10`)."""
    index_recall: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """Share of the best K items that `ivf` must find, measured on validation queries; K is `k`, or 10 if that is
    larger. It decides how many cells are read. The share holds for the first K answers. Further down the ranking
    (because more answers are wanted, or better ones are excluded) it is lower by at most 0.2, as far as the rank
    `depth` in the manifest (`index`). A query that goes beyond that rank is searched exactly, which takes as long as
    `exact`."""
