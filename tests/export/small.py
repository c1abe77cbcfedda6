"""Parts of an export that takes a second: five items known by their id, a history that is the mean of its items."""

from dataclasses import replace

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec.config.query import QueryConfig
from mmrec.export.saved_model import Samples
from mmrec.export.serving_module import Parts, ServingModule
from mmrec.export.signatures.names import serve
from mmrec.export.signatures.signature import Sample
from mmrec.export.trained_model import trace_model
from mmrec.index.item_table import ItemTable
from mmrec.manifest import EventRules, Interface
from mmrec.modalities.item_id.reader import ItemIdReader
from mmrec.modalities.item_id.tower import ItemIdTower
from mmrec.schema import Field
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.query import QueryTower

CONFIG = {  # the part of a training's config that an export reads or describes
    "data": {"catalog": {"path": "items.csv"}, "interactions": {"path": "events.csv"}},
    "item": {"modalities": ["item_id"]},
    "query": {"max_length": 3},
    "retrieval": {"repeat_consumption": False},
}
INTERFACE = Interface(
    fields=[Field("item_id", "item_id", "item_id", "id")],
    filters=[],
    id_columns=["item_id"],
    files={},
    events=EventRules(),
    max_length=3,
)
IDS = np.array(["", "a", "b", "c", "d", "e"], object)


def small_parts(**changes):
    """Items a to e lie on an arc, each next to the one before; `changes` replace fields of `Parts` and of its model."""
    ids = changes.get("ids", IDS)
    tower = CandidateTower({"item_id": ItemIdTower(5, 2)}, "concatenation", 2)
    tower({"item_id_row": tf.range(6)})
    angle = 0.2 * np.arange(5)
    wanted = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    # The fusion normalises: any two different rows will do for the tower, the table is what it makes of them.
    table = np.concatenate([np.zeros((1, 2)), tower({"item_id_row": tf.range(1, 6)}).numpy()]).astype(np.float32)
    if changes.pop("arc", True):
        table[1:] = wanted
    query_tower = QueryTower(MeanHistory(2, QueryConfig(dropout=0.0)), tower.fusion)
    query_tower(tf.zeros([1, 1, 2]))
    model = {
        "readers": [ItemIdReader(ids, np.arange(6, dtype=np.int32))],
        "candidate_tower": tower,
        "query_tower": query_tower,
        "context": None,
    }
    model |= {name: changes.pop(name) for name in model if name in changes}
    parts = {
        "ids": IDS,
        "table": ItemTable.of(table),
        "model": trace_model(**model),
        "max_length": 3,
        "default_k": 2,
        "exclude_history": True,
    }
    return Parts(**parts | changes)


def served(parts):
    """Returns the serving module of parts, and its signatures by name; their examples ask with empty fields."""

    def nothing(inputs):
        return {
            name: np.full([size or 1 for size in spec.shape], "" if spec.dtype == tf.string else np.nan, object)
            for name, spec in inputs.items()
        }

    sample = Sample(np.array([["a"]], object), nothing(parts.model.context_inputs), nothing(parts.model.item_inputs))
    module = ServingModule(parts)
    return module, serve(module, sample)


def functions(parts):
    """Returns the serving functions of parts by name."""
    return {name: one.function for name, one in served(parts)[1].items()}


def small_version(**changes):
    """Returns the arguments of `write_version` except the folder; `changes` as in `small_parts`."""
    parts = small_parts(arc=False, **changes)
    ids = parts.ids
    payload = pd.DataFrame({"item_id": ids[1:], "title": list("ABCDE"), "digest": ["0"] * 5})
    rows = np.array([1, 4])
    history = tf.gather(parts.table.scored, [[0, 0, 0], [1, 2, 3]])
    samples = Samples(
        rows=rows,
        items={"item_id": ids[rows]},
        histories=np.array([["", "", ""], ids[1:4]], object),
        queries=parts.model.query(history, tf.constant([[0, 0, 0], [1, 2, 3]]), {}).numpy(),
    )
    return parts, payload, replace(INTERFACE, filters=[*parts.filters]), {"config": CONFIG, "metrics": {}}, samples
