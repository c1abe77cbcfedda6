"""Tests the trials of a search without any training: how values are drawn, and trials pruned, stored and shown."""

from mmrec.config import Config
from mmrec.reports.trials import trials_text
from mmrec.tuning.space import Range, read_space
from mmrec.tuning.study import Study

SPACE = {
    "training.learning_rate": {"low": 1e-5, "high": 0.03, "log": True},
    "item.modalities": [["item_id"], ["text", "item_id"]],
}


def test_draws_depend_only_on_the_seed_and_the_trials_that_have_ended(tmp_path):
    space = read_space(SPACE, Config())

    def draw(name, breaks):
        (tmp_path / name).mkdir()
        study, drawn = Study(tmp_path / name, space, seed=3), []
        for number in range(14):  # more than TPE draws at random
            trial, values = study.ask()
            if number in breaks:
                study = Study(tmp_path / name, space, seed=3)
                assert len(study.done) == number
                trial, again = study.ask()
                assert again == values
            study.tell(trial, [values["training.learning_rate"]])
            drawn.append(values)
        return drawn

    whole = draw("whole", ())
    assert draw("broken", (0, 5, 12, 13)) == whole
    assert len({values["training.learning_rate"] for values in whole}) == 14


def test_a_trial_below_the_median_of_four_others_should_stop_after_its_second_epoch(tmp_path):
    study = Study(tmp_path, read_space(SPACE, Config()), seed=0)
    for value in (0.1, 0.2, 0.3, 0.4):
        trial, _ = study.ask()
        trial.report(value, 1)
        trial.report(value, 2)
        assert not trial.should_prune()
        study.tell(trial, [value, value])
    worse, _ = study.ask()
    worse.report(0.2, 1)
    assert not worse.should_prune()
    worse.report(0.24, 2)
    assert worse.should_prune()
    study.tell(worse, [0.2, 0.24], "worse than the median")
    better, _ = study.ask()
    better.report(0.1, 1)
    better.report(0.26, 2)
    assert not better.should_prune()


def test_a_journal_cut_within_its_last_line_is_continued(tmp_path):
    space = read_space(SPACE, Config())
    study = Study(tmp_path, space, seed=0)
    for value in (0.1, 0.2):
        study.tell(study.ask()[0], [value])
    journal = tmp_path / "journal"
    journal.write_bytes(journal.read_bytes()[:-9])  # the end of the second trial
    (tmp_path / "journal.lock").symlink_to(journal)
    again = Study(tmp_path, space, seed=0)
    assert [trial.value for trial in again.done] == [0.1]
    again.tell(again.ask()[0], [0.3])
    assert [trial.value for trial in Study(tmp_path, space, seed=0).done] == [0.1, 0.3]


def test_a_range_has_the_number_type_of_its_key(tmp_path):
    space = read_space({"query.dropout": {"low": 0, "high": 0.5}, "item.dim": {"low": 16, "high": 64}}, Config())
    assert space.dimensions == {"item.dim": Range(16, 64), "query.dropout": Range(0.0, 0.5)}
    assert isinstance(space.dimensions["query.dropout"].low, float)
    path = tmp_path / "space.yaml"
    path.write_text("training.learning_rate: {low: 1e-4, high: 1e-2, log: true}\n")  # YAML reads 1e-4 as a text
    assert read_space(path, Config()).dimensions == {"training.learning_rate": Range(1e-4, 1e-2, log=True)}


def test_a_table_of_trials_begins_with_the_best(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(
        "trial,state,ndcg@10,epochs,seconds,item.dim,query.dropout,stopped\n"
        "1,complete,0.125,3,1.5,16,0.123456,\n2,complete,0.25,12,1.5,8,0.5,\n"
        "3,stopped,0.5,1,0.5,8,0.25,worse than the median\n4,stopped,,0,0.5,8,0.25,the loss is nan\n"
    )
    assert trials_text(path) == (
        "trial     state  validation ndcg@10  epochs  seconds  item.dim  query.dropout                stopped\n"
        "    2  complete              0.2500      12      1.5         8            0.5\n"
        "    1  complete              0.1250       3      1.5        16         0.1235\n"
        "    3   stopped              0.5000       1      0.5         8           0.25  worse than the median\n"
        "    4   stopped                           0      0.5         8           0.25        the loss is nan"
    )
