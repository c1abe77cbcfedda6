"""Config and features to a model."""

from __future__ import annotations

import tf_keras

from mmrec.config import Config
from mmrec.errors import Faults
from mmrec.export.signatures.names import find_signatures
from mmrec.jobs.prepare import Prepared
from mmrec.modalities.attributes.tower import AttributesTower
from mmrec.modalities.names import ITEM_ID, MODALITIES, find_modality, modality_classes
from mmrec.models.hard_negatives import HardNegatives
from mmrec.models.losses import LOSSES
from mmrec.models.memory import Memory
from mmrec.models.retrieval import RetrievalTask
from mmrec.models.two_tower import TwoTowerModel
from mmrec.registry import find
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.context import ContextTower
from mmrec.towers.fusion import FUSIONS
from mmrec.towers.history import HISTORY_TOWERS
from mmrec.towers.query import QueryTower


def check_classes(config: Config) -> None:
    """Raises InputError where the config names a fusion, tower, loss, modality or signature that is none."""
    faults = Faults()
    for kind, name, known in (
        ("fusion", config.item.fusion, FUSIONS),
        ("history tower", config.query.history, HISTORY_TOWERS),
        ("loss", config.retrieval.loss, LOSSES),
    ):
        with faults.collected():
            find(kind, name, known)
    with faults.collected():
        modality_classes(config)
    for name in dict.fromkeys((*MODALITIES, *config.item.modalities)):
        with faults.collected():
            find_modality(name).require_settings(config)
    with faults.collected():
        find_signatures(config.export.signatures)
    faults.raise_any()


def build_model(config: Config, prepared: Prepared) -> TwoTowerModel:
    """Builds the two-tower model that the config names; its weights follow from the seed."""
    tf_keras.utils.set_random_seed(config.seed)
    item = config.item
    towers = {name: modality.tower() for name, modality in prepared.modalities.items()}
    hidden = dict.fromkeys(towers, item.modality_dropout) | {ITEM_ID: item.item_id.dropout}
    unit = config.retrieval.similarity == "cosine"
    candidate_tower = CandidateTower(towers, item.fusion, item.dim, hidden, unit)
    fusion = candidate_tower.fusion
    history = find("history tower", config.query.history, HISTORY_TOWERS)
    retrieval, competing, dim = config.retrieval, prepared.competing, fusion.output_dim
    memory = Memory(retrieval.memory, dim) if retrieval.memory else None
    hard_negatives = HardNegatives(retrieval.hard_negatives, competing, dim) if retrieval.hard_negatives else None
    return TwoTowerModel(
        candidate_tower,
        QueryTower(history(dim, config.query), fusion, unit, _context_tower(config, prepared, dim)),
        RetrievalTask(retrieval, int(competing.sum()), memory, hard_negatives),
        retrieval.alignment,
    )


def _context_tower(config: Config, prepared: Prepared, dim: int) -> ContextTower | None:
    user_tower = None
    if prepared.users:
        user_tower = AttributesTower(config.item.attributes, prepared.users.encoder.sizes, dim)
    if not config.query.context and user_tower is None:
        return None
    return ContextTower(dim, config.query, len(prepared.event_types), user_tower, prepared.typical_gap)
