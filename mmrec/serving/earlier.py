"""Completes the manifests of earlier exports: what they do not say about inputs follows from their config and graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrec import schema
from mmrec.manifest import EventRules, Files, Interface
from mmrec.preprocess.images import MAX_PIXELS
from mmrec.schema import Field

_SINGLE = {
    "image": ("image_bytes", "bytes", schema.ROW_STATUS_IMAGE),
    "audio": ("audio_bytes", "bytes", schema.ROW_STATUS_AUDIO),
    "features": ("features", "vector", 0),
    "item_id": ("item_id", "id", 0),
}


def completed(manifest: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Returns a manifest with all entries that later ones have; a later one comes back unchanged.

    Args:
      manifest: the manifest of a version.
      path: the version folder.

    Raises:
      KeyError, TypeError, ValueError, AttributeError: the config in the manifest is not one of mmrec.
      OSError: the graph cannot be read.
    """
    if "inputs" in manifest:
        return dict(manifest)
    config = manifest["config"]
    libraries = ["tensorflow_text"] if "text" in config["item"]["modalities"] else []
    stated = {**_interface(manifest).stated(), "libraries": libraries, "inputs": _inputs(path)}
    return {**manifest, **stated}


def _interface(manifest: Mapping[str, Any]) -> Interface:
    config = manifest["config"]
    item, data = config["item"], config.get("data") or {}
    catalog = data.get("catalog") or {}
    # `columns` of a refreshed version has the names that its users know; the config has those of its latest table.
    names = manifest.get("columns") or catalog
    fields = list(_fields(item, catalog, names))
    ids = (names.get("item_id"), schema.ID, catalog.get("item_id"))
    return Interface(
        fields=fields,
        filters=list(dict.fromkeys(names.get("filters", ()))),
        id_columns=list(dict.fromkeys(filter(None, ids))),
        files={
            field.input: Files(catalog.get(f"{one}_dir"), catalog.get(f"on_missing_{one}") == "mask")
            for field in fields
            for one in [field.modality]
            if field.kind == "bytes"
        },
        events=_event_rules(config, data.get("interactions")),
        max_length=config.get("query", {}).get("max_length", 50),
        notes=list(_notes(item)),
    )


def _fields(item: Mapping[str, Any], catalog: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[Field]:
    """Yields the raw inputs of an item, as earlier exports had them."""
    taken = [*(name for name, *_ in _SINGLE.values()), "text"]

    def named(wanted: str) -> str:
        taken.append(schema.input_name(wanted, taken))
        return taken[-1]

    for modality in item["modalities"]:
        if modality in _SINGLE:
            column, trained = (one.get(modality) or modality for one in (catalog, names))
            most = (item.get("image") or {}).get("max_pixels", MAX_PIXELS) if modality == "image" else None
            wanted, kind, status = _SINGLE[modality]
            yield Field(column, modality, wanted, kind, "" if trained == column else trained, status, most)
        elif modality == "text":
            for column, trained in zip(catalog["text"], names["text"], strict=True):
                wanted = "text" if len(names["text"]) == 1 else named(trained)
                yield Field(column, modality, wanted, "text", "" if trained == column else trained)
        else:
            for column, (trained, kind) in zip(catalog[modality], names[modality].items(), strict=True):
                kind = "category" if kind == "category" else "number"
                yield Field(column, modality, named(trained), kind, "" if trained == column else trained)


def _event_rules(config: Mapping[str, Any], rules: Mapping[str, Any] | None) -> EventRules:
    repeat = config.get("retrieval", {}).get("repeat_consumption", False)
    if not rules:
        return EventRules(repeat=repeat)
    usual, positive = EventRules(), rules.get("positive_events")
    negative, seen = rules.get("negative_events", ()), rules.get("seen_events")
    kinds = None if positive is None else [*positive, *negative]
    typed = kinds is not None or negative or seen or "event" in config.get("query", {}).get("context", ())
    least = rules.get("min_rating")
    return EventRules(
        user=rules.get("user_id", usual.user),
        item=rules.get("item_id", usual.item),
        time=rules.get("timestamp", usual.time),
        event=rules.get("event") if typed else None,
        rating=None if least is None else rules.get("rating"),
        min_rating=least,
        kinds=kinds,
        negative=negative,
        seen=seen,
        all_seen=seen is None or (kinds is not None and {*kinds} <= {*seen}),
        repeat=repeat,
        formats=rules.get("timestamp_format", ()),
    )


def _notes(item: Mapping[str, Any]) -> Iterator[str]:
    """Yields what earlier model cards said about photos and texts, as far as the config tells it."""
    image, text = (item.get(name) if name in item["modalities"] else None for name in ("image", "text"))
    if image:
        yield (
            f"Photos: JPEG, PNG, GIF (first frame), BMP, resized to {image['size']} pixels; WebP, AVIF and "
            "TIFF are not read (those of the catalog were turned into PNG before training)."
        )
        if image["weights"] is None:
            yield "The image backbone began with random weights: expect less of photos than with pretrained ones."
    if text:
        yield f"Texts are read up to {text['max_tokens']} tokens per column, with the catalog's vocabulary."


def _inputs(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Reads the inputs of each signature, in the order of their names, from the graph."""
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    def shape(spec: Any) -> Sequence[int | None]:
        return [None if one.size < 0 else one.size for one in spec.tensor_shape.dim]

    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    return {
        name: {
            key: {"dtype": tf.dtypes.as_dtype(spec.dtype).name, "shape": shape(spec)}
            for key, spec in sorted(signature.inputs.items())
        }
        for name, signature in model.meta_graphs[0].signature_def.items()
        if not name.startswith("__")  # those are added by TensorFlow
    }
