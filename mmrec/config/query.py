"""The config of the query side."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmrec.config.section import Fraction, Positive, Section


class QueryConfig(Section):
    """The query side: how a user's history becomes a query embedding."""

    history: str = "lstm"
    """History tower: `lstm`, `gru`, `transformer` (causal self-attention), `mean` (of the item embeddings so far), or
    your own class as `package.module:Class`."""
    max_length: Positive = 50
    """Largest number of items read from a history: the most recent ones."""
    dropout: Fraction = 0.1
    """Share of the tower's input values dropped in training; in `transformer` also of the attention weights and of each
    sublayer's output."""
    layers: Annotated[int, Field(ge=1, le=12)] = 2
    """Number of `transformer` blocks."""
    heads: Annotated[int, Field(ge=1, le=16)] = 1
    """Number of attention heads in a `transformer` block."""
    context: tuple[Literal["time_gap", "event"], ...] = ()
    """What is read of a history beside its items. `time_gap`: the time between each item and the one before it, and
    between the last item and the query, in powers of two of the median gap in training (so the unit of the timestamps
    does not matter). `event`: the type of each event."""
    context_dropout: Fraction = 0.1
    """Share of the histories in a training step from which an input of `context` is hidden, drawn separately for each
    input and for the user's attributes, so that the model also answers where they are unknown."""
