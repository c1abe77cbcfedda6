"""Evaluates a model in the same way after each epoch, after training, and from an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from mmrec.config import Config
from mmrec.data.context import QueryContext
from mmrec.data.item_knn import ItemKNN
from mmrec.data.ragged import Ragged
from mmrec.data.shop_tables import Tables
from mmrec.data.similarity import mean_cosine
from mmrec.data.splits import Queries
from mmrec.errors import TrainingError
from mmrec.evaluation.baselines import Popularity
from mmrec.evaluation.evaluator import Evaluation, evaluate
from mmrec.evaluation.ranking import Scorer, embedding_scorer
from mmrec.evaluation.report import report
from mmrec.evaluation.slices import popularity_slices
from mmrec.index.item_table import ItemTable

EmbedQueries = Callable[[ItemTable, Ragged, QueryContext | None], np.ndarray]
"""Takes the item table, Q histories of item rows, and their context; returns queries, float32 [Q, D], to compare with
the table's scored values."""

_COLLAPSED = 0.999  # mean cosine of two items above which all items look the same to the model
_LEFT = 0.1  # share of the distance to 1 before training that must be left: items may be alike from the start


def validation_judge(
    config: Config,
    tables: Tables,
    item_table: Callable[[], ItemTable],
    embed_queries: EmbedQueries,
    alike_before: Callable[[], float] = lambda: 0.0,
) -> Callable[[], dict[str, float]]:
    """Returns a function that evaluates the current model on the validation queries.

    Args:
      config: `evaluation`, `training` and `seed` are read.
      tables: the data.
      item_table: () -> the current item embeddings.
      embed_queries: see `EmbedQueries`.
      alike_before: () -> the mean cosine of two items before training; called only if all items look the same.

    Returns:
      () -> metrics by name. It raises TrainingError when the item embeddings have collapsed.
    """
    queries = tables.split.validation.sample(config.evaluation.max_validation_queries, config.seed)
    items = tables.vocabulary.items

    def judge() -> dict[str, float]:
        table = item_table()
        alike = mean_cosine(table.scored[1:])
        if alike > _COLLAPSED and 1 - alike < _LEFT * (1 - alike_before()):
            raise TrainingError(
                f"the item embeddings have collapsed: two items have a mean cosine of {alike:.4f}. Lower "
                f"`training.learning_rate` (now {config.training.learning_rate}), raise `training.batch_size` (now "
                f"{config.training.batch_size}), or check that the items' texts and photos differ."
            )
        scorer = embedding_scorer(embed_queries(table, queries.history, queries.context), table.scored)
        return evaluate(scorer, queries, items, config.evaluation.k, bootstrap_samples=0, top_k=0).metrics

    return judge


def judge(
    config: Config,
    tables: Tables,
    slices: Mapping[str, np.ndarray],
    table: ItemTable,
    embed_queries: EmbedQueries,
    keep: Callable[[Queries, Evaluation], None] | None = None,
) -> dict:
    """Evaluates a trained model on validation and test, and the baselines on test.

    Args:
      config: `evaluation` and `seed` are read.
      tables: the data.
      slices: item masks (bool [N + 1]) by name.
      table: the item embeddings.
      embed_queries: see `EmbedQueries`.
      keep: called with the test queries and the model's evaluation on them.

    Returns:
      The content of metrics.json without `seconds`.
    """
    settings, items, split = config.evaluation, tables.vocabulary.items, tables.split
    train = split.train.liked

    # The same users for every seed: runs with different seeds are compared by user.
    validation, test = (asked.sample(settings.max_test_queries, 0) for asked in (split.validation, split.test))

    def model(queries: Queries) -> Scorer:
        return embedding_scorer(embed_queries(table, queries.history, queries.context), table.scored)

    def on_test(scorer: Scorer) -> Evaluation:
        samples = settings.bootstrap_samples
        return evaluate(
            scorer, test, items, settings.k, item_slices=slices, bootstrap_samples=samples, seed=config.seed
        )

    knn = ItemKNN(own=not config.leaves_out_history).fit(train.rows, items, train.time)
    near = knn.scorer(test.liked, test.liked_times(tables.events.time))
    baselines = {"popularity": Popularity(tables.train_counts), "item_knn": near}
    of_model = on_test(model(test))
    if keep is not None:
        keep(test, of_model)
    judged = report(
        of_model,
        {name: on_test(scorer) for name, scorer in baselines.items()},
        settings.bootstrap_samples,
        config.seed,
    )
    on_validation = evaluate(model(validation), validation, items, settings.k, bootstrap_samples=0)
    skipped = {"catalog": dict(tables.catalog.counts), "interactions": dict(tables.events.counts)}
    if tables.users:
        skipped["users"] = dict(tables.users.counts)
    return {"validation": on_validation.metrics, **judged, "skipped": skipped}


def table_slices(tables: Tables) -> dict[str, np.ndarray]:
    """Returns the item slices (bool [N + 1] by name) of the report: by popularity, and by missing modality."""
    lacking = {f"missing_{name}": np.append(False, mask) for name, mask in tables.catalog.missing.items()}
    return popularity_slices(tables.train_counts) | lacking
