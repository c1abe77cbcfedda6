import pytest

from mmrec.training.pruning import PrunedError, Pruning, validation_values


class Trial:
    """A trial that stops at a chosen epoch, and records what is reported."""

    def __init__(self, stop_at=None):
        self.reported, self._stop_at = [], stop_at

    def report(self, value, step):
        self.reported.append((step, value))

    def should_prune(self):
        return len(self.reported) == self._stop_at


@pytest.fixture
def history(tmp_path):
    return tmp_path / "history.csv"


def epoch(callback, number, value):
    callback.on_epoch_begin(number)
    callback.on_epoch_end(number, {"loss": 1.0, "val_ndcg@10": value})


def test_each_epoch_is_reported_from_1_on(history):
    trial = Trial()
    callback = Pruning(trial, history)
    for number, value in enumerate([0.1, 0.3, 0.2]):
        epoch(callback, number, value)
    assert trial.reported == [(1, 0.1), (2, 0.3), (3, 0.2)]


def test_a_trial_that_is_to_stop_ends_the_training(history):
    callback = Pruning(Trial(stop_at=2), history)
    epoch(callback, 0, 0.1)
    with pytest.raises(PrunedError):
        epoch(callback, 1, 0.1)


def test_a_continued_training_reports_what_was_trained_before_it(history):
    # The third epoch is in the file, but its checkpoint was not saved: it is trained again.
    history.write_text("epoch,loss,val_ndcg@10,val_mrr\n1,3.0,0.1,0\n2,2.0,0.25,0\n3,1.0,0.5,0\n")
    trial = Trial()
    callback = Pruning(trial, history)
    epoch(callback, 2, 0.375)
    epoch(callback, 3, 0.5)
    assert trial.reported == [(1, 0.1), (2, 0.25), (3, 0.375), (4, 0.5)]


def test_no_history_has_no_values(history):
    assert validation_values(history) == []
