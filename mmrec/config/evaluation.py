"""How rankings are judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from mmrec.config.section import Positive, Section


class EvaluationConfig(Section):
    """How rankings are judged."""

    k: Annotated[tuple[Positive, ...], Field(min_length=1)] = (5, 10, 20, 50)
    """List lengths of the metrics; 10 is always among them."""
    min_history: Annotated[int, Field(ge=0)] = 1
    """Queries with a shorter history are dropped (and counted)."""
    bootstrap_samples: Annotated[int, Field(ge=10)] = 1000
    """Resamples of users behind the 95% intervals."""
    max_validation_queries: Positive | None = 20000
    """Queries ranked after each epoch, a fixed random subset. Null: all."""
    max_test_queries: Positive | None = None
    """Queries ranked at the end, of validation and of test, a fixed random subset each (the others are counted as
    dropped). Null: all; their number times that of the items is what an evaluation costs."""

    @model_validator(mode="before")
    @classmethod
    def _ten(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("k"), list | tuple) and 10 not in values["k"]:
            return {**values, "k": [*values["k"], 10]}
        return values
