"""The config of the training task: which candidates compete, and how scores become a loss."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mmrec.config.section import Positive, Section


class RetrievalConfig(Section):
    """The training task: which candidates compete, and how scores become a loss."""

    loss: str = "softmax"
    """How scores become a loss: `softmax` (cross entropy), `bpr` (pairs of a right and a wrong item), `gbce`
    (generalised binary cross entropy), `cosine` (pairs with a margin), or your own class as `package.module:Class`."""
    calibration: Annotated[float, Field(ge=0.0, le=1.0)] = 0.75
    """Only for `gbce`: 0 is plain binary cross entropy; 1 corrects in full for the items that do not compete."""
    margin: Annotated[float, Field(ge=-1.0, le=1.0)] = 0.0
    """Only for `cosine`: wrong candidates are pushed away until their scores are below this."""
    negatives: Literal["auto", "catalog", "in_batch", "mixed", "sampled"] = "auto"
    """Which items compete with the right answer. `catalog`: every item with training events, so the loss is exact.
    `in_batch`: the right answers of the batch. `mixed`: these, and `negative_samples` items drawn at random. `sampled`:
    only items drawn at random. `auto` is `catalog` if the loss is `softmax`, at most 50,000 items have training events,
    all modalities are quick to read (ids, attributes, ready-made features, `latent` texts), and `hard_negatives` and
    `memory` are 0; else it is `in_batch`. Training says which. With `catalog`, `softmax` never holds all scores of a
    step's Q queries and C items at once; other losses hold several arrays [Q, C]."""
    negative_samples: Positive = 1024
    """Number of items drawn per step: for `mixed` uniformly, for `sampled` by `sampling_power`."""
    sampling_power: Annotated[float, Field(ge=0.0, le=1.0)] = 0.75
    """For `sampled`, an item is drawn in proportion to the number of its training events, raised to this power; 0 draws
    uniformly."""
    hard_negatives: Annotated[int, Field(ge=0)] = 0
    """Number of hard negatives per query: the wrong items with the highest scores, out of all items with training
    events. They are searched with item embeddings that are recomputed every `training.refresh_steps` steps and get no
    gradient. Each step then scores its queries against all items once, in blocks. Not with `negatives: catalog`."""
    memory: Annotated[int, Field(ge=0)] = 0
    """Number of candidates of earlier steps that compete again, with the embeddings that they had then. Only with
    `negatives: in_batch` and `mixed`."""
    alignment: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight of a further loss that aligns the modalities: an item's vector of one modality must find its vector of
    another (at temperature 0.07) among the items of the step (with `negatives: catalog`, among its right answers). It
    needs two modalities. 0: no such loss."""
    similarity: Literal["cosine", "dot"] = "cosine"
    """How query and item are compared: by the cosine, or by the dot product, where the length of an item's vector
    counts too."""
    neighbours: Annotated[int, Field(ge=0)] = 0
    """Number of item-kNN factors that are appended to the embeddings after training. With `latent` texts, their vectors
    (at least `latent_dim` numbers) are appended as well. How much each block counts is chosen on validation. 0: none.
    At most one factor per item is used. The first 512 factors, or the first half if that is more, come from singular
    vectors, the others from random directions, which preserve what is rare. Needs the modality `item_id`."""
    temperature: Annotated[float, Field(gt=0.0)] | None = None
    """Scores are divided by it before the loss. Null: 0.07 for the similarity `cosine`; 1 for `dot`, and for the loss
    `cosine`."""
    learn_temperature: bool = False
    """Whether the temperature is learnt, starting from `temperature`."""
    logq_correction: bool | None = None
    """Whether the log probability that a candidate competes is subtracted from its score, so that popular items are not
    pushed down. Null: yes, except for the losses `gbce` and `cosine`, which do not compare candidates with each other.
    Without effect with `negatives: catalog`."""
    remove_accidental_hits: bool = True
    """Whether a user's other positives are never used as negatives for that user. Without effect with `negatives:
    catalog`."""
    repeat_consumption: bool = False
    """Whether items of the history may be recommended again, in evaluation and in the export."""

    def decided(self, whole_catalog: bool) -> RetrievalConfig:
        """Returns the section with a value in place of each `auto` and null.

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
                "`hard_negatives` compete already with `negatives: catalog`. Set it to 0, or choose other `negatives`"
            )
        if self.memory and self.negatives in ("catalog", "sampled"):
            raise ValueError(
                f"`memory` needs `negatives: in_batch` or `mixed`, not `{self.negatives}`. Set `memory` to 0"
            )
        return self
