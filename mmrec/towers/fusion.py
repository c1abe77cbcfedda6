"""The fusions by name; see `fusion_base.Fusion` for the contract."""

from __future__ import annotations

from mmrec.towers.fusion_early import Attention, Concatenation, Gated, Mean, Sum, Weighted
from mmrec.towers.fusion_late import Late, LatePerQuery

FUSIONS = {
    "concatenation": Concatenation,
    "sum": Sum,
    "mean": Mean,
    "weighted": Weighted,
    "gated": Gated,
    "attention": Attention,
    "late": Late,
    "late_per_query": LatePerQuery,
}
