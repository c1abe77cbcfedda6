"""Cross entropy over the whole catalog, without holding all scores at once."""

from __future__ import annotations

import tensorflow as tf

_SCORES = 2**22  # scores held at once, 16 MiB: as many queries in a block as fit
_FEWEST, _MOST = 64, 256  # but no fewer and no more queries than this: with a million items, 256 MB
_SMALLEST = 1e-30  # chance of a right candidate whose logarithm is taken as it is


def catalog_softmax(
    query: tf.Tensor,
    candidate: tf.Tensor,
    positive: tf.Tensor,
    weight: tf.Tensor | None = None,
    scores: int = _SCORES,
) -> tf.Tensor:
    """Computes the mean cross entropy of the right candidates among all candidates.

    Queries are worked through in blocks. Each block's scores give its loss and its gradients at once and are then
    dropped, so neither the [Q, C] scores nor their softmax are kept, and nothing is computed twice.

    Args:
      query: float32 [Q, D], Q >= 1.
      candidate: float32 [C, D].
      positive: int32 [Q], each query's right candidate.
      weight: float32 [Q], factors of the queries' losses; None: 1.
      scores: most scores held at once; a block has as many queries as fit, 64 to 256.

    Returns:
      float32 [], the mean over queries. It can be differentiated once.

    Source: the softmax's gradient is its value minus the target; computing it beside the loss as in Hsu et al., 2024,
      arXiv:2410.10989 (Liger), there in blocks of tokens on a GPU.
    """
    held = tf.stop_gradient(query), tf.stop_gradient(candidate)
    value, to_query, to_candidate = _loss_and_gradients(*held, positive, weight, scores)
    # 0, with these gradients. (`tf.custom_gradient` would leave a graph behind for every model of a process.)
    slope = tf.tensordot(query, to_query, 2) + tf.tensordot(candidate, to_candidate, 2)
    return value + (slope - tf.stop_gradient(slope))


def _loss_and_gradients(query, candidate, positive, weight, scores):
    """Returns the loss, float32 [], and its gradients, float32 [Q, D] and [C, D]."""
    queries, dim = tf.shape(query)[0], query.shape[1]
    blocks = -(-queries // tf.clip_by_value(scores // tf.shape(candidate)[0], _FEWEST, _MOST))
    size = -(-queries // blocks)  # blocks of one size, so that the last one needs little padding
    padding = blocks * size - queries
    share = (tf.ones([queries]) if weight is None else weight) / tf.cast(queries, tf.float32)
    share = tf.pad(share, [[0, padding]])  # the last block's padding has no share in the mean
    query, positive = tf.pad(query, [[0, padding], [0, 0]]), tf.pad(positive, [[0, padding]])
    own = tf.gather(candidate, positive)  # [Q, D], the right candidates
    columns = tf.transpose(candidate)  # [D, C]: turned once, not in every block's product

    def block(number, loss, to_query, to_columns):
        here = slice(number * size, (number + 1) * size)
        asked, weight, right = query[here], share[here, tf.newaxis], positive[here]
        block_scores = tf.matmul(asked, columns)  # [S, C]
        odds = tf.nn.softmax(block_scores)
        chance = tf.gather(odds, right, batch_dims=1)  # [S], of the right ones

        def surprise_of_scores():
            own_score = tf.gather(block_scores, right, batch_dims=1)
            return tf.reduce_logsumexp(block_scores, axis=1) - own_score

        # A chance that float32 cannot hold has no logarithm: then, and only then, the scores are gone through again.
        held = tf.reduce_min(chance) > _SMALLEST
        surprise = tf.cond(held, lambda: -tf.math.log(chance), surprise_of_scores)
        loss += tf.reduce_sum(surprise * weight[:, 0])
        to_query = to_query.write(number, tf.matmul(odds, candidate) * weight)
        to_columns += tf.matmul(asked * weight, odds, transpose_a=True)
        return number + 1, loss, to_query, to_columns

    rows = tf.TensorArray(tf.float32, size=blocks, element_shape=[None, dim])
    start = (0, 0.0, rows, tf.zeros_like(columns))
    _, loss, rows, to_columns = tf.while_loop(lambda number, *_: number < blocks, block, start, parallel_iterations=1)
    share = share[:, tf.newaxis]
    to_candidate = tf.tensor_scatter_nd_sub(tf.transpose(to_columns), positive[:, tf.newaxis], query * share)
    return loss, (rows.concat() - own * share)[:queries], to_candidate
