"""Texts as a modality: tokens for an encoder that trains, or the cached outputs of a frozen backbone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.config import Config
from mmrec.data.content import ColumnContent
from mmrec.data.feature_store import FeatureStore, digest
from mmrec.data.learnt import arrays_to_bytes
from mmrec.data.shop_tables import Tables
from mmrec.data.tables import text_strings
from mmrec.errors import Faults
from mmrec.modalities.catalog_columns import catalog_column, column_field
from mmrec.modalities.fields import item_fields
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import TEXT
from mmrec.modalities.text.checks import TextChecks
from mmrec.modalities.text.config import TextConfig
from mmrec.modalities.text.features import TextFeatures
from mmrec.modalities.text.kept import text_encoder_to_bytes
from mmrec.modalities.text.latent_fit import fit_latent_text
from mmrec.modalities.text.pooled import PooledTextFeatures, pool_texts
from mmrec.modalities.text.reader import PooledTextReader, TextReader
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.progress import progress
from mmrec.registry import find
from mmrec.traced import traced

if TYPE_CHECKING:
    from tf_keras import layers

    from mmrec.modalities.text.latent import LatentText
    from mmrec.modalities.text.pretrained import PretrainedText

POOL_VERSION = "2"  # of how a backbone's outputs are pooled: a change here makes cached ones void


class TextModality(Modality):
    """The text columns, tokenised.

    Attributes:
      encoder: texts -> tokens.
      backbone: of `item.text.encoder: pretrained` and `latent`; else None.
    """

    name, Settings, checks = TEXT, TextConfig, TextChecks
    reserved = (TEXT,)

    @classmethod
    def require_settings(cls, config: Config) -> None:
        from mmrec.modalities.text.encoders import TEXT_ENCODERS

        find("text encoder", config.item.text.encoder, {"latent": None, "pretrained": None, **TEXT_ENCODERS})

    @classmethod
    def columns(cls, config: Config) -> Sequence[str]:
        return catalog_column(config, cls.name)

    @classmethod
    def read(cls, table: pd.DataFrame, rows: np.ndarray, config: Config, as_written: bool = False) -> ColumnContent:
        texts, faults = {}, Faults()
        for column in config.data.catalog.text:
            with faults.collected():
                texts[column] = text_strings(table, column, config.data.catalog.path)[rows]
        faults.raise_any()
        return ColumnContent(texts)

    @classmethod
    def fields(cls, config: Config, names: Mapping[str, Any], free: Callable[[str], str]) -> Iterator[schema.Field]:
        for column, trained in zip(config.data.catalog.text, names[cls.name], strict=True):
            wanted = cls.name if len(names[cls.name]) == 1 else free(trained)
            yield column_field(column, trained, cls.name, wanted, schema.TEXT_KIND)

    @classmethod
    def identity_files(cls, config: Config) -> Sequence[str]:
        return [path for path in (config.item.text.vocabulary, config.item.text.preset) if path]

    @classmethod
    def quick(cls, config: Config) -> bool:
        return config.item.text.encoder == "latent"

    @classmethod
    def notes(cls, config: Config) -> Sequence[str]:
        return [f"Texts are read up to {config.item.text.max_tokens} tokens per column, with the catalog's vocabulary."]

    def __init__(self, config: Config, tables: Tables):
        self._item, columns = config.item, tables.catalog.content[self.name].columns
        self.encoder = learn_text_encoder(config.item.text, columns)
        tokens = self.encoder([tf.constant(column.tolist(), tf.string) for column in columns.values()]).numpy()
        self._is_latent, self.backbone = config.item.text.encoder == "latent", None
        if self._is_latent:
            from mmrec.modalities.text.latent import LatentText

            words, read = len(self.encoder.vocabulary), config.item.text.latent_dim
            width = max(read, min(config.retrieval.neighbours, len(tokens), words))  # the matrix has no more directions
            self.backbone = LatentText(*fit_latent_text(tokens, words, width, config.seed, exact=read))
        elif config.item.text.encoder == "pretrained":
            from mmrec.modalities.text.pretrained import PretrainedText

            self.backbone = PretrainedText(config.item.text, self.encoder.width(len(columns)), config.seed)
        self.source = _pooled(config, self.backbone, tokens) if self._is_frozen else TextFeatures(tokens)
        self._names = {field.column: field.input for field in item_fields(config) if field.modality == self.name}

    @property
    def fitted_dim(self) -> int:
        """Values of an item's fitted texts, which neighbours search beside the towers; 0 without."""
        return self.source.values.shape[1] if self._is_latent else 0

    @property
    def _is_frozen(self) -> bool:
        return self._is_latent or (self.backbone is not None and self._item.text.trainable == "none")

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        return () if self.backbone is None else self.backbone.trainable_variables

    def tower(self) -> layers.Layer:
        from mmrec.modalities.text.latent import LatentTextTower
        from mmrec.modalities.text.pretrained import PooledTextTower, PretrainedTextTower
        from mmrec.modalities.text.tower import TextTower

        text, dim = self._item.text, self._item.dim
        if self._is_latent:
            return LatentTextTower(text, dim)
        if self._is_frozen:
            return PooledTextTower(text, *self.source.standardisation(), dim)
        if self.backbone is not None:
            return PretrainedTextTower(text, self.backbone, dim)
        return TextTower(text, len(self.encoder.vocabulary), dim)

    def learnt(self) -> dict[str, bytes]:
        if self.backbone is not None and not self._is_latent:  # its tokens are the preset's
            if not self._is_frozen:
                return {}
            mean, deviation = self.source.standardisation()
            return {"text.npz": arrays_to_bytes(mean=mean, deviation=deviation)}
        files = {"text.json": text_encoder_to_bytes(self.encoder)}
        if self.backbone is not None:
            table, rarity = self.backbone.table.numpy(), self.backbone.rarity.numpy()
            files["text.npz"] = arrays_to_bytes(table=table, rarity=rarity)
        return files

    def reader(self) -> TextReader:
        names = list(self._names.values())
        return (
            PooledTextReader(self.encoder, names, self.backbone) if self._is_frozen else TextReader(self.encoder, names)
        )


def _pooled(config: Config, backbone: LatentText | PretrainedText, tokens: np.ndarray) -> PooledTextFeatures:
    name = digest("texts", POOL_VERSION, backbone.digest()).hex()[:16]
    store = FeatureStore(Path(config.data.cache_dir) / f"texts-{name}", (backbone.feature_dim,))
    graph = traced(lambda tokens: backbone(tokens, training=False), [tf.TensorSpec([None, None], tf.int32)])
    read = config.item.text.latent_dim if config.item.text.encoder == "latent" else None
    return pool_texts(tokens, store, lambda some: graph(tf.constant(some)).numpy(), progress, trained=read)
