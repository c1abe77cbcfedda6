"""What the export answers by default."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmrec.config.section import Positive, Section


class ExportConfig(Section):
    """What the export answers by default."""

    k: Positive = 10
    """Answers per row of the signature `serving_default`."""
    signatures: tuple[str, ...] = ()
    """Serving functions of your own beside those that every export has, as `package.module:Class`; see
    `mmrec.export.signatures.signature`. A refresh keeps them, and needs their classes."""
    index: Literal["exact", "ivf"] = "exact"
    """How answers are found: `exact` scores every item; `ivf` reads only the cells of a cut-up catalog that lie near
    the query, and misses some. It keeps embeddings twice, by item and by cell."""
    index_storage: Literal["float32", "float16", "int8"] = "float32"
    """How the export keeps item embeddings; histories read the same. `float16` takes half the bytes, `int8` a quarter
    and rounds so that some answers change: the manifest says how many of ten stay (`index`, `recall@10`)."""
    index_recall: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """Share of the K best items that `ivf` must find, over validation queries, K the larger of `k` and 10; it decides
    how many cells are read. Up to K answers the share is this or more. Answers that come later, as more are wanted or
    excluded ones come before, are fewer by at most 0.2 down to the `depth` in the manifest (`index`); beyond, the row
    is ranked exactly, which takes as long as `exact`."""
