import csv
import math
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from mmrec.config import Config
from mmrec.errors import InputError, TrainingError
from mmrec.models.two_tower import TwoTowerModel
from mmrec.training.callbacks import NumberGuard, Refresh
from mmrec.training.run_folder import RunFolder
from mmrec.training.trainer import fit, require_callbacks


class Line(TwoTowerModel):
    """A model without towers: a weight that follows its data."""

    def __init__(self):
        super().__init__(None, None, [])
        self.weight = self.add_weight(name="weight", shape=[], initializer="zeros")

    def compute_loss(self, inputs, training=False):
        loss = tf.reduce_mean((inputs["x"] - self.weight) ** 2)
        self.mean_loss.update_state(loss)
        return loss


class Numbers:
    """Two batches per epoch, all of one value; records the requested epochs."""

    steps = 2

    def __init__(self, value=5.0):
        self.value, self.started = value, []

    def epoch(self, epoch):
        for _ in range(2):
            yield {"x": np.array([self.value], np.float32)}

    def dataset(self, first):
        self.started.append(first)
        return tf.data.Dataset.from_tensors(next(self.epoch(first))).repeat()


class Script:
    """A judge that returns prepared values, and records the model's weight at each."""

    def __init__(self, model, values):
        self.model, self.values, self.weights = model, list(values), []

    def __call__(self):
        self.weights.append(float(self.model.weight))
        return {"ndcg@10": self.values.pop(0), "mrr": 0.5}


def training_in(folder):
    """Returns `go(values, ...)`: trains in the run folder, judged by the values; gives (model, judge, examples).

    `go.followed` are the weights at each refresh.
    """

    def train(values, callbacks=(), value=5.0, **training):
        settings = {"epochs": len(values), "learning_rate": 0.1, "patience": 3, **training}
        config = Config(name="line", runs_dir=str(folder), training=settings)
        model, examples = Line(), Numbers(value)
        judge = Script(model, values)
        with RunFolder.open(config, "same") as run:
            fit(
                model,
                examples,
                judge,
                config,
                run,
                callbacks,
                refresh=lambda: train.followed.append(float(model.weight)),
            )
        return model, judge, examples

    train.run, train.followed = folder / "line" / "1", []
    return train


@pytest.fixture
def go(tmp_path):
    return training_in(tmp_path)


