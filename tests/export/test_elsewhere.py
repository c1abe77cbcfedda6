"""An export gives the same answers in processes without mmrec as here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from mmrec.export.saved_model import write_version
from mmrec.preprocess.images import decode_images
from tests.export.small import small_version

ROOT = Path(__file__).parents[2]
TOOLS = Path(os.environ.get("MMREC_TOOLS", ROOT / ".." / "shared" / "tools"))

FRESH = """
import json, sys
import tensorflow as tf
import tensorflow_text
signatures = tf.saved_model.load(sys.argv[1]).signatures
found = {}
for name, inputs in json.loads(sys.argv[2]).items():
    spec = signatures[name].structured_input_signature[1]
    answers = signatures[name](**{key: tf.constant(value, spec[key].dtype) for key, value in inputs.items()})
    found[name] = {key: value.numpy().astype(str if value.dtype == tf.string else float).tolist()
                   for key, value in answers.items()}
assert not any(name.split(".")[0] in ("mmrec", "tf_keras", "keras_nlp") for name in sys.modules)
print(json.dumps(found))
"""


def questions(ids):
    """Inputs of every signature."""
    chosen = {"include": [[""], [""]], "filter": [["category=mug"], [""]]}
    return {
        "serving_default": {"history": [[ids[3], ids[9]], ["", ""]]},
        "recommend": {"history": [[ids[3]], [""]], "k": [2, 4], "exclude": [[ids[5]], [""]], **chosen},
        "similar": {"item_id": [ids[8]], "k": [3]},
        "embed_query": {"history": [[ids[3], ids[9]]]},
        "embed_item": {"title": ["Red mug"], "description": [""], "image_bytes": ["no photo"], "item_id": [ids[2]]},
    }


def assert_answers(actual, tiny_export, asked):
    """Compares another process's answers with those here."""
    assert actual["embed_item"]["status"] == [1.0]
    for name, inputs in asked.items():
        for key, here in tiny_export.ask(name, **inputs).items():
            if key == "item_ids":
                assert actual[name][key] == here.astype(str).tolist()
            else:
                np.testing.assert_allclose(actual[name][key], here, atol=1e-5)


def test_a_process_without_mmrec_gets_the_same_answers(tiny_export, python):
    asked = questions(tiny_export.ids)
    argv = ["", str(tiny_export.result.export_dir), json.dumps(asked)]
    code, out, errors = python(f"import sys; sys.argv = {argv!r}\n{FRESH}")
    assert code == 0, errors[-3000:]
    assert_answers(json.loads(out.splitlines()[-1]), tiny_export, asked)


@pytest.mark.slow
def test_an_older_tensorflow_gives_the_same_answers(tiny_export, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path)], check=True)
    install = [tmp_path / "bin" / "pip", "install", "-q", "tensorflow==2.20.0", "tensorflow-text==2.20.1"]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        pytest.skip("TensorFlow 2.20 cannot be installed here")
    asked = questions(tiny_export.ids)
    command = [tmp_path / "bin" / "python", "-c", FRESH, str(tiny_export.result.export_dir), json.dumps(asked)]
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert_answers(json.loads(done.stdout.splitlines()[-1]), tiny_export, asked)


@pytest.mark.slow
def test_the_saved_model_command_line_asks_an_export(tmp_path):
    folder = write_version(tmp_path, *small_version())
    asked = "history=[['a', 'b']];k=[2];exclude=[['c']];include=[['']]"
    command = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", str(folder)]
    command += ["--tag_set", "serve", "--signature_def", "recommend", "--input_exprs", asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    expected = tf.saved_model.load(str(folder)).signatures["recommend"](
        history=tf.constant([["a", "b"]]), k=tf.constant([2]), exclude=tf.constant([["c"]]), include=tf.constant([[""]])
    )["item_ids"]
    assert set(expected.numpy()[0].tolist()) == {b"d", b"e"}
    assert f"Result for output key item_ids:\n{expected.numpy()}" in done.stdout


def test_tokens_and_pixels_of_a_reloaded_graph_are_those_of_training_bit_for_bit(tiny_export, tmp_path):
    catalog, encoder = tiny_export.tables.catalog, tiny_export.prepared.modalities["text"].encoder
    texts = [tf.constant(column.tolist()) for column in catalog.content["text"].columns.values()]
    photos = tf.constant([catalog.content["image"].photo(item) for item in range(len(catalog))])

    class Preprocessing(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)] * 3)
        def __call__(self, title, description, photo):
            return encoder([title, description]), *decode_images(photo, 32)

    module = Preprocessing()
    module.table = encoder.table
    tf.saved_model.save(module, str(tmp_path))
    tokens, pixels, readable = tf.saved_model.load(str(tmp_path))(*texts, photos)
    rows = np.arange(1, len(catalog) + 1)
    expected = tiny_export.prepared.features.sources["text"].rows(rows)["text_tokens"]
    np.testing.assert_array_equal(tokens[:, : expected.shape[1]], expected)
    assert not tokens[:, expected.shape[1] :].numpy().any()
    np.testing.assert_array_equal(pixels, tf.function(decode_images)(photos, 32)[0])
    np.testing.assert_array_equal(readable, tiny_export.prepared.features.sources["image"].places[1:, 0] >= 0)


@pytest.mark.slow
@pytest.mark.skipif(not (TOOLS / "native_loader.py").exists(), reason="native_loader.py is not under MMREC_TOOLS")
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_cpp_loader_gives_the_same_answers(tiny_export):
    command = [sys.executable, str(TOOLS / "native_loader.py"), str(tiny_export.result.export_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "all 5 signatures agree" in done.stdout
