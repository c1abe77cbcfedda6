"""An export to be refreshed: 24 items with a vector each, an id table and neighbour factors; nothing is trained."""

import numpy as np
import pandas as pd
import tensorflow as tf
import tf_keras

import mmrec
from mmrec import schema
from mmrec.config import Config
from mmrec.data.raw_items import RawItems
from mmrec.export.saved_model import Samples, write_version
from mmrec.export.serving_module import Parts
from mmrec.export.stated import stated_interface
from mmrec.export.trained_model import trace_model
from mmrec.index.build import build_index
from mmrec.index.item_table import ItemTable
from mmrec.modalities.catalog import read_catalog
from mmrec.modalities.features.reader import VectorReader
from mmrec.modalities.features.tower import FeaturesTower
from mmrec.modalities.fields import item_fields
from mmrec.modalities.item_id.reader import ItemIdReader
from mmrec.modalities.item_id.tower import ItemIdTower
from mmrec.towers.candidate import CandidateTower
from mmrec.towers.history_recurrent import MeanHistory
from mmrec.towers.neighbours import NeighbourCandidate, NeighbourQuery
from mmrec.towers.query import QueryTower

COUNT, DIM, RANK = 24, 4, 2


def items():
    """Returns the catalog: i00 to i23, whose vectors go round a circle; the last three have no training events."""
    angle = 2 * np.pi * np.arange(COUNT) / COUNT
    names = [f"i{number:02}" for number in range(COUNT)]
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    kinds = np.where(np.arange(COUNT) % 2, "mug", "lamp")
    return pd.DataFrame({"item_id": names, "vector": list(vectors), "title": names, "kind": kinds})


def write(path, table):
    """Writes a catalog; returns its path."""
    table.to_parquet(path, index=False)
    return path


def write_export(folder, modalities=("features", "item_id"), by_file=True, **export):
    """Exports a model of random weights as `folder/shop/1`; returns that. `by_file`: with digests of files."""
    path = write(folder / "items.parquet", items())
    columns = {"text": [], "image": None, "features": "vector", "payload": ["title"], "filters": ["kind"]}
    config = Config.load(
        name="shop",
        data={"catalog": {"path": path, **columns}, "interactions": None},
        item={"modalities": modalities, "dim": DIM},
        query={"history": "mean", "max_length": 3, "dropout": 0.0},
        export={"k": 3, **export},
    )
    catalog = read_catalog(config)
    model = _model(config, np.array(["", *catalog.item_ids], object))
    raw = RawItems(catalog, item_fields(config), by_file)
    columns = raw.columns([raw.item(item) for item in range(COUNT)])
    vectors = model.embed({name: tf.constant(values.tolist()) for name, values in columns.items()})["vector"].numpy()
    table = ItemTable.split(np.concatenate([np.zeros([1, vectors.shape[1]], np.float32), vectors]), RANK)
    asked = np.random.default_rng(0).standard_normal((50, DIM + RANK)).astype(np.float32)
    index, about = build_index(table.scored, config.export, lambda: (asked, np.zeros([50, 1], np.int32)))
    parts = Parts(
        ids=np.array(["", *catalog.item_ids], object),
        table=table,
        model=model,
        max_length=3,
        default_k=3,
        exclude_history=True,
        filters=catalog.filters,
        index=index,
        signatures=config.export.signatures,
    )
    kept = np.concatenate([index.embeddings().numpy()[1:2], table.read[1:2]], axis=1)
    samples = Samples(
        rows=np.array([1]),
        items={name: values[:1] for name, values in columns.items()},
        histories=np.array([["i00"]], object),
        queries=model.query(tf.constant(kept[np.newaxis]), tf.constant([[1]]), {}).numpy(),
        rounding=np.array([0.02]),
    )
    digests = [raw.digest(item) for item in range(COUNT)]
    manifest = {
        **({schema.FILE_DIGESTS: True} if by_file else {}),
        "run": "trained",
        "config": config.model_dump(mode="json"),
        "metrics": {},
        "data": {"items": COUNT},
    }
    interface = stated_interface(config, raw.fields, catalog.filters, ["A note."])
    payload = catalog.payload.assign(digest=digests)
    return write_version(folder / "shop", parts, payload, interface, manifest | {"index": about}, samples)


def _model(config, ids):
    tf_keras.utils.set_random_seed(0)
    trained = np.where(np.arange(COUNT + 1) <= COUNT - 3, np.arange(COUNT + 1), 0).astype(np.int32)
    towers = {"item_id": ItemIdTower(COUNT - 3, DIM)}
    readers = {"item_id": ItemIdReader(ids, trained), "features": VectorReader(2)}
    if "features" in config.item.modalities:
        towers = {"features": FeaturesTower(config.item.features, np.zeros(2), np.ones(2), DIM), **towers}
    readers = [readers[name] for name in towers]
    tower = CandidateTower(towers, "concatenation", DIM)
    tower({"features": tf.zeros([1, 2]), "features_present": tf.constant([True]), "item_id_row": tf.constant([0])})
    factors = np.random.default_rng(1).standard_normal((2, COUNT - 2, RANK)).astype(np.float32)
    factors[:, 0] = 0  # of items without training events
    queries = QueryTower(MeanHistory(DIM, config.query), tower.fusion)
    queries(tf.zeros([1, 1, DIM]))
    near = NeighbourQuery(queries, DIM, RANK, 0.5)
    return trace_model(readers, NeighbourCandidate(tower, *factors), near)


def held(version):
    """Returns what a version holds by item id: the bytes of its scored values, and of its scale and the read ones."""
    shop, model = mmrec.load(version), tf.saved_model.load(str(version))
    stored = getattr(model.index, "exact", model.index).stored
    count = len(shop.items) + 1
    parts = [stored.codes.numpy()[:count], model.read.numpy()]
    if getattr(stored, "scale", None) is not None:
        parts.append(stored.scale.numpy()[:count])
    return {
        item: tuple(part[row].tobytes() for part in parts) for row, item in enumerate(shop.items["item_id"], start=1)
    }
