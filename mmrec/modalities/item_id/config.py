"""The config of the item-id tower."""

from __future__ import annotations

from typing import Literal

from mmrec.config.section import Fraction, Section


class ItemIdConfig(Section):
    """The item-id tower."""

    dropout: Fraction = 0.3
    """Share of the items per step whose id is hidden, so that their content must answer for them; never of an item
    that has nothing else."""
    mapping: bool = True
    """Whether an item without training events gets an id vector, too, mapped from its other modalities by a ridge
    regression after training. It may cost other answers 2% of their NDCG@10 where a tenth of the items are such;
    what does not help on validation is left out."""
    initial: Literal["auto", "random", "neighbours"] = "auto"
    """What the vectors start from: `random`, or `neighbours`, factors of the similarities of item-kNN on the training
    events, so that items that were taken near each other begin near each other. `auto` is `neighbours` where at most
    50,000 items have training events. Where the factors hardly tell items apart, as in a shop of a few, they are
    random."""
