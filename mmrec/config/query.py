"""The config of the query side."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmrec.config.section import Fraction, Positive, Section


class QueryConfig(Section):
    """The query side: what a user looked at."""

    history: str = "lstm"
    """History tower: `lstm`, `gru`, `transformer` (causal self-attention), `mean` (of the item embeddings so far), or
    your own class as `package.module:Class`."""
    max_length: Positive = 50
    """Most recent items of a history that are read."""
    dropout: Fraction = 0.1
    """Share of the tower's inputs (of `transformer`, also of what each part adds) dropped in training."""
    layers: Annotated[int, Field(ge=1, le=12)] = 2
    """Blocks of `transformer`, one upon the other."""
    heads: Annotated[int, Field(ge=1, le=16)] = 1
    """Attention heads of `transformer`."""
    context: tuple[Literal["time_gap", "event"], ...] = ()
    """What is read of a history beside its items: `time_gap` (how long after the item before it each one came, and how
    long after the last one the question is asked, by powers of two of the median gap in training, so that the unit of
    the timestamps does not matter), `event` (each one's event type)."""
    context_dropout: Fraction = 0.1
    """Share of the histories of which a step of training hides each of these and the user's attributes, so that the
    model also answers where they are not known."""
