"""Catalogs for tests: read as the modalities read them, or made of content by hand."""

import numpy as np
import pandas as pd

from mmrec.config import Config
from mmrec.data.catalog import Catalog
from mmrec.data.content import ColumnContent
from mmrec.data.media import FileContent
from mmrec.modalities.catalog import read_catalog
from mmrec.modalities.features.content import VectorContent
from mmrec.modalities.image.content import PhotoContent


def load_catalog(catalog, modalities, tfds_dir=None, as_written=False):
    """Reads a catalog by its section of the config, which needs no interactions here."""
    config = Config.load(**{"item.modalities": list(modalities)})
    data = config.data.model_copy(update={"catalog": catalog, "tfds_dir": tfds_dir})
    return read_catalog(config.model_copy(update={"data": data}), as_written)


def objects(values):
    """Returns values of any kind as an array of objects [N]."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def photos(*files, **options):
    """Returns the photos of items: paths, bytes, None, or tuples."""
    return PhotoContent(objects(files), **options)


def catalog_of(ids, payload=None, source_rows=None, **content):
    """Makes a catalog of items; `content` by modality: files, texts or attributes by column, or vectors."""
    ids = objects(ids)
    payload = pd.DataFrame({"item_id": ids}) if payload is None else payload
    rows = np.arange(len(ids)) if source_rows is None else np.asarray(source_rows)
    return Catalog(ids, {name: _content(name, values) for name, values in content.items()}, payload, rows)


def _content(name, values):
    if isinstance(values, dict):
        return ColumnContent(values)
    if name == "features":
        return VectorContent(values)
    return photos(*values) if name == "image" else FileContent(objects(values))
