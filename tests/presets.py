"""Tiny keras-nlp presets, written to a folder."""

import keras
import keras_nlp

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "coat", "##s", "blue", "mug", "tea", "a"]


def bert_preset(folder, length=32):
    """Writes a BERT of two layers, 16 wide, and returns the folder."""
    keras.utils.set_random_seed(1)
    backbone = keras_nlp.models.BertBackbone(
        vocabulary_size=len(VOCABULARY),
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=length,
    )
    backbone.save_to_preset(str(folder))
    keras_nlp.models.BertTokenizer(VOCABULARY, lowercase=True).save_to_preset(str(folder))
    return str(folder)
