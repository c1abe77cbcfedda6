"""Texts as a modality: tokens for an encoder that trains, or the cached outputs of a frozen backbone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tf_keras import layers

from mmrec import schema
from mmrec.config import Config
from mmrec.data.feature_store import FeatureStore, digest
from mmrec.data.learnt import arrays_to_bytes
from mmrec.data.shop_tables import Tables
from mmrec.modalities.modality import Modality
from mmrec.modalities.text.features import TextFeatures
from mmrec.modalities.text.kept import text_encoder_to_bytes
from mmrec.modalities.text.latent import LatentText, LatentTextTower
from mmrec.modalities.text.latent_fit import fit_latent_text
from mmrec.modalities.text.pooled import PooledTextFeatures, pool_texts
from mmrec.modalities.text.pretrained import PooledTextTower, PretrainedText, PretrainedTextTower
from mmrec.modalities.text.reader import PooledTextReader, TextReader
from mmrec.modalities.text.tower import TextTower
from mmrec.modalities.text.vocabulary import learn_text_encoder
from mmrec.progress import progress
from mmrec.traced import traced

POOL_VERSION = "2"  # of how a backbone's outputs are pooled: a change here makes cached ones void


class TextModality(Modality):
    """The text columns, tokenised.

    Attributes:
      encoder: texts -> tokens.
      backbone: of `item.text.encoder: pretrained` and `latent`; else None.
    """

    def __init__(self, config: Config, tables: Tables):
        self._item, columns = config.item, tables.catalog.text
        self.encoder = learn_text_encoder(config.item.text, columns)
        tokens = self.encoder([tf.constant(column.tolist(), tf.string) for column in columns.values()]).numpy()
        self.backbone = None
        if config.item.text.encoder == "latent":
            words, read = len(self.encoder.vocabulary), config.item.text.latent_dim
            width = max(read, min(config.retrieval.neighbours, len(tokens), words))  # the matrix has no more directions
            self.backbone = LatentText(*fit_latent_text(tokens, words, width, config.seed, exact=read))
        elif config.item.text.encoder == "pretrained":
            self.backbone = PretrainedText(config.item.text, self.encoder.width(len(columns)), config.seed)
        self.source = _pooled(config, self.backbone, tokens) if self._is_frozen else TextFeatures(tokens)
        fields = schema.item_fields(config.item.modalities, config.data.catalog.model_dump())
        self._names = {field.column: field.input for field in fields if field.modality == schema.TEXT}

    @property
    def _is_frozen(self) -> bool:
        return isinstance(self.backbone, LatentText) or (
            self.backbone is not None and self._item.text.trainable == "none"
        )

    @property
    def pretrained_variables(self) -> Sequence[tf.Variable]:
        return () if self.backbone is None else self.backbone.trainable_variables

    def tower(self) -> layers.Layer:
        text, dim = self._item.text, self._item.dim
        if isinstance(self.backbone, LatentText):
            return LatentTextTower(text, dim)
        if self._is_frozen:
            return PooledTextTower(text, *self.source.standardisation(), dim)
        if self.backbone is not None:
            return PretrainedTextTower(text, self.backbone, dim)
        return TextTower(text, len(self.encoder.vocabulary), dim)

    def learnt(self) -> dict[str, bytes]:
        if isinstance(self.backbone, PretrainedText):  # its tokens are the preset's
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
    read = config.item.text.latent_dim if isinstance(backbone, LatentText) else None
    return pool_texts(tokens, store, lambda some: graph(tf.constant(some)).numpy(), progress, trained=read)
