"""Writes the page in a version folder that says what the model is, how good it is and how to ask it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mmrec import schema
from mmrec.export.signatures.signature import Served
from mmrec.manifest import EventRules, Interface

_METRICS = ("ndcg@10", "recall@10", "hit_rate@10", "mrr")
_CALLS = """## How to ask it

TensorFlow Serving loads the folder above this one as it is; `mmrec/serving/` has settings to start from.
Run `docker run` in the folder that holds `saved_models/`, and everything else in the version folder.

```
docker run -p 8500:8500 -p 8501:8501 -e MODEL_NAME={name} \\
  -v "$PWD/saved_models/{name}:/models/{name}:ro" tensorflow/serving
curl -d @mmrec/requests/{first}.json http://localhost:8501/v1/models/{name}:predict
```

Each signature has a ready request in `mmrec/requests/`: `.json` for REST (bytes as `{{"b64": ...}}`), `.pbtxt` for
gRPC:

```python
import grpc
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

with open("mmrec/requests/{first}.pbtxt", encoding="utf-8") as file:
    request = text_format.Parse(file.read(), predict_pb2.PredictRequest())
service = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel("localhost:8500"))
answer = service.Predict(request, timeout=5)
print(answer.outputs["item_ids"].string_val)
```

In Python with mmrec: `shop = mmrec.load(folder)`, then the calls below.

* Ids are strings; "" pads, anywhere in a row. Unknown ids in a history are skipped.
* Rows with fewer answers end in "" with the lowest finite score; there are as many columns as the batch's largest `k`.
* With server-side batching let every row of `history`, `exclude`, `include` and `filter` begin with "": the server
  fills narrower requests up with their own first value. The requests here do.
