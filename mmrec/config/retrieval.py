"""The config of the task: which candidates compete, and how scores become a loss."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mmrec.config.section import Positive, Section


class RetrievalConfig(Section):
    """The task: which candidates compete, and how scores become a loss."""

    loss: str = "softmax"
    """How scores become a loss: `softmax` (cross entropy), `bpr` (pairs of right and wrong), `gbce` (binary cross
    entropy), `cosine` (pairs and a margin), or your own class as `package.module:Class`."""
    calibration: Annotated[float, Field(ge=0.0, le=1.0)] = 0.75
    """Of `gbce`: 0 is plain binary cross entropy, 1 makes up for all items that do not compete."""
    margin: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    """Of `cosine`: wrong candidates are pushed until their scores are below this."""
    negatives: Literal["auto", "catalog", "in_batch", "mixed", "sampled"] = "auto"
    """What competes with the right answer: `catalog` (every item with training events: exact), `in_batch` (the right
    answers of the batch), `mixed` (these and `negative_samples` drawn at random), `sampled` (those drawn alone). `auto`
    is `catalog` for `softmax` where at most 50,000 items have training events and all modalities are quick to read
    (ids, attributes, ready features, `latent` texts), without `hard_negatives` and `memory`; else `in_batch`; training
    says which. With `catalog`, `softmax` never holds all scores of a step's Q queries and C items at once; other losses
    hold several arrays [Q, C]."""
    negative_samples: Positive = 1024
    """Items drawn per step for `mixed` (uniformly) and `sampled` (by `sampling_power`)."""
    sampling_power: Annotated[float, Field(ge=0.0, le=1.0)] = 0.75
    """Items are drawn for `sampled` in proportion to their training events to this power: 0 is uniformly."""
    hard_negatives: Annotated[int, Field(ge=0)] = 0
    """Hard negatives per query: the highest-scoring wrong items with training events, found among all of them by the
    item embeddings of every `training.refresh_steps` steps; no gradient flows into those. A step then scores its
    queries against all items once, in blocks. Not with `negatives: catalog`."""
    memory: Annotated[int, Field(ge=0)] = 0
    """Candidates of the last steps that compete again, as they were embedded then. With `negatives: in_batch` and
    `mixed`."""
    alignment: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight in the loss of finding an item's vector of one modality by that of another (at temperature 0.07), among
    the items of a step (with `negatives: catalog`, its right answers). It needs two modalities. 0: none."""
    similarity: Literal["cosine", "dot"] = "cosine"
    """How query and item are compared: by the cosine, or by the dot product, in which items may differ in length."""
    neighbours: Annotated[int, Field(ge=0)] = 0
    """Width of the block of item-kNN factors that is put beside the embedding of a trained model, and beside `latent`
    texts that of their vectors (at least `latent_dim`), both weighed on validation; 0: none; at most one for each item.
    The first 512 directions, or the first half if that is more, are singular vectors; the others are random, which
    keeps what is rare. It needs the modality `item_id`."""
    temperature: Annotated[float, Field(gt=0.0)] | None = None
    """Divides the scores before the loss. Null: 0.07 for the similarity `cosine`, 1 for `dot` and
    for the loss `cosine`."""
    learn_temperature: bool = False
    """Whether the temperature is learnt, starting there."""
    logq_correction: bool | None = None
    """Subtract the log probability that a candidate competes, so that popular items are not pushed down. Null: not for
    the losses `gbce` and `cosine`, which do not compare candidates with each other. Nothing to correct with
    `negatives: catalog`."""
    remove_accidental_hits: bool = True
    """Never use a user's other positives as that user's negatives. Not with `negatives: catalog`."""
    repeat_consumption: bool = False
    """Whether items of the history may be recommended again, in evaluation and in the export."""

    def decided(self, whole_catalog: bool) -> RetrievalConfig:
        """Returns the task with a value in the place of each `auto` and null.

        Args:
          whole_catalog: whether `negatives: auto` is `catalog`; else it is `in_batch`.
        """
        values: dict[str, Any] = {}
        if self.negatives == "auto":
            values["negatives"] = "catalog" if whole_catalog else "in_batch"
        if self.temperature is None:
            values["temperature"] = 0.07 if self.similarity == "cosine" and self.loss != "cosine" else 1.0
        if self.logq_correction is None:
            values["logq_correction"] = self.loss not in ("gbce", "cosine")
        return self.model_copy(update=values)

    @model_validator(mode="after")
    def _further_candidates(self) -> RetrievalConfig:
        if self.hard_negatives and self.negatives == "catalog":
            raise ValueError(
                "`hard_negatives` compete already with `negatives: catalog`. Set it to 0, or `negatives` to another"
            )
        if self.memory and self.negatives in ("catalog", "sampled"):
            raise ValueError(
                f"`memory` needs `negatives: in_batch` or `mixed`, not `{self.negatives}`. Set `memory` to 0"
            )
        return self
