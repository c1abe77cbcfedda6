"""Small worlds for the tests of the data layer."""

import numpy as np

from mmrec.data.interactions import Interactions
from mmrec.data.ragged import Ragged
from mmrec.data.splits import Histories


def make_events(rows):
    """Builds sorted events from tuples (user, item row, time) or (user, item row, time, positive)."""
    rows = sorted(((*row, True)[:4] for row in rows), key=lambda row: (row[0], row[2], row[1]))
    user, row, time, positive = (np.array(column) for column in zip(*rows, strict=True))
    names = np.array([f"u{one}" for one in range(user.max() + 1)], dtype=object)
    return Interactions(
        names, user.astype(np.int32), row.astype(np.int32), time.astype(np.float64), positive.astype(bool), {}
    )


def random_events(seed, users=20, items=30, events=300, times=60):
    """Draws events whose times collide often, so that there are baskets and repeats."""
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, users, events), rng.integers(1, items + 1, events), rng.integers(0, times, events))
    return list(zip(*(draw.tolist() for draw in draws), (rng.random(events) < 0.8).tolist(), strict=True))


def make_histories(*users):
    """Builds histories from lists of (item row, time)."""
    rows = Ragged.of([[row for row, _ in user] for user in users])
    return Histories(rows, np.array([time for user in users for _, time in user], np.float64))


def listed(ragged):
    """Returns a `Ragged` as lists."""
    return [ragged[row].tolist() for row in range(len(ragged))]
