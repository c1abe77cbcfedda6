"""Builds the model that a config names."""

from __future__ import annotations

from mmrec.config import Config
from mmrec.data.shop_tables import Tables
from mmrec.errors import Faults
from mmrec.export.signatures.names import find_signatures
from mmrec.modalities.attributes.tower import AttributesTower
from mmrec.modalities.names import ITEM_ID, MODALITIES, find_modality, modality_classes
from mmrec.modalities.prepared import Prepared
from mmrec.models.losses import LOSSES
from mmrec.models.objectives.names import build_objectives
from mmrec.models.two_tower import TwoTowerModel
from mmrec.registry import find
from mmrec.seeded import seeded
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.context import ContextTower
from mmrec.towers.fusion import FUSIONS
from mmrec.towers.history import HISTORY_TOWERS
from mmrec.towers.query import QueryTower


def check_classes(config: Config) -> None:
    """Raises InputError where the config names a fusion, tower, loss, modality, signature ... that does not exist."""
    faults = Faults()
    for kind, name, classes in (
        ("fusion", config.item.fusion, FUSIONS),
        ("history tower", config.query.history, HISTORY_TOWERS),
        ("loss", config.retrieval.loss, LOSSES),
        *(("objective", name, {}) for name in config.training.objectives),
    ):
        with faults.collected():
            find(kind, name, classes)
    with faults.collected():
        modality_classes(config)
    for name in dict.fromkeys((*MODALITIES, *config.item.modalities)):
        with faults.collected():
            find_modality(name).require_settings(config)
    with faults.collected():
        find_signatures(config.export.signatures)
    faults.raise_any()


def build_model(config: Config, prepared: Prepared, tables: Tables) -> TwoTowerModel:
    """Builds the two-tower model that the config names; the seed determines its weights.

    Keras draws some of them only at the first call: make that call within `seeded`, too, as `training.trainer.fit`
    does.

    Args:
      config: decided (see `jobs.resolve`).
      prepared: the prepared modalities.
      tables: the data.
    """
    item, unit = config.item, config.retrieval.similarity == "cosine"
    history = find("history tower", config.query.history, HISTORY_TOWERS)
    with seeded(config.seed):
        towers = {name: modality.tower() for name, modality in prepared.modalities.items()}
        hidden = dict.fromkeys(towers, item.modality_dropout) | {ITEM_ID: item.item_id.dropout}
        candidate_tower = CandidateTower(towers, item.fusion, item.dim, hidden, unit)
        fusion = candidate_tower.fusion
        dim = fusion.output_dim
        query_tower = QueryTower(history(dim, config.query), fusion, unit, _context_tower(config, tables, dim))
        return TwoTowerModel(candidate_tower, query_tower, build_objectives(config, tables, dim))


def _context_tower(config: Config, tables: Tables, dim: int) -> ContextTower | None:
    user_tower = None
    if tables.users:
        user_tower = AttributesTower(config.item.attributes, tables.users.encoder.sizes, dim)
    if not config.query.context and user_tower is None:
        return None
    types, gap = tables.events.event_types, tables.split.train.median_gap
    return ContextTower(dim, config.query, len(types), user_tower, gap)
