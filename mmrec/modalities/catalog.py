"""Reads the catalog for the modalities in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from mmrec.config import Config
from mmrec.data.catalog import Catalog, load_catalog
from mmrec.data.content import ContentReader
from mmrec.errors import Faults
from mmrec.modalities.modality import Modality
from mmrec.modalities.names import MODALITIES, modality_classes


def read_catalog(config: Config, as_written: bool = False) -> Catalog:
    """Reads and checks the catalog: what the modalities, the payload and the filters need.

    Args:
      config: where it is, and what is read.
      as_written: see `Modality.read`.

    Returns:
      The items, with the content that each modality read.

    Raises:
      InputError: naming the key, or file, row and column, of each kind of fault.
    """
    faults, readers = Faults(), {}
    for modality in in_order(modality_classes(config).values()):
        with faults.collected():
            read = partial(modality.read, config=config, as_written=as_written)
            readers[modality.name] = ContentReader(modality.columns(config), read)
    faults.raise_any()
    return load_catalog(config.data.catalog, readers, config.data.tfds_dir)


def in_order(classes: Iterable[type[Modality]]) -> list[type[Modality]]:
    """Sorts modalities in the order of `MODALITIES`, in which faults and facts are reported; others come last."""
    order = [*MODALITIES]
    return sorted(classes, key=lambda one: order.index(one.name) if one.name in MODALITIES else len(order))


def masked_files(config: Config, counts: Mapping[str, int]) -> str:
    """Describes in words what was left out of the items' content; "" if nothing was.

    Args:
      config: names the modalities.
      counts: by reason; reasons of no modality are ignored.
    """
    reasons = {
        reason: said for one in in_order(modality_classes(config).values()) for reason, said in one.reasons.items()
    }
    return ", ".join(f"{said} {counts[reason]:,}" for reason, said in reasons.items() if counts.get(reason))
