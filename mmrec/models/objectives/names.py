"""The built-in objectives by name, and those that a config asks for."""

from __future__ import annotations

from mmrec.config import Config
from mmrec.data.shop_tables import Tables
from mmrec.models.objectives.alignment import AlignmentObjective
from mmrec.models.objectives.objective import Objective
from mmrec.models.objectives.retrieval import RetrievalObjective
from mmrec.registry import find

OBJECTIVES = {"retrieval": RetrievalObjective, "alignment": AlignmentObjective}


def build_objectives(config: Config, tables: Tables, dim: int) -> list[tuple[Objective, float]]:
    """Returns the objectives that the config asks for, with their weights; arguments as of `Objective.build_for`.

    Raises:
      InputError: a class in `training.objectives` cannot be found.
    """
    wanted = [(kind, kind.weight_in(config)) for kind in OBJECTIVES.values()]
    wanted += [(find("objective", name, {}), weight) for name, weight in config.training.objectives.items()]
    return [(kind.build_for(config, tables, dim), weight) for kind, weight in wanted if weight]
