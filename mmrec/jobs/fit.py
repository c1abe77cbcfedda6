"""Checked tables to a trained model, chosen on validation; neither judged on test nor exported."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache

import tf_keras

from mmrec.after_training.fitted import Fitted
from mmrec.after_training.steps import fit_beside
from mmrec.config import Config
from mmrec.data.shop_tables import Tables
from mmrec.data.similarity import mean_cosine
from mmrec.jobs.build import build_model
from mmrec.jobs.judge import validation_judge
from mmrec.jobs.prepare import examples, prepare, require_difference
from mmrec.modalities.catalog import masked_files
from mmrec.modalities.prepared import Prepared
from mmrec.models.two_tower import TwoTowerModel
from mmrec.progress import say
from mmrec.seeded import seeded
from mmrec.training.embedder import Embedder
from mmrec.training.run_folder import RunFolder
from mmrec.training.trainer import fit


def fit_model(
    config: Config,
    tables: Tables,
    run: RunFolder,
    callbacks: Sequence[tf_keras.callbacks.Callback] = (),
    lap: Callable[[str], None] = lambda stage: None,
) -> Fitted:
    """Trains a model and chooses its epoch on validation; never reads `tables.split.test`, exports nothing.

    Args:
      config: what to train, decided (see `jobs.resolve`).
      tables: the data.
      run: where checkpoints and history go; continues from the checkpoint in it.
      callbacks: as for `train`.
      lap: is told when the stages `prepare` and `train` end.

    Raises:
      InputError, TrainingError: as `train`.
    """
    prepared = prepare(config, tables)
    require_difference(prepared, tables.vocabulary.items)
    model = build_model(config, prepared, tables)
    fitted = _fitted(config, tables, prepared, model)
    batches = examples(config, tables, prepared.features, model)
    size = f"{fitted.items:,} items, {len(tables.events):,} events, {batches.queries:,} training queries"
    say(f"{size}; negatives: {config.retrieval.negatives}; run {run.path}")
    if masked := masked_files(config, {**tables.catalog.counts, **prepared.counts}):
        say(f"masked: {masked}")
    if tables.users is not None:
        say(f"attributes of {tables.users.covered:,} of {len(tables.events.user_ids):,} users")
    run.keep_learnt(_learnt(tables, prepared))
    lap("prepare")

    def refresh() -> None:
        prepared.refresh(model.candidate_tower.towers)
        item_table = cache(lambda: fitted.item_table().scored)
        for objective in model.objectives:
            objective.follow(item_table)

    @cache
    def alike_before() -> float:
        if prepared.pretrained_variables:  # these have moved since
            return 0.0
        with seeded(config.seed):  # made anew as training began: seldom asked for
            begun = build_model(config, prepared, tables)
            return mean_cosine(_fitted(config, tables, prepared, begun).item_table().scored[1:])

    def judge(fitted: Fitted) -> Callable[[], dict[str, float]]:
        return validation_judge(config, tables, fitted.item_table, fitted.embedder.queries, alike_before)

    fit(model, batches, judge(fitted), config, run, callbacks, prepared.pretrained_variables, refresh)
    prepared.refresh(model.candidate_tower.towers)
    fitted = fit_beside(config, tables, fitted)
    if config.retrieval.neighbours:
        fitted = dataclasses.replace(fitted, ndcg=judge(fitted)()["ndcg@10"])
    lap("train")
    return fitted


def _learnt(tables: Tables, prepared: Prepared) -> dict[str, bytes]:
    """Returns the files that a later training on a changed catalog takes up, by name."""
    of_users = {"users.json": tables.users.encoder.to_bytes()} if tables.users else {}
    return {"items.json": tables.vocabulary.to_bytes(), **of_users, **prepared.learnt()}


def _fitted(config: Config, tables: Tables, prepared: Prepared, model: TwoTowerModel) -> Fitted:
    length, users = config.query.max_length, tables.user_features()
    embedder = Embedder(model.candidate_tower, model.query_tower, length, users)
    return Fitted(prepared, model, embedder, tables.vocabulary.items)
