"""A model that reads everything at once answers through the C++ loader, and in mmrec, as it does in training."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import mmrec
from tests.export.test_elsewhere import TOOLS
from tests.presets import bert_preset

EVERYTHING = {
    "item.modalities": ["image", "text", "audio", "attributes", "item_id"],
    "item.dim": 8,
    "item.image": {"size": 32, "weights": None, "backbone": "mobilenetv2", "max_photos": 2},
    "item.text.vocabulary_size": 400,
    "item.audio": {"rate": 8000, "seconds": 0.5, "channels": 8},
    "data.catalog.audio": "audio",
    "data.catalog.attributes": {"category": "category", "price": "price"},
    "training.epochs": 1,
    "evaluation.bootstrap_samples": 20,
}
WAYS = {
    "sentencepiece": {"item.fusion": "late", "item.text.tokenizer": "sentencepiece", "item.text.encoder": "gru"},
    "bytepair": {"item.fusion": "gated", "item.text.tokenizer": "bytepair", "item.text.encoder": "convolutional"},
    "pretrained": {"item.fusion": "late_per_query", "item.text.encoder": "pretrained", "item.text.max_tokens": 8},
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_reads_everything_answers_everywhere_as_in_training(way, tmp_path):
    path = mmrec.write_sample_shop(tmp_path / "shop", "tiny")
    catalog = tmp_path / "shop" / "catalog.csv"
    table = pd.read_csv(catalog, keep_default_na=False)
    both = zip(table["image"], np.roll(table["image"], 1), strict=True)
    table["image"] = [json.dumps([photo for photo in photos if photo]) for photos in both]
    table.to_csv(catalog, index=False)
    folders = {"runs_dir": tmp_path / "runs", "saved_models_dir": tmp_path / "models", "data.cache_dir": tmp_path / "c"}
    folders = {key: str(folder) for key, folder in folders.items()}
    preset = {"item.text.preset": bert_preset(tmp_path / "preset")} if way == "pretrained" else {}
    result = mmrec.train(path, **folders, **EVERYTHING, **WAYS[way] | preset)

    shop = mmrec.load(result.export_dir)
    rows = table.set_index("item_id").loc[shop.items["item_id"][:9]].reset_index()
    for column in ("image", "audio"):
        rows[column] = [_absolute(tmp_path / "shop", value) for value in rows[column]]
    np.testing.assert_allclose(shop.embed_items(rows), shop.item_table[1:10], atol=1e-4)

    if (TOOLS / "native_loader.py").exists() and shutil.which("g++"):
        command = [sys.executable, str(TOOLS / "native_loader.py"), str(result.export_dir)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr[-3000:]
        assert "all 5 signatures agree" in done.stdout


def _absolute(folder, value):
    """Returns the paths of a cell below the folder: a list where it is one, None for an empty cell."""
    if value.startswith("["):
        return [str(folder / path) for path in json.loads(value)]
    return str(folder / value) if value else None
