import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import mmrec
from tests.jobs.worlds import write_groups


class Crash(tf_keras.callbacks.Callback):
    """Fails at the end of the second epoch, before it is saved."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise RuntimeError("crash")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The table of hard negatives is replaced every two steps; there is no dropout."""
    config = write_groups(tmp_path_factory.mktemp("groups"), users=40, epochs=2, refresh_steps=2)
    config["query"]["dropout"] = 0.0
    config["item"] |= {"modalities": ["item_id", "text"], "item_id": {"dropout": 0.0}}
    config["item"]["text"] |= {"encoder": "mean", "dropout": 0.0}
    return config | {"retrieval": {"hard_negatives": 3, "memory": 16, "alignment": 0.1}}


def saved(run_dir):
    """Returns the numbers in the latest checkpoint, by name."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(run_dir / "checkpoints" / "last"))
    types = reader.get_variable_to_dtype_map()
    return {name: reader.get_tensor(name) for name, kind in types.items() if kind.is_floating or kind.is_integer}


@pytest.mark.slow
def test_with_hard_negatives_and_a_memory_a_resumed_training_ends_as_one_that_ran_on(world):
    with pytest.raises(RuntimeError, match="crash"):
        mmrec.train(world, callbacks=[Crash()])
    resumed = mmrec.train(world)
    whole = mmrec.train(world)
    assert (resumed.run_dir.name, whole.run_dir.name) == ("1", "2")
    actual, want = saved(resumed.run_dir), saved(whole.run_dir)
    assert actual.keys() == want.keys()
    for name, value in want.items():
        np.testing.assert_allclose(actual[name], value, atol=1e-5, err_msg=name)
    assert (want["model/objectives/0/task/_memory/rows/.ATTRIBUTES/VARIABLE_VALUE"] > 0).any()
    assert not any("hard_negatives" in name for name in want)
    exported = [name for name, _ in tf.train.list_variables(whole.export_dir / "variables" / "variables")]
    assert not any("memory" in name for name in exported)
