"""How the model is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mmrec.config.section import Fraction, Positive, Section


class TrainingConfig(Section):
    """How the model is fitted."""

    epochs: Positive = 30
    """Largest number of passes over the training histories."""
    batch_size: Positive = 256
    """Mean number of histories per step, over all devices (the global batch). Every step has about the same number of
    queries, so a step with long histories has fewer of them."""
    optimizer: Literal["adam", "adagrad"] = "adam"
    """Optimiser. Rows of the id and token tables are updated only in the steps that use them (lazily)."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 2e-3
    """Peak learning rate."""
    backbone_learning_rate: Annotated[float, Field(gt=0.0)] = 1e-4
    """Peak learning rate of pretrained networks (image, text) that are trained, on the same schedule."""
    schedule: Literal["constant", "cosine"] = "cosine"
    """Learning rate after the warm-up: `constant`, or `cosine`, which falls to 0 over the rest of the `epochs`."""
    warmup_fraction: Fraction = 0.05
    """Share of all steps over which the learning rate rises from 0 to its peak."""
    clip_norm: Annotated[float, Field(gt=0.0)] | None = 1.0
    """Largest global norm of a step's gradients; longer ones are scaled down to it. Null: no clipping."""
    patience: Positive = 4
    """Number of epochs without a better validation NDCG@10 after which training stops."""
    images_per_step: Positive = 32
    """Number of photos per step that the backbone is trained on when it is not frozen."""
    refresh_steps: Positive = 200
    """Number of steps after which results that depend on the weights are recomputed: the features of all photos if the
    backbone is not frozen, and the item embeddings that `retrieval.hard_negatives` searches. This is also done at the
    end of each epoch."""
    objectives: Mapping[Annotated[str, Field(pattern=":")], Annotated[float, Field(gt=0.0)]] = {}
    """Further terms of the loss and their weights: your own classes as `package.module:Class`, see
    `mmrec.models.objectives.objective`."""
    tensorboard: bool = False
    """Whether to write TensorBoard summaries to the run's `logs/`."""
    resume: bool = True
    """Whether to continue an unfinished run with the same config and data instead of starting a new one."""
