"""How the model is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mmrec.config.section import Fraction, Positive, Section


class TrainingConfig(Section):
    """How the model is fitted."""

    epochs: Positive = 30
    """Most passes over the training histories."""
    batch_size: Positive = 256
    """Histories per step on average, over all devices (the global batch): every step has about as many queries, so one
    of long histories holds fewer of them."""
    optimizer: Literal["adam", "adagrad"] = "adam"
    """Optimiser; rows of the id and token tables are updated only when they occur (lazily)."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 2e-3
    """Peak learning rate."""
    backbone_learning_rate: Annotated[float, Field(gt=0.0)] = 1e-4
    """Peak learning rate of pretrained networks that train (image, text), on the same schedule."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """Course of the learning rate over `epochs`, after the warm-up."""
    warmup_fraction: Fraction = 0.05
    """Share of all steps in which the learning rate rises from 0."""
    clip_norm: Annotated[float, Field(gt=0.0)] | None = 1.0
    """Largest global norm of a step's gradients. Null: not clipped."""
    patience: Positive = 4
    """Epochs without a better validation NDCG@10 after which training stops."""
    images_per_step: Positive = 32
    """Photos per step that train the backbone when it is not frozen."""
    refresh_steps: Positive = 200
    """Steps of an epoch after which what follows the weights is computed anew: the features of all photos when the
    backbone is not frozen, and the item embeddings that `retrieval.hard_negatives` searches."""
    objectives: Mapping[Annotated[str, Field(pattern=":")], Annotated[float, Field(gt=0.0)]] = {}
    """Further terms of the loss: your own classes as `package.module:Class`, see `mmrec.models.objectives.objective`,
    and the weight of each."""
    tensorboard: bool = False
    """Write TensorBoard summaries to the run's `logs/`."""
    resume: bool = True
    """Continue an unfinished run with the same config and data instead of starting another."""
