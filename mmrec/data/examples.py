"""Training examples: windows of histories, in which every position is a query for what came next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from mmrec import schema
from mmrec.config.retrieval import RetrievalConfig
from mmrec.data.candidates import CandidateSampler
from mmrec.data.features import Draw, FeatureSource
from mmrec.data.ragged import Ragged, distinct
from mmrec.data.splits import Histories


class OwnPart(NamedTuple):
    """What an objective adds to one batch.

    Attributes:
      rows: int [I], item rows that the batch must contain.
      arrays: takes a function from item rows, int [...], to their positions in the batch's `rows`, int32 [...]; returns
        arrays by name. No other part of the batch may have these names, and only the first dimension may differ from
        batch to batch.
    """

    rows: np.ndarray
    arrays: Callable[[Callable[[np.ndarray], np.ndarray]], dict[str, np.ndarray]]


class OwnExamples(Protocol):
    """Draws what an objective adds to the batches."""

    def epoch(self, rng: np.random.Generator, steps: int) -> Iterator[OwnPart]:
        """Yields one part per step of an epoch.

        Args:
          rng: source of randomness; the same for the same seed and epoch.
          steps: number of steps of the epoch.
        """
        ...


class Examples:
    """Batches of training histories, with the item that came next at each position.

    A batch has each item once: `rows` are its distinct items, and everything else points into them. In a batch, B
    histories of about the same length L give Q queries with C distinct candidates:

        rows         int32 [U]     distinct item rows; rows[0] is 0, the padding
        history      int32 [B, L]  positions in `rows`, oldest first, padded with 0 at the end
        query        int32 [Q, 2]  (history, how many of its items the query sees: 0..L)
        positive     int32 [Q]     position of the right answer among the candidates
        weight       float32 [Q]   how much the answer counts, with mean 1 over training; only where events have weights
        candidate    int32 [C]     positions in `rows` of the distinct items that compete, with all right answers
        competes     bool [C]      whether the candidate competes with queries that it does not answer
        log_q        float32 [C]   natural log of the probability that the candidate is in a batch like this
        known        int32 [P, 2]  (history, candidate) pairs that are positives of that user somewhere in training
        taken        int32 [T, 2]  (history, item row) pairs of the same kind, whatever competes in the batch; only with
                                   `retrieval.hard_negatives` or `memory`
        ...          the features of `rows`, as the feature source names them
        ...          what is known of the histories beside their items, as `data.context` names it, and of their users
        ...          what objectives add, as they name it

    Where the whole catalog competes, the candidates are the first of `rows` after the padding. The batch then has
    nothing from `candidate` to `taken` in this list, but instead

        competing    int32 [1]     number of candidates

    A query sees only items with strictly earlier times than its answer: the items of one basket never see each other.
    Negative events are part of histories, but never answers. An item that a user takes again is an answer again, even
    where repeats are not right answers in evaluation: leaving them out made the other answers worse (Online Retail,
    validation NDCG@10 .053 instead of .065).

    Args:
      histories: training events by user.
      features: gives the features of item rows.
      items: N, the number of items.
      max_length: L, the length of the longest history that a query sees.
      batch_size: B, mean number of histories per batch.
      seed: seed of the order of histories, of random changes of features, and of the drawn candidates.
      retrieval: which items compete.
      users: features of users by name, arrays with first dimension U.
      own: what objectives add to each batch.
    """

    def __init__(
        self,
        histories: Histories,
        features: FeatureSource,
        items: int,
        max_length: int,
        batch_size: int,
        seed: int,
        retrieval: RetrievalConfig,
        users: Mapping[str, np.ndarray] = MappingProxyType({}),
        own: Sequence[OwnExamples] = (),
    ):
        self._own = own
        self._rows, self._features, self._users = histories.rows, features, users
        self._time, self._context = histories.time, histories.context
        self._seed = seed
        self._distinct = _distinct_by_user(histories.liked.rows, items)
        self._user, self._start, self._length, self._asked, self._sees = _windows(histories, max_length)
        per_batch = len(self._asked.values) / math.ceil(len(self._user) / batch_size)
        asked = self._asked.lengths[np.lexsort((self._asked.lengths, self._length))]
        batch = ((np.cumsum(asked) - asked / 2) / per_batch).astype(np.int64)  # of each window
        self._bounds = np.append(np.flatnonzero(np.diff(batch, prepend=-1)), len(batch))
        counts = histories.counts(items)
        if retrieval.negatives == "catalog":  # also items with negative events only: histories read them
            counts = np.bincount(histories.rows.values, minlength=items + 1)
        self._candidates = CandidateSampler(retrieval, counts, per_batch)
        self._weight = None
        if histories.weight is not None:
            asked = histories.weight[self._asked.values]
            largest = asked.max(initial=0.0)  # divided by it first: a sum of the largest floats is infinite
            self._weight = (histories.weight / largest / (asked / largest).mean()).astype(np.float32)
        self._with_taken = bool(retrieval.hard_negatives or retrieval.memory)

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return len(self._bounds) - 1

    @property
    def queries(self) -> int:
        """Queries per epoch."""
        return len(self._asked.values)

    def epoch(self, epoch: int) -> Iterator[dict[str, np.ndarray]]:
        """Yields the batches of an epoch; the same seed and epoch give the same batches.

        Windows of similar length are in one batch, so that there is little padding. All batches have about the same
        number of queries, so that each query counts alike: a batch has many short windows or few long ones.
        """
        rng = np.random.default_rng([self._seed, epoch])
        order = np.lexsort((rng.random(len(self._user)), self._asked.lengths, self._length))
        own = [
            part.epoch(np.random.default_rng([self._seed, epoch, place]), self.steps)
            for place, part in enumerate(self._own, start=1)
        ]
        for batch in rng.permutation(self.steps):
            windows = order[self._bounds[batch] : self._bounds[batch + 1]]
            yield self._batch(windows, rng, [next(part) for part in own])

    def dataset(self, first_epoch: int = 0) -> tf.data.Dataset:
        """Returns an endless data set with the batches of all epochs from `first_epoch` on."""

        def batches():
            epoch = first_epoch
            while True:
                yield from self.epoch(epoch)
                epoch += 1

        rng = np.random.default_rng(0)
        sample = self._batch(np.arange(1), rng, [next(part.epoch(rng, self.steps)) for part in self._own])
        varying = self._features.longest | {"history", schema.HISTORY_TIME, schema.HISTORY_EVENT}

        def spec(name: str, array: np.ndarray) -> tf.TensorSpec:
            free = 2 if name in varying else 1
            return tf.TensorSpec([None] * free + list(array.shape[free:]), array.dtype)

        signature = {name: spec(name, array) for name, array in sample.items()}
        return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)

    def _batch(self, windows: np.ndarray, rng: np.random.Generator, own: Sequence[OwnPart]) -> dict[str, np.ndarray]:
        start, length = self._start[windows], self._length[windows]
        column = np.arange(length.max(initial=1))
        inside = column < length[:, None]
        index = np.where(inside, start[:, None] + column, 0)
        history = np.where(inside, self._rows.values[index], 0)  # [B, L]
        asked = self._asked.take(windows)  # positions in the flat events
        answers = self._rows.values[asked.values]  # [Q]
        competing, competes = self._candidates.draw(answers, rng)  # [C]
        whole = self._candidates.is_whole_catalog
        first = np.append(0, competing) if whole else np.union1d(np.append(competing, 0), history)  # first[0] == 0
        further = np.setdiff1d(np.concatenate([part.rows for part in own]), first) if own else first[:0]
        rows = np.concatenate([first, further])  # [U]
        place = _places(first, further)
        positive = np.searchsorted(competing, answers)  # [Q]
        batch = {
            "rows": rows.astype(np.int32),
            "history": place(history),
            "query": np.stack([asked.row_of_value, self._sees.take(windows).values], axis=1).astype(np.int32),
            "positive": positive.astype(np.int32),
            **self._features.rows(rows, Draw(rng, place(np.unique(answers)))),
            **self._context.inputs(index, length, now=self._time[start + length]),
            **{name: values[self._user[windows]] for name, values in self._users.items()},
        }
        if self._weight is not None:
            batch["weight"] = self._weight[asked.values]
        if whole:
            batch["competing"] = np.array([len(competing)], np.int32)
        else:
            batch |= self._competition(windows, competing, competes, place)
        for part in own:
            added = part.arrays(place)
            if twice := added.keys() & batch.keys():
                raise ValueError(f"the names of an objective's arrays must be its own. Received: {sorted(twice)}.")
            batch |= added
        return batch

    def _competition(
        self,
        windows: np.ndarray,
        competing: np.ndarray,
        competes: np.ndarray,
        place: Callable[[np.ndarray], np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Returns the arrays of a batch about its candidates (`competing`, int [C], item rows in ascending order)."""
        positives = self._distinct.take(self._user[windows])
        candidate = np.searchsorted(competing, positives.values)
        hit = np.isin(positives.values, competing)
        said = {
            "candidate": place(competing),
            "competes": competes,
            "log_q": self._candidates.log_q[competing],
            "positive_pairs": np.stack([positives.row_of_value[hit], candidate[hit]], axis=1).astype(np.int32),
        }
        if self._with_taken:
            said["taken"] = np.stack([positives.row_of_value, positives.values], axis=1).astype(np.int32)
        return said


