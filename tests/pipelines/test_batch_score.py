"""The pipeline of batch scoring."""

import pytest

import mmrec
from pipelines import batch_score

OPTIONS = ["shop/1", "--input", "users.parquet", "--output", "out", "--k", "5"]


def test_other_options_go_to_beam(monkeypatch):
    asked = []
    monkeypatch.setattr(mmrec, "score", lambda *places, **options: asked.append((places, options)) or {"rows": 3})
    beam = ["--runner=FlinkRunner", "--flink_master=host:8081", "--max_parallelism", "3"]
    assert batch_score.main([*OPTIONS, *beam]) == {"rows": 3}
    ((places, options),) = asked
    assert places == ()
    assert options["beam_options"] == beam
    assert {name: options[name] for name in ("export_dir", "input", "output", "task", "workers", "k")} == {
        "export_dir": "shop/1",
        "input": "users.parquet",
        "output": "out",
        "task": "recommend",
        "workers": 1,
        "k": 5,
    }


@pytest.mark.parametrize(
    ("beam", "message"),
    [
        (["--shard_row", "5"], "that Apache Beam knows. Did you mean `shard_rows`? Received: '--shard_row'. Correct"),
        (["--max_paralelism=3"], "Did you mean `max_parallelism`? Received: '--max_paralelism=3'."),
        (["--streaming", "5"], "Received: '5'."),
        (
            ["--runner=FlinkRunner", "--workers=2"],
            "`workers` sets up the local runner, and `beam_options` name another",
        ),
    ],
)
def test_what_beam_would_drop_is_refused_before_a_folder_is_made(tmp_path, monkeypatch, beam, message):
    pytest.importorskip("apache_beam")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(mmrec.InputError) as error:
        batch_score.main([*OPTIONS, *beam])
    assert message in str(error.value)
    assert list(tmp_path.iterdir()) == []
