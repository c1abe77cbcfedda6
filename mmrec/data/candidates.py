"""Chooses the items that compete in a step of training."""

from __future__ import annotations

import numpy as np

from mmrec.config.retrieval import RetrievalConfig


class CandidateSampler:
    """Chooses the items that compete in a step, and knows how likely each item is to be among them.

    Args:
      config: `negatives` (not `auto`), `negative_samples`, `sampling_power`.
      train_counts: int64 [N + 1], training answers by item row; only items that have any compete.
      per_batch: mean number of right answers per batch.

    Attributes:
      log_q: float32 [N + 1] by item row, natural log of the probability that an item competes in a step with a query
        that it does not answer; -inf where that never happens.

    Source: `mixed` as in Yang et al., WWW 2020, doi:10.1145/3366424.3386195; the power as in Mikolov et al., NeurIPS
      2013, arXiv:1310.4546. We draw distinct items, so the probabilities are those of being drawn at all.
    """

    def __init__(self, config: RetrievalConfig, train_counts: np.ndarray, per_batch: float):
        self._rows = np.flatnonzero(train_counts)  # [C]
        self._kind, most = config.negatives, min(config.negative_samples, len(self._rows))
        counts = train_counts[self._rows]
        answered = _at_least_once(counts / max(1, counts.sum()), per_batch)
        self._weight = None
        if self._kind == "catalog":
            probability = np.ones(len(self._rows))
        elif self._kind == "in_batch":
            probability = answered
        elif self._kind == "mixed":
            self._draws, drawn = most, most / max(1, len(self._rows))
            probability = 1 - (1 - answered) * (1 - drawn)
        elif self._kind == "sampled":
            weight = counts**config.sampling_power
            self._draws, self._weight = most, weight / weight.sum()
            probability = _at_least_once(self._weight, most)
        else:
            raise ValueError(f"`negatives` must be catalog, in_batch, mixed or sampled. Received: {self._kind!r}.")
        self.log_q = np.full(len(train_counts), -np.inf, np.float32)
        with np.errstate(divide="ignore"):
            self.log_q[self._rows] = np.log(probability)

    @property
    def is_whole_catalog(self) -> bool:
        """Whether every item that can compete does so in every step."""
        return self._kind == "catalog"

    def draw(self, answers: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Chooses the items of one step.

        Args:
          answers: int [Q], the item rows of the step's right answers.
          rng: source of the random draws.

        Returns:
          int [C], distinct item rows in ascending order, with all `answers`; and bool [C], whether each competes with
          queries that it does not answer.
        """
        if self._kind == "catalog":
            return self._rows, np.ones(len(self._rows), bool)
        if self._kind == "in_batch":
            rows = np.unique(answers)
            return rows, np.ones(len(rows), bool)
        if self._weight is None:
            rows = np.union1d(answers, rng.choice(self._rows, self._draws, replace=False, shuffle=False))
            return rows, np.ones(len(rows), bool)
        drawn = rng.choice(self._rows, self._draws, p=self._weight)
        rows = np.union1d(answers, drawn)
        return rows, np.isin(rows, drawn)


def _at_least_once(probability: np.ndarray, draws: float) -> np.ndarray:
    """Returns float64 [C], the probability that each item is among `draws` draws with these probabilities."""
    return -np.expm1(draws * np.log1p(-np.minimum(probability, 1 - 1e-9)))