def _places(first: np.ndarray, further: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Returns a function from item rows, int [...], to positions in two joined sorted arrays, int32 [...]."""

    def place(rows: np.ndarray) -> np.ndarray:
        places = np.searchsorted(first, rows)
        if len(further):
            behind = ~np.isin(rows, first)
            places = np.where(behind, len(first) + np.searchsorted(further, rows), places)
        return places.astype(np.int32)

    return place


def _distinct_by_user(rows: Ragged, items: int) -> Ragged:
    pair = distinct(rows.row_of_value * (items + 1) + rows.values)
    return Ragged.grouped(pair // (items + 1), pair % (items + 1), len(rows))


def _windows(histories: Histories, max_length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Ragged, Ragged]:
    """Cuts each user's events into windows with at most L visible items; each event is an answer exactly once.

    The first L + 1 events are the answers of the first window, the next L / 2 those of the second, and so on. An answer
    in a later window sees at least L / 2 and at most L events before it.

    Returns:
      user, start (position in the flat events) and length of each window; and per window the positions of its answers,
      and how many of the window's items each of them sees.
    """
    first, end = histories.rows.offsets[:-1], histories.rows.offsets[1:]  # [U]
    stride = max(1, max_length // 2)
    windows = np.where(end > first, 1 + -(-np.maximum(0, end - first - max_length - 1) // stride), 0)  # [U]
    user = np.repeat(np.arange(len(windows)), windows)  # [W]
    number = np.arange(len(user)) - np.repeat(np.cumsum(windows) - windows, windows)  # per user, from 0
    first, end = first[user], end[user]
    high = np.minimum(end, first + max_length + 1 + number * stride)
    low = np.where(number == 0, first, first + max_length + 1 + (number - 1) * stride)
    begin = np.maximum(first, high - 1 - max_length)
    window = np.repeat(np.arange(len(user)), high - low)  # [V], of each event, which is an answer in one window
    sees = _basket_start(histories) - begin[window]
    may_answer = True if histories.context.negative is None else ~histories.context.negative
    # In a later window, a basket that fills all of it would look like "no history".
    asked = np.flatnonzero(((sees > 0) | (begin == first)[window]) & may_answer)
    window, sees = window[asked], sees[asked]
    kept = distinct(window)
    length = np.zeros(len(user), np.int64)
    np.maximum.at(length, window, sees)
    place = np.searchsorted(kept, window)
    parts = [Ragged.grouped(place, values, len(kept)) for values in (asked, sees)]
    return user[kept], begin[kept], length[kept], *parts


def _basket_start(histories: Histories) -> np.ndarray:
    """Returns int64 [V], for each event the position of the first event of the same user and time."""
    if not len(histories.time):
        return np.zeros(0, np.int64)
    user = histories.rows.row_of_value
    new = np.append(True, (user[1:] != user[:-1]) | (histories.time[1:] != histories.time[:-1]))
    return np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))
