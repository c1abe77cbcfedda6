"""What mmrec changes in the process that it runs in, and what it tolerates there."""

import os
import sys
from types import SimpleNamespace

import pytest

import mmrec
from mmrec import process
from mmrec.export.saved_model import write_version
from tests.export.small import small_version

ASKED = """
import os, sys
import tensorflow, keras
from tensorflow.keras import Model
before = dict(os.environ)
import mmrec
shop = mmrec.load(os.environ["EXPORT"])
print(len(shop.recommend([[]], k=3).item_ids[0]), len(shop.embed_items(shop.items.head(2))))
for name in mmrec.__all__:
    if name not in ("train", "TrainResult", "tune", "TuneResult", "check", "CheckReport"):
        getattr(mmrec, name)
loaded = {"tf_keras", "tensorflow_text", "tensorflow_recommenders"} & set(sys.modules)
print(*sorted(loaded), dict(os.environ) == before)
print(tensorflow.keras.__version__[0], tensorflow.keras.Model is Model)
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An export of five items known by their id."""
    return write_version(tmp_path_factory.mktemp("small"), *small_version())


@pytest.fixture
def loaded(monkeypatch):
    """Returns `loaded(keras)`: from then on TensorFlow counts as imported, with that for `tf.keras`."""
    monkeypatch.delenv(process.LEGACY_KERAS)

    def load(keras):
        monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(keras=keras))

    return load


def test_an_export_with_texts_is_asked_where_keras_3_runs_and_nothing_of_the_process_changes(tiny_export, python):
    code, out, message = python(ASKED, EXPORT=str(tiny_export.result.export_dir), TF_CPP_MIN_LOG_LEVEL="2")
    assert (code, out) == (0, "3 2\nTrue\n3 True\n"), message


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        "import mmrec",
        "import tensorflow, keras; keras.Sequential()",
        "import os, mmrec; mmrec.load(os.environ['EXPORT']).recommend([[]])",
    ],
)
def test_training_chooses_keras_2_as_long_as_tensorflow_has_no_keras(tiny_export, python, first):
    then = "import mmrec; mmrec.train; import tensorflow as tf, tf_keras; print(tf.keras.Model is tf_keras.Model)"
    code, out, message = python(f"{first}; {then}", EXPORT=str(tiny_export.result.export_dir))
    assert (code, out) == (0, "True\n"), message


def test_training_where_tensorflow_runs_keras_3_is_refused_with_the_remedy(loaded):
    loaded(SimpleNamespace(version=lambda: "3.15.1"))
    with pytest.raises(ImportError) as error:
        process.use_keras_2()
    assert str(error.value) == (
        "mmrec trains with TensorFlow Recommenders, which needs Keras 2, and TensorFlow runs Keras 3 in this process. "
        "Set the environment variable TF_USE_LEGACY_KERAS=1 before `tf.keras` is first used, or train in another "
        "process. To load and ask an export, either Keras will do."
    )
    assert process.LEGACY_KERAS not in os.environ


def test_training_where_tensorflow_runs_keras_2_or_none_yet_is_fine(loaded):
    loaded(SimpleNamespace(Model=object))
    process.use_keras_2()
    assert os.environ[process.LEGACY_KERAS] == "1"


@pytest.mark.parametrize("name", ["train", "TrainResult", "tune", "check"])
def test_what_trains_asks_for_keras_2_when_it_is_first_used(loaded, monkeypatch, name):
    loaded(SimpleNamespace(version=lambda: "3.15.1"))
    monkeypatch.delitem(vars(mmrec), name, raising=False)
    with pytest.raises(ImportError, match="needs Keras 2"):
        getattr(mmrec, name)


@pytest.mark.slow
def test_tensorflow_is_imported_without_its_notes_and_what_else_is_written_is_kept(python):
    code = "import os; from mmrec.process import _without_notes\nwith _without_notes(): {}"
    write = "os.write(2, b'I0000 00:00:1.5 1 port.cc:153] oneDNN\\nours\\nWARNING: All log messages before absl::I')"
    assert python(code.format(write)) == (0, "", "ours\n")
    assert python(code.format("os.close(2)"))[:2] == (0, "")
    code, _, message = python("import mmrec; mmrec.load; import tensorflow as tf; tf.constant([1.0])")
    assert (code, message) == (0, "")


@pytest.mark.slow
def test_a_log_level_of_the_users_own_counts(python):
    code, _, message = python("import mmrec; mmrec.load", TF_CPP_MIN_LOG_LEVEL="0")
    assert code == 0
    assert "cpu_feature_guard" in message


FORKED = """
import os, sys, traceback
import mmrec

def child(act):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        act()
        print("fine", flush=True)
    except BaseException as error:
        print(type(error).__name__, str(error)[:32], flush=True)
    finally:
        os._exit(0)

export = os.environ["EXPORT"]
mmrec.load
child(lambda: mmrec.load(export).recommend([["a"]]))  # the parent has only imported TensorFlow
shop = mmrec.load(export)
for act in (
    lambda: shop.recommend([["a"]]),
    lambda: shop.similar(["a"]),
    lambda: shop.embed_queries([["a"]]),
    lambda: shop.embed_items(shop.items),
    lambda: shop.item_table,
    lambda: shop.call("similar", {}),
    lambda: mmrec.load(export),
    lambda: mmrec.evaluate(export),
    lambda: mmrec.train(),
    lambda: child(lambda: shop.recommend([["a"]])),
):
    child(act)
print(shop.recommend([["a"]], k=1).item_ids.tolist())
"""


def test_a_forked_child_of_a_process_that_loaded_an_export_is_told_so_at_once(small, python):
    code, out, message = python(FORKED, EXPORT=str(small))
    assert code == 0, message
    refused = "RuntimeError mmrec ran TensorFlow before this"
    answered = mmrec.load(small).recommend([["a"]], k=1).item_ids.tolist()
    assert out.splitlines() == ["fine", *[refused] * 10, "fine", str(answered)]


def test_the_message_of_a_forked_child_says_what_to_do(monkeypatch):
    monkeypatch.setattr(process, "_user", os.getpid() + 1)
    with pytest.raises(RuntimeError) as error:
        process.refuse_fork()
    assert str(error.value) == (
        "mmrec ran TensorFlow before this process was forked, and TensorFlow does not work in a forked child. Load the "
        "export in each worker and not in their parent (gunicorn: without --preload, or in `post_fork`), or start the "
        'workers with `multiprocessing.get_context("spawn")`.'
    )