"""


def write_model_card(
    folder: Path, model: str, served: Mapping[str, Served], interface: Interface, manifest: Mapping
) -> None:
    """Writes `mmrec/README.md`.

    Args:
      folder: the version folder.
      model: the name that the server knows the model by.
      served: the signatures by name.
      interface: what the model reads.
      manifest: of its entries `config` (where the data was), `metrics`, `data`, `index` and `refresh`, those that are
        there are described.
    """
    first = schema.RECOMMEND if schema.RECOMMEND in served else next(iter(served))
    parts = [
        f"# {model}\n\nA two-tower retrieval model of mmrec; `manifest.json` beside this page says all of it.",
        _data(interface, manifest),
        _refresh(manifest),
        _quality(manifest.get("metrics", {}), manifest.get("metrics_of_version")),
        _limits(interface, served, manifest),
        _CALLS.format(name=model, first=first).rstrip(),
        _signatures(served),
    ]
    (folder / schema.MODEL_CARD).write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def _data(interface: Interface, manifest: Mapping) -> str:
    config = manifest.get("config", {})
    counts = [f"* {name.replace('_', ' ')}: {count:,}" for name, count in manifest.get("data", {}).items()]
    if config:
        catalog, events = config["data"]["catalog"], config["data"]["interactions"]
        named = f"`{_last(events['path'])}`" if events else "none"
        counts.insert(0, f"* catalog: `{_last(catalog['path'])}`; interactions: {named}")
    counts.append(f"* modalities: {', '.join(dict.fromkeys(field.modality for field in interface.fields))}")
    if interface.filters:
        counts.append(f"* filters: {_quoted(interface.filters)}")
    return "## Data\n\n" + "\n".join(counts)


def _refresh(manifest: Mapping) -> str:
    if "refresh" not in manifest:
        return ""
    refresh, trained = manifest["refresh"], manifest["metrics_of_version"]
    counts = ", ".join(f"{refresh[name]:,} {name}" for name in ("unchanged", "changed", "new", "delisted"))
    return (
        f"## Refreshed\n\nFrom version {refresh['from_version']}, without training; items: {counts}. The counts above "
        f"are of the training, which wrote version {trained}."
    )


def _quality(metrics: Mapping, version: int | None) -> str:
    if not metrics:
        return ""
    names = [name for name in _METRICS if name in metrics["test"]]
    rows = [
        ("this model", metrics["test"]),
        *((n.replace("_", "-"), v["test"]) for n, v in metrics["baselines"].items()),
    ]
    lines = [
        "## Quality",
        "",
        f"Test: {metrics['queries']:,} queries, each over all {metrics['candidates']:,} items, ties against the model; "
        "95% intervals over users." + (f" Measured on version {version}, not on this one." if version else ""),
        "",
        *_table(["", *names], [[label, *(_with_interval(values, name) for name in names)] for label, values in rows]),
        "",
        *(
            f"* NDCG@10 against {name.replace('_', '-')}: {difference['ndcg@10_difference']:+.4f}, 95% interval "
            f"[{low:+.4f}, {high:+.4f}] (paired over users)."
            for name, difference in metrics["versus_baselines"].items()
            for low, high in [difference["ndcg@10_difference_ci95"]]
        ),
    ]
    slices = {name: values for name, values in metrics["slices"].items() if values["queries"]}
    rows = [
        [name.replace("_", " "), f"{values['queries']:,}", *(f"{values[n]:.4f}" for n in names if n in values)]
        for name, values in slices.items()
    ]
    dropped = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in metrics["dropped"].items())
    return "\n".join(
        [
            *lines,
            "",
            "By kind of item and length of history:",
            "",
            *_table(["slice", "queries", *names], rows),
            *(["", f"Dropped: {dropped}."] if dropped else []),
        ]
    )


def _items(manifest: Mapping) -> int:
    refresh = manifest.get("refresh")
    if refresh:
        return refresh["unchanged"] + refresh["changed"] + refresh["new"]
    return manifest.get("data", {}).get("items", 0)


def _limits(interface: Interface, served: Mapping[str, Served], manifest: Mapping) -> str:
    only_ids, index = all(field.kind == "id" for field in interface.fields), manifest.get("index", {})
    limits = [
        f"It answers with the {_items(manifest):,} items of its catalog; later ones need "
        f"{'another training' if only_ids else 'a refresh'}.",
        f"A history is read from its last {interface.max_length} items.",
        _of_history(interface.events),
    ]
    if "recall@10" in index:
        limits.append(
            f"Of the ten best items its {index['kind']} index ({index['storage']}) finds {index['recall@10']:.1%} on "
            f"average, over {index['queries']:,} validation queries"
            + (f" of version {index['recall_of_version']}." if "recall_of_version" in index else ".")
        )
    if {schema.HISTORY_TIME, schema.HISTORY_EVENT} & {*served[schema.EMBED_QUERY].inputs}:
        limits.append(
            "`history_time` and `history_event` have the same columns as `history`, and `now` is the time of the "
            'question; times are counted as in the interactions (date-times: seconds since 1970). NaN, "" and missing '
            "columns are unknown."
        )
    limits += interface.notes
    if only_ids:
        limits.append("It reads nothing but ids, so it cannot tell items without training events apart.")
    return "## Limits\n\n" + "\n".join(f"* {limit}" for limit in limits)


def _of_history(rules: EventRules) -> str:
    if rules.repeat:
        return "Items of the history may be recommended again."
    if rules.all_seen:
        return "Items of the history are never recommended."
    return (
        f"Items of the history may be recommended: name those that the user had ({_quoted(rules.seen or ())}) in "
        "`exclude`."
    )


def _signatures(served: Mapping[str, Served]) -> str:
    rows = [
        [f"`{name}`", _tensors(one.inputs), _tensors(one.function.structured_outputs), f"`{one.client_call}`"]
        for name, one in served.items()
    ]
    return "## Signatures\n\n" + "\n".join(_table(["signature", "inputs", "outputs", "in Python"], rows))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _tensors(specs: Mapping) -> str:
    def shape(spec) -> str:
        return ", ".join("?" if size is None else str(size) for size in spec.shape)

    return ", ".join(f"`{name}` {spec.dtype.name} [{shape(spec)}]" for name, spec in specs.items())


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]


def _with_interval(values: Mapping, name: str) -> str:
    low, high = values.get(f"{name}_ci95", (None, None))
    return f"{values[name]:.4f}" + ("" if low is None else f" [{low:.4f}, {high:.4f}]")


def _last(path: str) -> str:
    return path if path.startswith("tfds:") else Path(path).name
