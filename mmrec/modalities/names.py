"""The list of modalities by name; each loads when it is first asked for, so that a config needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mmrec.errors import Faults, InputError, nearest
from mmrec.process import start_tensorflow
from mmrec.registry import find

if TYPE_CHECKING:
    from mmrec.config import Config
    from mmrec.modalities.modality import Modality

IMAGE, TEXT, AUDIO, ATTRIBUTES, FEATURES, ITEM_ID = "image", "text", "audio", "attributes", "features", "item_id"

MODALITIES: Mapping[str, str] = {
    IMAGE: "mmrec.modalities.image.modality:ImageModality",
    TEXT: "mmrec.modalities.text.modality:TextModality",
    AUDIO: "mmrec.modalities.audio.modality:AudioModality",
    ATTRIBUTES: "mmrec.modalities.attributes.modality:AttributesModality",
    FEATURES: "mmrec.modalities.features.modality:FeaturesModality",
    ITEM_ID: "mmrec.modalities.item_id.modality:ItemIdModality",
}
"""Import path of each class by the modality's name, in the order in which they are listed and checked."""
DEFAULT = (IMAGE, TEXT, ITEM_ID)
"""What an item embedding is made of unless the config says otherwise."""


def checked_name(name: str) -> str:
    """Returns a modality's name or import path unchanged; raises ValueError if it is neither."""
    if name in MODALITIES or ":" in name:
        return name
    *first, last = map(repr, MODALITIES)
    rule = f"Input should be {', '.join(first)} or {last}, or the import path of your own, `package.module:Class`"
    raise ValueError(f"{nearest(name, MODALITIES)} {rule}".strip())


def find_modality(name: str) -> type[Modality]:
    """Returns the class of a modality.

    Args:
      name: one of the list, or an import path `package.module:Class`.

    Raises:
      InputError: the class cannot be found, is no modality, or has a name that no modality may have.
    """
    start_tensorflow()  # which the module of a modality loads
    from mmrec.modalities.modality import Modality

    modality = find("modality", MODALITIES.get(name, name), {})
    if name in MODALITIES:
        return modality
    if not (isinstance(modality, type) and issubclass(modality, Modality)):
        raise InputError(
            f"`item.modalities`: {name!r} must be a class that extends `mmrec.modalities.modality.Modality`. Received: "
            f"{modality!r:.80}. Name such a class."
        )
    own = getattr(modality, "name", None)
    if not isinstance(own, str) or not own.isidentifier() or own in MODALITIES:
        raise InputError(
            f"`item.modalities`: {name!r} must have a `name` of its own, an identifier that is none of "
            f"{', '.join(MODALITIES)}. Received: {own!r}. Give its class an attribute `name`."
        )
    return modality


def modality_classes(config: Config) -> dict[str, type[Modality]]:
    """Returns the classes of the modalities in use by their own names, in the order of `item.modalities`.

    Raises:
      InputError: one cannot be found, two have one name, or `item.custom` has settings of none of them.
    """
    faults, classes = Faults(), {}
    for name in config.item.modalities:
        with faults.collected():
            modality = find_modality(name)
            if modality.name in classes:
                raise InputError(
                    f"`item.modalities`: each modality may stand once. Received: two of the name `{modality.name}`. "
                    "Leave one out, or give it another name."
                )
            classes[modality.name] = modality
    faults.raise_any()
    own = [name for name in classes if name not in MODALITIES]
    for name in config.item.custom:
        if name not in own:
            raise InputError(
                f"`item.custom.{name}`: no modality of `item.modalities` has this name.{nearest(name, own)} Own ones: "
                f"{', '.join(own) or 'none'}. Correct the name, or leave the section out."
            )
    return classes
