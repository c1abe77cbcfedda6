"""Finds the signatures of mmrec by name, and those of users by import path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmrec.errors import InputError
from mmrec.export.serving_module import ServingModule
from mmrec.export.signatures.embed_item import EmbedItem
from mmrec.export.signatures.embed_query import EmbedQuery
from mmrec.export.signatures.recommend import Recommend
from mmrec.export.signatures.serving_default import ServingDefault
from mmrec.export.signatures.signature import Sample, Served, Signature, trace
from mmrec.export.signatures.similar import Similar
from mmrec.registry import find

SIGNATURES: Mapping[str, type[Signature]] = {
    one.name: one for one in (ServingDefault, Recommend, Similar, EmbedQuery, EmbedItem)
}


def find_signatures(paths: Sequence[str]) -> dict[str, type[Signature]]:
    """Finds the signatures that a user adds.

    Args:
      paths: the import path of each, `package.module:Class`, see `export.signatures`.

    Returns:
      The classes by the names of their signatures.

    Raises:
      InputError: there is no such class, it does not derive from `Signature`, or its name is taken or not valid.
    """
    classes: dict[str, type[Signature]] = {}
    for path in paths:
        one = find("signature", path, SIGNATURES)
        if not (isinstance(one, type) and issubclass(one, Signature)):
            raise InputError(
                "`export.signatures` must name classes that derive from `mmrec.export.signatures.signature.Signature`. "
                f"Received: {path}, which is {one!r:.80}. Derive it, or leave it out."
            )
        name = one.name
        if not (isinstance(name, str) and name.isascii() and name.isidentifier()) or name.startswith("_"):
            raise InputError(
                f"`export.signatures`: the `name` of {path} must be letters, digits and `_`, a letter first. Received: "
                f"{name!r:.80}. Give the class such a name."
            )
        if name in SIGNATURES or name in classes:
            owner = "every export has" if name in SIGNATURES else "another of them has"
            raise InputError(
                f"`export.signatures`: the name of {path} must be its own. Received: {name!r}, which {owner}. Give the "
                "class another `name`, or leave it out."
            )
        classes[name] = one
    return classes


def serve(serving: ServingModule, sample: Sample) -> dict[str, Served]:
    """Makes the serving functions of an export; signatures that the model cannot serve are left out.

    Args:
      serving: the module that the signatures share.
      sample: what their example requests are made of.

    Returns:
      The signatures by name.

    Raises:
      InputError: see `find_signatures`; or the example of a signature has other inputs than the signature.
    """
    served = {}
    for name, one in {**SIGNATURES, **find_signatures(serving.parts.signatures)}.items():
        signature = one(serving)
        inputs = signature.inputs()
        if inputs is None:
            continue
        example = signature.example(sample)
        if {*example} != {*inputs}:
            raise InputError(
                f"signature `{name}`: the example must have the inputs {', '.join(sorted(inputs))}. Received: "
                f"{', '.join(sorted(example)) or 'none'}. Correct `example` of {one.__module__}:{one.__qualname__}."
            )
        served[name] = Served(trace(signature, inputs), example, signature.client_call)
    return served
