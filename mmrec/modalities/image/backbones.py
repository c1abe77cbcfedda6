"""The image networks of `tf_keras.applications`, by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import tensorflow as tf
import tf_keras
from tf_keras import layers

from mmrec.errors import InputError, nearest
from mmrec.modalities.image.config import ImageConfig

BACKBONES = {
    name.lower(): function
    for name, function in vars(tf_keras.applications).items()
    if name[0].isupper() and callable(function)
}
"""What builds each network, by its name in lower case: resnet50, mobilenetv2, efficientnetb0, ..."""


def find_backbone(name: str) -> Callable[..., tf_keras.Model]:
    """Returns what builds the network.

    Raises:
      InputError: there is none of that name.
    """
    if name not in BACKBONES:
        raise InputError(
            f"`item.image.backbone`: must be a network of tf_keras.applications.{nearest(name, BACKBONES)} "
            f"Received: {name!r}. Known: {', '.join(sorted(BACKBONES))}."
        )
    return BACKBONES[name]


def preprocessing(name: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """Returns the network's own `preprocess_input`: float32 RGB 0..255 to what it was pretrained on."""
    return sys.modules[find_backbone(name).__module__].preprocess_input


def build_network(config: ImageConfig) -> tf_keras.Model:
    """Builds a network without its classifier, with pooled features.

    Args:
      config: backbone, weights and size.

    Raises:
      InputError: no such network, the size is too small for it, or the weights cannot be fetched or read.
    """
    build = find_backbone(config.backbone)
    shape = (config.size, config.size, 3)
    try:
        return build(include_top=False, weights=config.weights, input_shape=shape, pooling="avg")
    except Exception as error:  # the hub's and HDF5's errors share no class
        said = " ".join(str(error).split())[:300]
        if "Input size must be at least" in said:
            raise InputError(
                f"`item.image.size`: too small for {build.__name__}: {said}. Raise it, or choose another "
                "`item.image.backbone`."
            ) from None
        if config.weights is None:
            raise
        raise InputError(
            f"`item.image.weights`: {config.weights!r} cannot be loaded into {build.__name__}: {said} "
            "Give the path of a weights file of this network without its classifier, or null for random weights."
        ) from None


def top_layers(network: tf_keras.Model) -> Sequence[layers.Layer]:
    """Returns the last stage of a network: what comes after the last layer with weights on a larger feature map.

    In ResNet50 these are the layers conv5, in MobileNetV2 those from block 13's depthwise convolution on, in
    EfficientNetB0 those from block 6a's.
    """
    areas = [_area(layer) for layer in network.layers]
    last = [area for layer, area in zip(network.layers, areas, strict=True) if layer.weights and area][-1]
    larger = [i for i, layer in enumerate(network.layers) if layer.weights and areas[i] > last]
    return network.layers[max(larger, default=-1) + 1 :]


def _area(layer: layers.Layer) -> int:
    """Returns height times width of a layer's output; 0 where it has none."""
    shape = layer.output_shape
    shape = shape[0] if isinstance(shape, list) else shape
    return shape[1] * shape[2] if len(shape) == 4 else 0
