import json

import pytest

import mmrec
from tests.jobs.worlds import write_groups


@pytest.mark.slow
def test_a_late_fusion_is_trained_exported_and_its_weights_are_reported(tmp_path):
    config = write_groups(tmp_path)
    config["item"] |= {"modalities": ["text", "item_id"], "fusion": "late"}
    result = mmrec.train(config)  # the export is compared with the model before it gets its name
    assert result.metrics["test"]["recall@10"] > 0.95
    weights = json.loads((result.run_dir / "metrics.json").read_text())["fusion"]
    assert list(weights) == ["text", "item_id"]
    assert sum(weights.values()) == pytest.approx(1)
    assert mmrec.load(result.export_dir).item_table.shape[1] == 2 * config["item"]["dim"]
