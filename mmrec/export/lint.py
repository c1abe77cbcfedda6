"""Refuses operations that a stock TensorFlow Serving lacks: it would load the export, and then fail to answer."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from mmrec.errors import InputError

_TOKENIZERS = frozenset(  # linked into every TensorFlow Serving: WordPiece, BytePair, SentencePiece
    {
        "WordpieceTokenizeWithOffsets",
        "FastWordpieceTokenizeWithOffsets",
        "TFText>WhitespaceTokenizeWithOffsetsV2",
        "RegexSplitWithOffsets",
        "SentencepieceOp",
        "SentencepieceTokenizeOp",
        "SentencepieceTokenizeWithOffsetsOp",
    }
)
_ONLY_HERE = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})  # they name a function of this process
_TOO_NEW = frozenset({"DecodeWebP"})  # core TensorFlow, but not before 2.20
_RUNTIME = frozenset({"_Arg", "_Retval"})


def lint_operations(folder: Path) -> list[str]:
    """Checks every operation of a written SavedModel, including those inside functions.

    Args:
      folder: the folder of `saved_model.pb`.

    Returns:
      The packages beside TensorFlow that define some of its operations; Python has to register them before loading.

    Raises:
      InputError: an operation is neither core TensorFlow nor a tokenizer of tf-text; the message names all of them.
    """
    used = operations(folder)
    refused = [name for name in used if not _is_stock(name)]
    if refused:
        raise InputError(
            "an export must hold operations of core TensorFlow and tokenizers of tf-text only, which every TensorFlow "
            f"Serving has. Received: {', '.join(refused)}. Write the layer that uses them with core operations (no "
            "`py_function`, no custom operation)."
        )
    return ["tensorflow_text"] if _TOKENIZERS & {*used} else []


def operations(folder: Path) -> list[str]:
    """Returns the names of all operations of a SavedModel, sorted, without calls of its own functions."""
    model = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    used = set()
    for meta in model.meta_graphs:
        library = meta.graph_def.library.function
        nodes = [*meta.graph_def.node, *(node for function in library for node in function.node_def)]
        used |= {node.op for node in nodes} - {function.signature.name for function in library}
    return sorted(used)


def _is_stock(name: str) -> bool:
    if name in _ONLY_HERE or name in _TOO_NEW:
        return False
    # `tf.raw_ops` lists core TensorFlow only, whatever other libraries this process has loaded.
    return name in _TOKENIZERS or name in _RUNTIME or hasattr(tf.raw_ops, name)
