"""An export that a stock TensorFlow Serving could not run is not published."""

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import mmrec
from mmrec.config.query import QueryConfig
from mmrec.export.lint import lint_operations, operations
from mmrec.export.saved_model import write_version
from mmrec.towers.fusion_early import Sum
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.query import QueryTower
from tests.export.small import small_version


class CallsPython(MeanHistory):
    """A history tower as a user might write it."""

    def call(self, items, training=False):
        outputs = super().call(items, training=training)
        return tf.ensure_shape(tf.py_function(lambda values: values, [outputs], tf.float32), [None, None, 2])


def saved_model(folder, outside, inside=()):
    """Writes a SavedModel with these operations in the graph, and in a function that the graph calls."""
    model = saved_model_pb2.SavedModel()
    graph = model.meta_graphs.add().graph_def
    function = graph.library.function.add()
    function.signature.name = "mine"
    for name in (*outside, "mine"):
        graph.node.add(op=name)
    for name in inside:
        function.node_def.add(op=name)
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    return folder


def test_a_tower_that_calls_python_is_refused_and_nothing_is_published(tmp_path):
    tower = QueryTower(CallsPython(2, QueryConfig(dropout=0.0)), Sum(("item_id",), 2))
    tower(tf.zeros([1, 1, 2]))
    with pytest.raises(mmrec.InputError, match=r"Received: EagerPyFunc\. .*no `py_function`"):
        write_version(tmp_path, *small_version(query_tower=tower))
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    "name",
    ["PyFunc", "PyFuncStateless", "EagerPyFunc", "DecodeWebP", "TFText>RoundRobinTrim", "TFText>Utf8Binarize", "Mine"],
)
def test_operations_that_servers_lack_are_refused_in_the_graph_and_in_functions(tmp_path, name):
    with pytest.raises(mmrec.InputError, match=f"Received: {name}\\."):
        lint_operations(saved_model(tmp_path, ["MatMul", name]))
    with pytest.raises(mmrec.InputError, match=f"Received: {name}\\."):
        lint_operations(saved_model(tmp_path, ["MatMul"], ["TopKV2", name]))


def test_core_operations_tokenizers_and_calls_of_own_functions_pass(tmp_path):
    folder = saved_model(tmp_path, ["MatMul"], ["LookupTableFindV2", "FastWordpieceTokenizeWithOffsets", "TopKV2"])
    lint_operations(folder)
    assert operations(folder) == ["FastWordpieceTokenizeWithOffsets", "LookupTableFindV2", "MatMul", "TopKV2"]


def test_the_export_of_every_modality_holds_what_servers_have(tiny_export):
    assert {"TopKV2", "FastWordpieceTokenizeWithOffsets"} < set(operations(tiny_export.result.export_dir))
    lint_operations(tiny_export.result.export_dir)
