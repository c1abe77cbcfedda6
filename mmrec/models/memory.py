"""Cross-batch memory: candidates of the last steps compete again."""

from __future__ import annotations

import tensorflow as tf
from tf_keras import layers

from mmrec.models.candidates import Candidates
from mmrec.models.logits import find_rows


class Memory(layers.Layer):
    """Keeps the candidates of the last steps, as they were embedded then, and puts them behind those of a step.

    A ring holds them and forgets the oldest first. An item competes once, with its latest embedding: if it is also a
    candidate of the step, the kept one is forgotten. No gradient flows into the ring. If a step has more candidates
    than the ring has places, it keeps as many as fit, different ones in each step.

    Checkpoints hold the ring, so that a resumed training has it; an export holds the towers only.

    Args:
      size: M, places in the ring.
      dim: D, width of an item embedding.

    Source: Wang et al., CVPR 2020, arXiv:1912.06798 (XBM); for two towers Wang et al., SIGIR 2021, arXiv:2110.15154
      (CBNS). Both may hold an item several times, and CBNS begins after a warm-up; ours competes from the first step.
    """

    def __init__(self, size: int, dim: int, **kwargs):
        super().__init__(name="memory", **kwargs)
        self._size = size

        def weight(name, shape, dtype):
            return self.add_weight(name=name, shape=shape, dtype=dtype, initializer="zeros", trainable=False)

        self.vectors = weight("vectors", [size, dim], tf.float32)
        self.rows = weight("rows", [size], tf.int64)  # 0: nothing there
        self.log_q = weight("log_q", [size], tf.float32)
        self.written = weight("written", [], tf.int64)  # candidates so far

    def call(self, candidates: Candidates, training: bool = False) -> Candidates:
        """Adds the kept candidates; in training, then keeps those of this step.

        Args:
          candidates: C of them, drawn.
          training: whether candidates are kept.

        Returns:
          C + M candidates; free places do not compete, and have row 0. `log_q` is then the log of the probability that
          this step or one of the M / C remembered ones draws the item.
        """
        row, taken = candidates.row, candidates.taken
        kept = tf.cast(self.rows, tf.int32)
        kept = tf.where(find_rows(kept, row) < 0, kept, 0)
        place = find_rows(taken[:, 1], kept)
        hits = tf.boolean_mask(tf.stack([taken[:, 0], tf.size(row) + place], axis=1), place >= 0)
        result = Candidates.drawn(
            tf.concat([candidates.embedding, tf.stop_gradient(self.vectors)], axis=0),
            tf.concat([row, kept], axis=0),
            tf.concat([candidates.competes, kept > 0], axis=0),
            _in_any(tf.concat([candidates.log_q, self.log_q], axis=0), 1.0 + self._size / tf.size(row)),
            tf.concat([candidates.positive_pairs, hits], axis=0),
            taken,
        )
        if training:
            self._keep(candidates, kept)
        return result

    def _keep(self, candidates: Candidates, kept: tf.Tensor) -> None:
        count = tf.size(candidates.row, tf.int64)
        steps = self.written + tf.range(tf.minimum(count, self._size))
        source, place = steps % count, (steps % self._size)[:, tf.newaxis]
        rows = tf.tensor_scatter_nd_update(kept, place, tf.gather(candidates.row, source))
        self.rows.assign(tf.cast(rows, tf.int64))
        self.vectors.scatter_nd_update(place, tf.gather(tf.stop_gradient(candidates.embedding), source))
        self.log_q.scatter_nd_update(place, tf.gather(candidates.log_q, source))
        self.written.assign_add(tf.size(source, tf.int64))


def _in_any(log_q: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Returns the natural log of the probability to be in at least one of several steps, by that of one step."""
    never = tf.cast(steps, tf.float32) * tf.math.log1p(-tf.minimum(tf.exp(log_q), 1.0))
    return tf.math.log(-tf.math.expm1(never))
