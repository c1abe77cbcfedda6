"""Cross entropy over the whole catalog, without ever holding all scores."""

from __future__ import annotations

import tensorflow as tf

_SCORES = 2**20  # scores held at once: about what stays in a processor's cache, where the products are twice as fast
_FEWEST, _MOST = 16, 256  # queries in a block: below, products are slow; above, nothing is gained


def catalog_softmax(query: tf.Tensor, candidate: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
    """Computes the mean cross entropy of the right candidates among all candidates.

    Queries are worked through in blocks. Each block's scores give its loss and its gradients at once and are dropped
    then, so neither the [Q, C] scores nor their softmax are kept, and nothing is computed twice.

    Args:
      query: float32 [Q, D], Q >= 1.
      candidate: float32 [C, D].
      positive: int32 [Q], each query's right candidate.

    Returns:
      float32 [], the mean over queries. It can be differentiated once.

    Source: the softmax's gradient is its value minus the target; computing it beside the loss as in Hsu et al., 2024,
      arXiv:2410.10989 (Liger), there in blocks of tokens on a GPU.
    """

    @tf.custom_gradient
    def loss(query, candidate):
        value, to_query, to_candidate = _loss_and_gradients(query, candidate, positive)
        return value, lambda upstream: (upstream * to_query, upstream * to_candidate)

    return loss(query, candidate)


def _loss_and_gradients(query, candidate, positive):
    """Returns the loss, float32 [], and its gradients, float32 [Q, D] and [C, D]."""
    queries, dim = tf.shape(query)[0], query.shape[1]
    size = tf.clip_by_value(_SCORES // tf.shape(candidate)[0], _FEWEST, _MOST)
    blocks = -(-queries // size)
    padding = blocks * size - queries
    share = tf.pad(
        tf.fill([queries], 1.0 / tf.cast(queries, tf.float32)), [[0, padding]]
    )  # 0 where a block is filled up
    query, positive = tf.pad(query, [[0, padding], [0, 0]]), tf.pad(positive, [[0, padding]])

    def block(number, loss, to_query, to_candidate):
        here = slice(number * size, (number + 1) * size)
        asked, right, weight = query[here], positive[here], share[here, tf.newaxis]
        scores = tf.matmul(asked, candidate, transpose_b=True)  # [S, C]
        top = tf.reduce_max(scores, axis=1, keepdims=True)
        odds = tf.exp(scores - top)
        total = tf.reduce_sum(odds, axis=1, keepdims=True)  # [S, 1]
        own = tf.gather(candidate, right)  # [S, D]
        surprise = tf.math.log(total) + top - tf.reduce_sum(asked * own, axis=1, keepdims=True)
        scale = weight / total  # odds * scale: the softmax, weighted
        loss += tf.reduce_sum(surprise * weight)
        to_query = to_query.write(number, tf.matmul(odds, candidate) * scale - own * weight)
        to_candidate += tf.matmul(odds, asked * scale, transpose_a=True)
        to_candidate = tf.tensor_scatter_nd_sub(to_candidate, right[:, tf.newaxis], asked * weight)
        return number + 1, loss, to_query, to_candidate

    rows = tf.TensorArray(tf.float32, size=blocks, element_shape=[None, dim])
    start = (0, 0.0, rows, tf.zeros_like(candidate))
    _, loss, rows, to_candidate = tf.while_loop(lambda number, *_: number < blocks, block, start, parallel_iterations=1)
    return loss, rows.concat()[:queries], to_candidate
