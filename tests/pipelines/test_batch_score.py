"""The pipeline of batch scoring."""

import mmrec
from pipelines import batch_score


def test_what_is_not_known_goes_to_beam(monkeypatch):
    asked = []
    monkeypatch.setattr(mmrec, "score", lambda *places, **options: asked.append((places, options)) or {"rows": 3})
    given = ["shop/1", "--input", "users.parquet", "--output", "out", "--workers", "2", "--k", "5"]
    beam = ["--runner=FlinkRunner", "--flink_master=host:8081", "--work", "3"]
    assert batch_score.main([*given, *beam]) == {"rows": 3}
    ((places, options),) = asked
    assert places == ()
    assert options["beam_options"] == beam
    assert {name: options[name] for name in ("export_dir", "input", "output", "task", "workers", "k")} == {
        "export_dir": "shop/1",
        "input": "users.parquet",
        "output": "out",
        "task": "recommend",
        "workers": 2,
        "k": 5,
    }
