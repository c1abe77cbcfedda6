"""Scores queries against candidates, corrects them, and takes out what must not compete."""

from __future__ import annotations

import tensorflow as tf

from mmrec.models.candidates import Candidates

REMOVED = -1e9  # logit of a candidate that does not compete; finite, so that gradients stay so


def candidate_logits(query, candidate, log_q):
    """Scores every query against every distinct candidate.

    Args:
      query: float32 [Q, D], divided by the temperature.
      candidate: float32 [C, D]; each item stands once.
      log_q: float32 [C], natural log of each candidate's probability to be among the candidates; None: no correction.

    Returns:
      float32 [Q, C].

    Source: Yi et al., RecSys 2019, doi:10.1145/3298689.3346996. They sample with replacement and correct by the item's
      share of the events; our candidates are distinct, so we correct by the probability to be in the batch at all.
    """
    logits = tf.matmul(query, candidate, transpose_b=True)
    return logits if log_q is None else logits - log_q[tf.newaxis]


def without_own_correction(logits, positive, log_q):
    """Undoes the correction of each query's right candidate, which competes with certainty.

    Args:
      logits: float32 [Q, C], corrected.
      positive: int32 [Q], each query's right candidate.
      log_q: float32 [C], the correction that was subtracted.

    Returns:
      float32 [Q, C]. The exponentials of a row then sum up, in expectation, to those of the whole catalog.
    """
    own = tf.stack([tf.range(tf.size(positive)), positive], axis=1)  # [Q, 2]
    return tf.tensor_scatter_nd_add(logits, own, tf.gather(log_q, positive))


def only_competing(logits, positive, competes, history, positive_pairs):
    """Takes candidates out of the competition: those drawn for other queries only, and the user's other positives.

    Args:
      logits: float32 [Q, C].
      positive: int32 [Q], the candidate that stays in any case.
      competes: bool [C], whether it competes with queries that it does not answer.
      history: int32 [Q], the history that each query belongs to.
      positive_pairs: int32 [P, 2], (history, candidate) pairs that are positives of the history's user.

    Returns:
      float32 [Q, C]; `REMOVED` where a candidate does not compete.
    """
    histories = tf.reduce_max(history, axis=0) + 1
    pairs = tf.boolean_mask(positive_pairs, positive_pairs[:, 0] < histories)
    counts = tf.scatter_nd(pairs, tf.ones(tf.shape(pairs)[0]), [histories, tf.shape(logits)[1]])  # [B, C]
    hits = counts > 0  # bytes, before they are gathered for each query
    own = tf.stack([tf.range(tf.size(positive)), positive], axis=1)  # [Q, 2]
    others = tf.where(tf.gather(hits, history) | ~competes, REMOVED, logits)
    return tf.tensor_scatter_nd_update(others, own, tf.gather_nd(logits, own))


def with_hard_negatives(logits, hard_row, hard_logits, candidates: Candidates, log_q):
    """Puts hard negatives beside the candidates; each item competes once.

    A hard negative competes with certainty, so it has no correction. One that is also a candidate competes as the
    candidate, by its current embedding, and the correction is undone. So the exponentials of the wrong items still sum
    up, in expectation, to those of all wrong items of the catalog.

    Args:
      logits: float32 [Q, C].
      hard_row: int32 [Q, H], item rows; 0 for none.
      hard_logits: float32 [Q, H].
      candidates: the columns of `logits`.
      log_q: float32 [C], the correction that was subtracted from `logits`; None: there was none.

    Returns:
      float32 [Q, C + H].
    """
    place = find_rows(hard_row, tf.where(candidates.competes, candidates.row, -1))  # [Q, H]
    inside = place >= 0
    if log_q is not None:
        query = tf.where(inside)[:, 0]
        place = tf.boolean_mask(place, inside)
        index = tf.stack([tf.cast(query, tf.int32), place], axis=1)
        logits = tf.tensor_scatter_nd_add(logits, index, tf.gather(log_q, place))
    return tf.concat([logits, tf.where(inside, REMOVED, hard_logits)], axis=1)


def find_rows(row, among):
    """Returns int32 [...], where item rows (int32 [...]) stand in `among` (int32 [C]); -1 for absent ones and row 0."""
    order = tf.argsort(among)
    among = tf.gather(among, order)
    flat = tf.reshape(row, [-1])
    place = tf.minimum(tf.searchsorted(among, flat), tf.size(among) - 1)
    equal = (tf.gather(among, place) == flat) & (flat > 0)
    return tf.reshape(tf.where(equal, tf.gather(order, place), -1), tf.shape(row))
