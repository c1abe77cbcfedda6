"""How rankings are evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from mmrec.config.section import Positive, Section


class EvaluationConfig(Section):
    """How rankings are evaluated."""

    k: Annotated[tuple[Positive, ...], Field(min_length=1)] = (5, 10, 20, 50)
    """Lengths K of the ranked lists that metrics such as NDCG@K look at; 10 is always added."""
    min_history: Annotated[int, Field(ge=0)] = 1
    """Shortest history of a query. Queries with a shorter one are dropped (and counted)."""
    bootstrap_samples: Annotated[int, Field(ge=10)] = 1000
    """Resamples of the users from which the 95% intervals are computed."""
    max_validation_queries: Positive | None = 20000
    """Most validation queries ranked after each epoch, a fixed random sample. Null: all."""
    max_test_queries: Positive | None = None
    """Most queries ranked at the end, of validation and of test, a fixed random sample of each (the others count as
    dropped). Null: all. The cost of an evaluation is proportional to queries times items."""

    @model_validator(mode="before")
    @classmethod
    def _ten(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("k"), list | tuple) and 10 not in values["k"]:
            return {**values, "k": [*values["k"], 10]}
        return values
