"""Exports a trained model to a version folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmrec import schema
from mmrec.config import Config
from mmrec.data.context import QueryContext
from mmrec.data.ragged import Ragged
from mmrec.data.raw_items import RawItems
from mmrec.data.shop_tables import Tables
from mmrec.export.context import ContextReader
from mmrec.export.saved_model import Samples, write_version
from mmrec.export.serving_module import Parts
from mmrec.export.stated import stated_interface
from mmrec.export.trained_model import trace_model
from mmrec.index.build import build_index
from mmrec.index.exact import ExactIndex
from mmrec.index.item_table import ItemTable
from mmrec.index.ivf import IvfIndex
from mmrec.index.rows import encode
from mmrec.modalities.attributes.reader import AttributesReader
from mmrec.modalities.fields import item_fields
from mmrec.modalities.prepared import Prepared
from mmrec.serving.context import context_inputs
from mmrec.training.embedder import Embedder

_COMPARED = 32  # items, and histories, on which the reloaded export must agree with the model
_HELD_OUT = 1000  # validation queries on which the index is measured


def export_model(
    config: Config,
    tables: Tables,
    prepared: Prepared,
    embedder: Embedder,
    table: ItemTable,
    metrics: dict,
    run: str = "",
) -> Path:
    """Exports a model as the next version; see `export.saved_model.write_version`.

    Args:
      config: the run's config.
      tables: the data.
      prepared: the prepared modalities, whose readers turn raw fields into features.
      embedder: embeds with the trained model.
      table: the item embeddings.
      metrics: the content of metrics.json, for the manifest.
      run: key of the run. If the run has already written a version, that one is returned.

    Returns:
      The version folder.
    """
    rng = np.random.default_rng(config.seed)
    some = rng.permutation(np.arange(1, len(table)))[:_COMPARED]
    compared = Ragged.of([rng.permutation(some)[:length] for length in range(len(some) + 1)])
    context = _some_context(tables, compared, rng)
    kept = ItemTable(encode(table.scored, config.export.index_storage).vectors(), table.read)
    queries = embedder.queries(kept, compared, context)
    index, about_index = _index(config, tables, embedder, table.scored, kept)
    model = trace_model(
        [modality.reader() for modality in prepared.modalities.values()],
        embedder.candidate_tower,
        embedder.query_tower,
        ContextReader(
            config.query.context,
            tables.events.event_types,
            AttributesReader(tables.users.encoder, tables.users.names()) if tables.users else None,
        ),
    )
    parts = Parts(
        ids=tables.vocabulary.ids,
        table=table,
        model=model,
        max_length=config.query.max_length,
        default_k=config.export.k,
        exclude_history=config.leaves_out_history,
        filters=tables.catalog.filters,
        index=index,
        signatures=config.export.signatures,
    )
    raw = RawItems(tables.catalog, item_fields(config))
    notes = [note for modality in prepared.modalities.values() for note in modality.notes(config)]
    digests = [raw.digest(item) for item in range(len(tables.catalog))]
    histories = tables.vocabulary.ids[compared.last(len(some))]
    samples = Samples(
        rows=some,
        items=raw.columns([raw.item(row - 1) for row in some]),
        histories=histories,
        queries=queries,
        context=context_inputs(tables.context_lists(context), histories, model.context_inputs),
    )
    return write_version(
        Path(config.saved_models_dir).absolute() / config.name,
        parts,
        tables.catalog.payload.assign(digest=digests),
        stated_interface(config, raw.fields, tables.catalog.filters, notes),
        {
            "run": run,
            "config": config.model_dump(mode="json"),
            "metrics": metrics,
            "data": _counts(tables),
            "index": about_index,
            schema.PLAIN_CATEGORIES: True,
            schema.FILE_DIGESTS: True,
        },
        samples,
    )


def _index(
    config: Config, tables: Tables, embedder: Embedder, scored: np.ndarray, kept: ItemTable
) -> tuple[ExactIndex | IvfIndex, dict]:
    """Builds the index of the scored vectors (float32 [N + 1, D]), see `index.build.build_index`.

    It is measured on validation queries, whose histories are read from the `kept` table, as in the export.
    """

    def held_out() -> tuple[np.ndarray, np.ndarray]:
        asked = tables.split.validation
        asked = asked.take(np.random.default_rng(config.seed).permutation(len(asked.user))[:_HELD_OUT])
        longest = int(asked.history.lengths.max(initial=0)) if config.leaves_out_history else 0
        return embedder.queries(kept, asked.history, asked.context), asked.history.last(longest)

    return build_index(scored, config.export, held_out, config.seed)


def _some_context(tables: Tables, histories: Ragged, rng: np.random.Generator) -> QueryContext:
    """Draws events (oldest first) and users for made-up histories."""
    place = rng.integers(0, len(tables.events), len(histories.values))
    place = place[np.lexsort((tables.events.time[place], histories.row_of_value))].astype(np.int32)
    now = np.full(len(histories), tables.events.time.max())
    user = rng.integers(0, len(tables.events.user_ids), len(histories))
    return QueryContext(tables.split.test.context.events, Ragged(place, histories.offsets), now, user)


def _counts(tables: Tables) -> dict[str, int]:
    """Returns the sizes of the training data, for the manifest and the model card."""
    return {
        "items": len(tables.catalog),
        "users": len(tables.events.user_ids),
        "events": len(tables.events),
        "training_events": int(tables.train_counts.sum()),
        "items_without_training_events": int((tables.train_counts[1:] == 0).sum()),
    }
