"""A loss term of one's own, from the config to the weights."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import mmrec
from mmrec.errors import InputError
from tests.jobs.worlds import write_groups

OWN = "tests.toys.parity:Parity"


class Logs(tf_keras.callbacks.Callback):
    """Keeps the logs of the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))


def saved(result):
    """Returns a function that reads a variable of the latest checkpoint, and the names of all."""
    path = tf.train.latest_checkpoint(result.run_dir / "checkpoints" / "last")
    return tf.train.load_checkpoint(path).get_tensor, [name for name, _ in tf.train.list_variables(path)]


@pytest.mark.parametrize("negatives", ["catalog", "in_batch"])
def test_a_term_of_ones_own_brings_its_batches_and_trains_with_the_towers(tmp_path, negatives):
    config = write_groups(tmp_path, users=40) | {"retrieval": {"negatives": negatives}}
    logs, plain = Logs(), mmrec.train(config)
    result = mmrec.train(config, callbacks=[logs], training={"objectives": {OWN: 4.0}})
    first, last = logs.epochs[0], logs.epochs[-1]
    assert first["loss"] == pytest.approx(first["retrieval_loss"] + 4.0 * first["parity_loss"], rel=1e-5)
    assert last["parity_loss"] < 0.9 * first["parity_loss"]
    (read, names), (read_plain, names_plain) = saved(result), saved(plain)
    ids = next(name for name in names if "embeddings" in name and "OPTIMIZER" not in name and "optimizer" not in name)
    assert np.abs(read(ids) - read_plain(ids)).max() > 1e-3
    assert any(name.startswith("model/objectives/1/head/kernel") for name in names)
    assert not any("head" in name for name in names_plain)
    assert mmrec.load(result.export_dir).item_table.shape == (25, 16)


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        ({"tests.toys.parity:Oddity": 1.0}, "the objective 'tests.toys.parity:Oddity' cannot be imported"),
        ({OWN: 0.0}, "greater than 0"),
        ({"parity": 1.0}, "`training.objectives"),
    ],
)
def test_a_term_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path, objectives, said):
    with pytest.raises(InputError) as error:
        mmrec.train(write_groups(tmp_path), training={"objectives": objectives})
    assert said in str(error.value)
    assert not (tmp_path / "runs").exists()