def rows(go):
    with open(go.run / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


class Crash(tf_keras.callbacks.Callback):
    """Fails at the end of an epoch, as a killed process would: after the epochs before it were saved."""

    def __init__(self, epoch):
        super().__init__()
        self.at = epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at:
            raise RuntimeError("crash")


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_training_and_says_what_to_change(go, loss):
    with pytest.raises(TrainingError) as error:
        go([0.1], value=loss, learning_rate=0.25, clip_norm=2.0)
    said = str(error.value)
    assert "the loss is" in said
    assert "in epoch 1, step 1" in said
    assert "`training.learning_rate` (now 0.25)" in said
    assert "`retrieval.temperature`" in said
    assert "`training.clip_norm` (now 2.0)" in said


def test_the_guard_names_the_epoch_and_step(go):
    guard = NumberGuard(Config().training)
    guard.on_epoch_begin(2)
    guard.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(TrainingError, match="the loss is nan in epoch 3, step 5"):
        guard.on_train_batch_end(4, {"loss": math.nan})


def test_training_stops_when_the_best_epoch_is_patience_epochs_old_and_keeps_that_epoch(go):
    model, judge, _ = go([0.1, 0.5, 0.4, 0.5, 0.3, 0.9, 0.9], patience=3)
    assert len(judge.weights) == 5  # epoch 2 is best; an equal value is not better
    assert float(model.weight) == judge.weights[1] != judge.weights[4]


def test_a_better_epoch_starts_the_patience_anew(go):
    model, judge, _ = go([0.1, 0.0, 0.2, 0.0, 0.3, 0.0, 0.0], patience=2)
    assert len(judge.weights) == 7
    assert float(model.weight) == judge.weights[4]


def test_a_best_value_of_zero_is_kept(go):
    model, judge, _ = go([0.0, 0.0])
    assert float(model.weight) == judge.weights[0]


def test_the_weight_moves_while_it_trains(go):
    _, judge, _ = go([0.1, 0.2, 0.3])
    assert 0 < judge.weights[0] < judge.weights[1] < judge.weights[2]


def test_a_resumed_run_goes_on_after_its_last_epoch(go, capsys):
    with pytest.raises(RuntimeError, match="crash"):
        go([0.3, 0.1, 0.0, 0.0], callbacks=[Crash(2)], epochs=4)
    assert [row["epoch"] for row in rows(go)] == ["1", "2", "3"]  # the third was judged, but not saved
    model, judge, examples = go([0.2, 0.4], epochs=4)
    assert f"continuing {go.run} after epoch 2" in capsys.readouterr().err
    assert examples.started == [2]
    assert [row["epoch"] for row in rows(go)] == ["1", "2", "3", "4"]
    assert [float(row["val_ndcg@10"]) for row in rows(go)] == [0.3, 0.1, 0.2, 0.4]
    assert float(model.weight) == judge.weights[1]


def test_a_resumed_run_remembers_its_best_epoch_and_patience(go):
    with pytest.raises(RuntimeError, match="crash"):
        go([0.9, 0.1, 0.0, 0.0], callbacks=[Crash(2)], epochs=4, patience=2)
    model, judge, _ = go([0.2, 0.99], epochs=4, patience=2)
    assert len(judge.weights) == 1  # with epoch 3, the best is two epochs old
    assert float(model.weight) < judge.weights[0]


def test_a_resumed_run_trains_as_if_it_had_not_stopped(go, tmp_path):
    with pytest.raises(RuntimeError, match="crash"):
        go([0.1, 0.2, 0.3, 0.4], callbacks=[Crash(2)], epochs=4)
    resumed, _, _ = go([0.3, 0.4], epochs=4)
    (go.run / "metrics.json").write_text("{}")  # the next training is another run
    whole, _, _ = go([0.1, 0.2, 0.3, 0.4])
    assert float(resumed.weight) == pytest.approx(float(whole.weight), abs=1e-6)


@pytest.mark.parametrize("name", ["[shop]", "a\\b", "a*", "a?"])
def test_a_run_in_a_folder_that_reads_as_a_pattern_resumes_and_leaves_others_alone(tmp_path, name):
    # TensorFlow finds checkpoints by pattern, also those that it deletes.
    other, go = training_in(tmp_path / "ab"), training_in(tmp_path / name)
    other([0.1])
    before = sorted(path.name for path in other.run.rglob("*"))
    with pytest.raises(RuntimeError, match="crash"):
        go([0.3, 0.1, 0.0, 0.0, 0.0], callbacks=[Crash(3)], patience=4)
    model, judge, examples = go([0.2, 0.4], epochs=5, patience=4)
    assert examples.started == [3]
    assert float(model.weight) == judge.weights[1]
    kept = [path.stem for path in sorted(go.run.rglob("*.index"))]
    assert kept == ["ckpt-5", "ckpt-4", "ckpt-5"]  # the best epoch, and the last two
    assert sorted(path.name for path in other.run.rglob("*")) == before


def test_a_run_whose_epochs_are_over_trains_no_more(go):
    done, judge, _ = go([0.1, 0.4, 0.2])
    again, idle, examples = go([], epochs=3)
    assert idle.weights == examples.started == []
    assert float(again.weight) == float(done.weight) == judge.weights[1]


def test_a_further_callback_sees_the_validation_metrics(go):
    class Seen(tf_keras.callbacks.Callback):
        logs = []  # noqa: RUF012

        def on_epoch_end(self, epoch, logs=None):
            self.logs.append((logs["val_ndcg@10"], logs["val_mrr"]))

    go([0.25, 0.5], callbacks=[Seen()])
    assert Seen.logs == [(0.25, 0.5), (0.5, 0.5)]


def test_callbacks_and_the_history_share_one_loss_the_mean_over_the_epoch(go):
    # Regression: `loss` was that of the last batch; EarlyStopping(monitor="loss") stopped while the mean fell.
    class Seen(tf_keras.callbacks.Callback):
        weights, steps, epochs = [], [], []

        def on_train_batch_end(self, batch, logs=None):
            self.weights.append(float(self.model.weight))
            self.steps.append(logs["loss"])

        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(logs["loss"])

    go([0.25, 0.5], callbacks=[Seen()])
    assert Seen.steps[0] == 25.0  # of the weight 0 and the value 5
    assert Seen.steps[1] == pytest.approx((25 + (5 - Seen.weights[0]) ** 2) / 2, abs=1e-4)
    assert Seen.steps[1] < 24.99
    assert Seen.epochs == [Seen.steps[1], Seen.steps[3]]
    assert [float(row["loss"]) for row in rows(go)] == pytest.approx(Seen.epochs)


@pytest.mark.parametrize(
    ("callbacks", "received"),
    [
        ([keras.callbacks.EarlyStopping()], "keras.src.callbacks.early_stopping.EarlyStopping in the list"),
        ([tf_keras.callbacks.Callback(), None], "builtins.NoneType in the list"),
        ([tf_keras.callbacks.TerminateOnNaN], "the class tf_keras.src.callbacks.TerminateOnNaN in the list"),
        ([print], "builtins.builtin_function_or_method in the list"),
        (tf_keras.callbacks.TerminateOnNaN(), "tf_keras.src.callbacks.TerminateOnNaN, not in a list"),
        (None, "builtins.NoneType, not in a list"),
    ],
)
def test_what_is_no_callback_of_keras_2_is_refused_with_what_to_write(callbacks, received):
    with pytest.raises(InputError) as error:
        require_callbacks(callbacks)
    assert f"Received: {received}. Write `import tf_keras`" in str(error.value)


def test_callbacks_of_keras_2_are_taken_in_a_list_or_tuple():
    require_callbacks([])
    require_callbacks((tf_keras.callbacks.TerminateOnNaN(), Crash(1)))


def test_a_further_callback_may_stop_the_training(go):
    # Regression: the checkpoints' own decision overwrote that of Keras's EarlyStopping.
    stop = tf_keras.callbacks.EarlyStopping(monitor="val_mrr", mode="max", patience=1)
    _, judge, _ = go([0.1, 0.2, 0.3, 0.4, 0.5], callbacks=[stop], patience=5)
    assert len(judge.weights) == 2
    _, idle, _ = go([], epochs=5, patience=5)
    assert idle.weights == []  # the run had ended


def test_the_history_has_a_row_per_epoch_with_losses_and_metrics(go):
    go([0.25, 0.5])
    first, second = rows(go)
    assert list(first) == ["epoch", "loss", "val_ndcg@10", "val_mrr"]
    assert (first["epoch"], second["epoch"], second["val_ndcg@10"]) == ("1", "2", "0.5")
    assert 0 < float(second["loss"]) < float(first["loss"]) < 25.0001
    assert not list(go.run.glob(".history*"))


def test_progress_is_one_line_per_epoch_where_stderr_is_no_terminal(go, capsys):
    go([0.25, 0.5])
    said, lines = capsys.readouterr(), []
    lines = said.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss 2")
    assert "validation ndcg@10 0.2500" in lines[0]
    assert lines[1].endswith("at most 0 s left")
    assert said.out == ""


def test_tensorboard_writes_summaries_when_asked(go):
    go([0.25, 0.5], tensorboard=True)
    (path,) = (go.run / "logs").rglob("events.out.*")
    actual = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        actual |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    assert actual["val_ndcg@10", 1] == 0.25
    assert actual["val_ndcg@10", 2] == 0.5
    means = [float(row["loss"]) for row in rows(go)]
    assert [actual["loss", 1], actual["loss", 2]] == pytest.approx(means)


def test_without_tensorboard_the_logs_stay_empty(go):
    go([0.25])
    assert list((go.run / "logs").iterdir()) == []


def test_what_follows_the_weights_is_refreshed_at_the_start_and_every_so_many_steps_of_an_epoch():
    # Regression: steps were counted across epochs, so that a resumed training refreshed at other steps.
    calls = []
    refresh = Refresh(lambda: calls.append((epoch, step)), 3)
    epoch = step = None
    refresh.on_train_begin()
    for epoch in range(2):
        refresh.on_epoch_begin(epoch)
        for step in range(7):
            refresh.on_train_batch_end(step)
        step = "end"
        refresh.on_epoch_end(epoch)
    assert calls == [(None, None), (0, 2), (0, 5), (0, "end"), (1, 2), (1, 5), (1, "end")]


def test_a_training_leaves_the_draws_of_its_process_alone(go):
    random.seed(1)
    np.random.seed(1)
    go([0.1, 0.2])
    assert random.random() == random.Random(1).random()
    assert np.random.random() == np.random.RandomState(1).random_sample()


def test_the_judge_finds_what_follows_the_weights_up_to_date_and_changes_nothing(go):
    _, judge, _ = go([0.1, 0.2], refresh_steps=9)
    assert go.followed == [0.0, *judge.weights]
