"""What do the two baselines reach on public data?

Each user's last item is the test, the one before it the validation, the rest is training. Both parts are asked of the
same fit on training; the test's history has the validation item too. Nothing here chooses a parameter.

    python -m benchmarks.baselines [--json FILE] [--quick]

Reads `amazon_beauty` and `amazon_sports` (5-core events as in S3-Rec, doi:10.1145/3340531.3411954) from the folder
MMREC_DATA, by default ../shared/data beside the checkout. `--quick` reads Beauty only and judges 5,000 users.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from benchmarks.common import Rows, data
from mmrec.data.item_knn import ItemKNN
from mmrec.data.ragged import Ragged
from mmrec.data.splits import Queries
from mmrec.evaluation.baselines import Popularity
from mmrec.evaluation.evaluator import evaluate
from mmrec.evaluation.ranking import embedding_scorer, rank


def read(name: str) -> tuple[Ragged, int]:
    """Returns each user's item rows in order of time, and the number of items."""
    table = pd.read_csv(data(name, "interactions.csv.gz")).sort_values(["user_id", "timestamp"], kind="stable")
    user, item = pd.factorize(table["user_id"])[0], pd.factorize(table["item_id"])[0] + 1
    return Ragged.grouped(user, item, int(user.max()) + 1), int(item.max())


def leave_one_out(events: Ragged, back: int) -> Queries:
    """Asks for each user's event `back` from the end, given those before it."""
    position = np.arange(len(events.values)) - np.repeat(events.offsets[:-1], events.lengths)
    answer = np.repeat(events.lengths - back, events.lengths)
    history, relevant = events.where(position < answer), events.where(position == answer)
    seen = Ragged.of([np.unique(row) for row in history])
    return Queries(np.arange(len(events), dtype=np.int32), history, seen, relevant, {})


def first(queries: Queries, count: int | None) -> Queries:
    """Returns the first `count` queries."""
    if count is None:
        return queries
    kept = np.arange(min(count, len(queries.user)))
    parts = (queries.history.take(kept), queries.seen.take(kept), queries.relevant.take(kept))
    return Queries(queries.user[kept], *parts, queries.dropped)


def main() -> None:
    rows = Rows(__doc__)
    limit = 5000 if rows.options.quick else None
    for name in ("amazon_beauty",) if rows.options.quick else ("amazon_beauty", "amazon_sports"):
        events, items = read(name)
        validation, test = leave_one_out(events, 2), leave_one_out(events, 1)
        started = time.perf_counter()
        neighbours = ItemKNN().fit(validation.history, items)
        rows.add(f"{name}/item_knn/fit", time.perf_counter() - started, "s")
        popularity = Popularity(np.bincount(validation.history.values, minlength=items + 1))
        for part, every in (("validation", validation), ("test", test)):
            queries = first(every, limit)
            for model, scorer in (("popularity", popularity), ("item_knn", neighbours.scorer(queries.history))):
                metrics = evaluate(scorer, queries, items, (10,)).metrics
                for metric in ("hit_rate@10", "ndcg@10"):
                    ci95 = metrics[f"{metric}_ci95"]
                    rows.add(f"{name}/{model}/{part}/{metric}", metrics[metric], "mean over users", ci95=ci95)
        queries, generator = first(test, limit), np.random.default_rng(0)
        dim64 = embedding_scorer(
            generator.standard_normal((len(queries.user), 64), np.float32),
            generator.standard_normal((items + 1, 64), np.float32),
        )
        for label, top_k in (("ranks", 0), ("ranks and top 50", 50)):
            started = time.perf_counter()
            rank(dim64, queries, items, top_k)
            rows.add(f"{name}/{label}, d 64", len(queries.user) / (time.perf_counter() - started), "queries/s")
    rows.write()


if __name__ == "__main__":
    main()
