"""The config: one frozen, typed tree that says everything a run depends on.

Every field has its meaning and unit in the text under it; the same texts make the JSON schema (`Config.json_schema`).
Build one from a YAML file, a dict or keyword arguments with `Config.load`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from mmrec.config_data import SAMPLE_ITEMS, DataConfig
from mmrec.config_item import ItemConfig
from mmrec.config_problems import explain
from mmrec.config_section import Fraction, LocalPath, Positive, Section
from mmrec.config_source import read_values
from mmrec.errors import InputError

DATA_PATHS = (
    "data.catalog.path",
    "data.catalog.image_dir",
    "data.catalog.audio_dir",
    "data.interactions.path",
    "data.users.path",
    "data.tfds_dir",
    "item.image.weights",
    "item.text.vocabulary",
    "item.text.preset",
)
RESULT_PATHS = ("runs_dir", "saved_models_dir", "data.cache_dir")


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

    @property
    def start_temperature(self) -> float:
        """The temperature, or what stands for null."""
        by_default = 0.07 if self.similarity == "cosine" and self.loss != "cosine" else 1.0
        return self.temperature or by_default

    @property
    def corrects_popularity(self) -> bool:
        """Whether there is a logQ correction, or what stands for null."""
        return self.loss not in ("gbce", "cosine") if self.logq_correction is None else self.logq_correction

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
    tensorboard: bool = False
    """Write TensorBoard summaries to the run's `logs/`."""
    resume: bool = True
    """Continue an unfinished run with the same config and data instead of starting another."""


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


class ExportConfig(Section):
    """What the export answers by default."""

    k: Positive = 10
    """Answers per row of the signature `serving_default`."""
    index: Literal["exact", "ivf"] = "exact"
    """How answers are found: `exact` scores every item; `ivf` reads only the cells of a cut-up catalog that lie near
    the query, and misses some. It keeps embeddings twice, by item and by cell."""
    index_storage: Literal["float32", "float16", "int8"] = "float32"
    """How the export keeps item embeddings; histories read the same. `float16` takes half the bytes, `int8` a quarter
    and rounds so that some answers change: the manifest says how many of ten stay (`index`, `recall@10`)."""
    index_recall: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """Share of the K best items that `ivf` must find, over validation queries, K the larger of `k` and 10; it decides
    how many cells are read. Up to K answers the share is this or more. Answers that come later, as more are wanted or
    excluded ones come before, are fewer by at most 0.2 down to the `depth` in the manifest (`index`); beyond, the row
    is ranked exactly, which takes as long as `exact`."""


class Config(Section):
    """Everything a run depends on. `Config()` trains on the built-in sample shop."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")] = "sample_shop"
    """Name of the model: the folder of its runs and exports."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of everything random."""
    runs_dir: LocalPath = "runs"
    """Folder of the run folders: `<runs_dir>/<name>/<number>`."""
    saved_models_dir: LocalPath = "saved_models"
    """Folder of the exports: `<saved_models_dir>/<name>/<version>`."""
    data: DataConfig = DataConfig()
    item: ItemConfig = ItemConfig()
    query: QueryConfig = QueryConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()

    @model_validator(mode="after")
    def _modalities_to_align(self) -> Config:
        if self.retrieval.alignment and len(self.item.modalities) < 2:
            raise ValueError(
                f"`retrieval.alignment` needs at least two `item.modalities`, not {list(self.item.modalities)}. "
                "Set it to 0, or name another modality"
            )
        return self

    @model_validator(mode="after")
    def _own_catalog(self) -> Config:
        """Keeps what stands for absent keys, the sample shop, away from another catalog."""
        catalog, events = self.data.catalog, self.data.interactions
        if catalog.path == SAMPLE_ITEMS:
            return self
        if events and "path" not in events.model_fields_set:
            raise ValueError(
                "`data.interactions.path` must be given with `data.catalog.path`. Name your table of events, or set "
                "`data.interactions: null` if there is none"
            )
        if "text" in self.item.modalities and not catalog.text and "text" not in catalog.model_fields_set:
            raise ValueError(
                "`data.catalog.text` must be given with `data.catalog.path`. Name the text columns of your catalog, "
                "for example [title], or leave `text` out of `item.modalities`"
            )
        return self

    @model_validator(mode="after")
    def _context_has_its_columns(self) -> Config:
        events = self.data.interactions
        if "event" in self.query.context and not (events and events.event):
            raise ValueError("`query.context: [event]` needs a column: name it in `data.interactions.event`")
        if events is None:
            return self
        if events.negative_events and "event" not in self.query.context:
            raise ValueError(
                "`data.interactions.negative_events` would be read like positive ones: put `event` in `query.context`"
            )
        if events.negative_events and self.retrieval.neighbours:
            raise ValueError(
                "`retrieval.neighbours` takes all of a history as liked. Set it to 0, or leave "
                "`data.interactions.negative_events` empty"
            )
        return self

    @model_validator(mode="after")
    def _neighbours_by_id(self) -> Config:
        if self.retrieval.neighbours and "item_id" not in self.item.modalities:
            raise ValueError("`retrieval.neighbours` needs `item_id` among `item.modalities`")
        return self

    @property
    def leaves_out_history(self) -> bool:
        """Whether `recommend` leaves out the items of the history by itself."""
        events = self.data.interactions
        return (events is None or events.histories_are_seen) and not self.retrieval.repeat_consumption

    @classmethod
    def load(
        cls, source: Config | Mapping[str, Any] | str | os.PathLike[str] = MappingProxyType({}), /, **overrides: Any
    ) -> Config:
        """Reads a config and applies overrides.

        Relative paths of data start at the folder of the config file, whether they stand in it or in an override;
        without a file, at the working directory. Results always go below the working directory (`runs_dir`,
        `saved_models_dir`, `data.cache_dir`). In all of them `~` is the home folder.

        Args:
          source: a `Config`, a dict, or the path of a YAML or JSON file. In a file, and in paths everywhere,
            `${NAME:-default}` is replaced by the environment variable NAME. In a file no key may stand twice.
          **overrides: values by dotted key or nested dict, e.g. `name="x"`, `training={"epochs": 3}`,
            `**{"training.epochs": 3}`. They win over the source, and later ones over earlier ones.

        Returns:
          The checked config.

        Raises:
          InputError: naming the key, the rule, what was received and the nearest known key.

        >>> Config.load({"name": "mugs"}, training={"epochs": 3}).training.epochs
        3
        """
        where = str(source) if isinstance(source, str | os.PathLike) else "config"
        values = read_values(source, overrides, DATA_PATHS, RESULT_PATHS)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(*explain(cls, where, error.errors())) from None

    def to_yaml(self) -> str:
        """Returns the whole config, defaults included, as YAML that `load` reads back to an equal config."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)

    @classmethod
    def json_schema(cls) -> dict:
        """Returns the JSON schema (draft 2020-12) of the config file, for editors."""
        return cls.model_json_schema()
