"""Builds the optimiser and the learning-rate schedule that the config names."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf
import tf_keras

from mmrec.config.training import TrainingConfig


class _TwoRates:
    """Makes an optimiser train some dense variables at a fraction of its learning rate."""

    slow: frozenset[str] = frozenset()  # keys of those variables
    fraction: float = 1.0

    def aggregate_gradients(self, grads_and_vars):
        """Adds up the gradients of replicas; skipped for one replica, where Keras would leave a graph behind."""
        if tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return list(grads_and_vars)
        return super().aggregate_gradients(grads_and_vars)

    def update_step(self, gradient, variable):
        """Updates one variable."""
        if self._var_key(variable) not in self.slow:
            super().update_step(gradient, variable)
            return
        before = tf.identity(variable)
        super().update_step(gradient, variable)
        variable.assign(before + self.fraction * (variable - before))


class LazyAdam(tf_keras.optimizers.Adam):
    """Adam that updates only those rows of an embedding table that a step uses.

    Keras's Adam decays the moments of every row and moves every row at every step. That costs as much as the whole
    table, and lets rare items drift on old gradients. Where all rows are updated, one operation does the work of
    Keras's twelve.
    """

    def update_step(self, gradient, variable):
        """Updates one variable; the gradient of a table is `tf.IndexedSlices` from `_deduplicate_sparse_grad`."""
        if not isinstance(gradient, tf.IndexedSlices):
            self._update(gradient, variable)
            return
        rows, values = gradient.indices, gradient.values
        whole = tf.size(rows) == variable.shape[0]
        tf.cond(whole, lambda: self._update(values, variable), lambda: self._update_rows(rows, values, variable))

    def _deduplicate_sparse_grad(self, grads):
        """Adds up the gradients of the same row; if every row of a table occurs, the rows are in order."""
        return [_by_row(one) if isinstance(one, tf.IndexedSlices) else one for one in grads]

    def _update(self, gradient, variable):
        step = tf.cast(self.iterations + 1, variable.dtype)
        mean, square = self._moments(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=mean.handle,
            v=square.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _update_rows(self, rows, values, variable):
        # In float64: in float32, 1 - .999 has a relative error of 5e-5.
        step = tf.cast(self.iterations + 1, tf.float64)
        first, second = (1 - tf.pow(tf.constant(beta, tf.float64), step) for beta in (self.beta_1, self.beta_2))
        rate = tf.cast(self.learning_rate, variable.dtype) * tf.cast(tf.sqrt(second) / first, variable.dtype)
        mean, square = self._moments(variable)
        new_mean = self.beta_1 * tf.gather(mean, rows) + (1 - self.beta_1) * values
        new_square = self.beta_2 * tf.gather(square, rows) + (1 - self.beta_2) * tf.square(values)
        mean.scatter_update(tf.IndexedSlices(new_mean, rows))
        square.scatter_update(tf.IndexedSlices(new_square, rows))
        variable.scatter_sub(tf.IndexedSlices(rate * new_mean / (tf.sqrt(new_square) + self.epsilon), rows))

    def _moments(self, variable):
        place = self._index_dict[self._var_key(variable)]
        return self._momentums[place], self._velocities[place]


def _by_row(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """Adds up the values of each row; if every row of the table occurs, the rows are in order."""
    rows, place = tf.unique(gradient.indices)
    every = tf.range(tf.cast(gradient.dense_shape[0], rows.dtype))
    whole = tf.size(rows) == tf.size(every)
    rows, place = tf.cond(whole, lambda: (every, gradient.indices), lambda: (rows, tf.cast(place, rows.dtype)))
    return tf.IndexedSlices(
        tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows)), rows, gradient.dense_shape
    )


class WarmUp(tf_keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0, then stays, or falls to 0 along half a cosine.

    Args:
      peak: learning rate after the rise.
      warmup_steps: number of steps of the rise.
      total_steps: number of steps of the whole training.
      cosine: whether it falls.
    """

    def __init__(self, peak: float, warmup_steps: int, total_steps: int, cosine: bool):
        super().__init__()
        self.peak, self.warmup_steps, self.total_steps, self.cosine = peak, warmup_steps, total_steps, cosine

    def __call__(self, step):
        """Returns the learning rate of the step, counted from 0, as float32 []."""
        step = tf.cast(step, tf.float32)
        rise = tf.minimum(1.0, (step + 1) / max(1, self.warmup_steps))
        if not self.cosine:
            return self.peak * rise
        left = tf.clip_by_value((step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps), 0.0, 1.0)
        return self.peak * rise * 0.5 * (1 + tf.cos(math.pi * left))

    def get_config(self):
        """Returns the arguments."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
            "cosine": self.cosine,
        }


class _Adam(_TwoRates, LazyAdam):
    pass


class _Adagrad(_TwoRates, tf_keras.optimizers.Adagrad):
    pass


def build_optimizer(
    config: TrainingConfig, steps_per_epoch: int, backbone: Sequence[tf.Variable] = ()
) -> tf_keras.optimizers.Optimizer:
    """Builds the optimiser that the config names, with its schedule.

    Args:
      config: the section `training`.
      steps_per_epoch: number of steps per epoch.
      backbone: trainable variables with the learning rate `backbone_learning_rate`.
    """
    total = steps_per_epoch * config.epochs
    rate = WarmUp(config.learning_rate, int(total * config.warmup_fraction), total, config.schedule == "cosine")
    kind = {"adam": _Adam, "adagrad": _Adagrad}[config.optimizer]
    # On a GPU, Keras would let XLA compile the update of a table again for every number of rows.
    optimizer = kind(learning_rate=rate, global_clipnorm=config.clip_norm, jit_compile=False)
    optimizer.slow = frozenset(optimizer._var_key(variable) for variable in backbone)
    optimizer.fraction = config.backbone_learning_rate / config.learning_rate
    return optimizer
