"""Fits a model on examples, with validation, checkpoints and resume."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from mmrec.config import Config
from mmrec.data.examples import Examples
from mmrec.errors import InputError
from mmrec.models.two_tower import TwoTowerModel
from mmrec.seeded import seeded
from mmrec.training.callbacks import Checkpoints, HistoryFile, NumberGuard, Progress, Refresh, Summaries, Validation
from mmrec.training.optimizers import build_optimizer
from mmrec.training.run_folder import RunFolder


def fit(
    model: TwoTowerModel,
    examples: Examples,
    judge: Callable[[], dict[str, float]],
    config: Config,
    run: RunFolder,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
    backbone: Sequence[tf.Variable] = (),
    refresh: Callable[[], None] = lambda: None,
) -> None:
    """Trains until the epochs are over or validation no longer improves; the model then has the best epoch's weights.

    Args:
      model: not yet compiled.
      examples: the batches.
      judge: () -> validation metrics, with `ndcg@10` among them.
      config: `training` and `seed` are read.
      run: where checkpoints and logs go; if it holds a checkpoint, training continues from it.
      callbacks: further tf_keras callbacks, as for `train`.
      backbone: variables of the model with the learning rate `training.backbone_learning_rate`.
      refresh: recomputes what depends on the weights, see `Refresh`. After training the results are those of the last
        epoch, not of the best.

    Raises:
      TrainingError: the loss is not finite, or the embeddings have collapsed.
    """
    training = config.training
    with seeded(config.seed):
        # One step builds every variable, so that the optimiser and a checkpoint find all of them.
        model.compute_loss(next(examples.epoch(0)))
        model.compile(optimizer=build_optimizer(training, examples.steps, backbone))
        model.optimizer.build(model.trainable_variables)
        checkpoints = Checkpoints(run, model, training.patience)
        if checkpoints.resume():
            print(f"continuing {run.path} after epoch {int(checkpoints.epoch)}", file=sys.stderr, flush=True)
        first = int(checkpoints.epoch)
        if not checkpoints.done:
            logging = [Summaries(run.logs)] if training.tensorboard else []
            model.fit(
                examples.dataset(first),
                steps_per_epoch=examples.steps,
                initial_epoch=first,
                epochs=training.epochs,
                verbose=0,
                callbacks=[
                    NumberGuard(training),
                    Refresh(refresh, training.refresh_steps),
                    Validation(judge),
                    Progress(training, examples.steps),
                    HistoryFile(run.history, first),
                    *logging,
                    *callbacks,
                    checkpoints,  # last: the epoch counts as finished after all others have handled it
                ],
            )
        checkpoints.restore_best()


def require_callbacks(callbacks: Any) -> None:
    """Raises InputError unless this is a list or tuple of callbacks of tf_keras, with which the model is trained."""
    listed = isinstance(callbacks, list | tuple)
    for one in callbacks if listed else [callbacks]:
        if listed and isinstance(one, tf_keras.callbacks.Callback):
            continue
        kind = one if isinstance(one, type) else type(one)
        what = f"{'the class ' if kind is one else ''}{kind.__module__}.{kind.__qualname__}"
        raise InputError(
            f"`callbacks` must be a list of callbacks of tf_keras (Keras 2). Received: {what}"
            f"{' in the list' if listed else ', not in a list'}. Write `import tf_keras` and, for example, "
            '`callbacks=[tf_keras.callbacks.EarlyStopping(monitor="loss")]`.'
        )
