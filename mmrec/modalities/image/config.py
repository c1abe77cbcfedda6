"""The config of the image tower."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from mmrec.config.section import Fraction, PathMark, Positive, Section


class AugmentationConfig(Section):
    """Random photo changes, with the names and meanings of Keras's `ImageDataGenerator`."""

    rotation_range: Annotated[float, Field(ge=0, le=180)] = 0.0
    """Rotation, drawn from +- this many degrees."""
    width_shift_range: Annotated[int | float, Field(ge=0)] = 0.0
    """Horizontal shift, drawn from +- this share of the width; 1.0 and more: pixels; a whole number n: -(n-1), ..., n-1
    whole pixels."""
    height_shift_range: Annotated[int | float, Field(ge=0)] = 0.0
    """Vertical shift, likewise."""
    shear_range: Annotated[float, Field(ge=0, lt=90)] = 0.0
    """Shear angle, drawn from +- this many degrees."""
    zoom_range: float | tuple[float, float] = 0.0
    """Zoom per axis, drawn from 1 +- this, or from [low, high]; below 1 enlarges."""
    brightness_range: tuple[float, float] | None = None
    """Brightness factor, drawn from [low, high]; 1 leaves the photo as it is."""
    channel_shift_range: Annotated[float, Field(ge=0, le=255)] = 0.0
    """Value added to each channel, drawn from +- this, on the 0-255 scale."""
    horizontal_flip: bool = False
    """Mirror left to right in half of the draws."""
    vertical_flip: bool = False
    """Mirror top to bottom in half of the draws."""
    fill_mode: Literal["nearest", "reflect", "wrap", "constant"] = "nearest"
    """What appears where the photo was moved away."""
    cval: Annotated[float, Field(ge=0, le=255)] = 0.0
    """Fill value of `fill_mode: constant`, on the 0-255 scale."""
    rescale: float | None = None
    """Null or 1. Photos keep the 0-255 scale, which the backbone's own preprocessing reads in training and serving."""

    @model_validator(mode="after")
    def _low_to_high(self) -> AugmentationConfig:
        if self.brightness_range and not 0 <= self.brightness_range[0] <= self.brightness_range[1]:
            raise ValueError("`brightness_range` must be [low, high] with 0 <= low <= high")
        zoom = self.zoom_range
        if not (0 < zoom[0] <= zoom[1] if isinstance(zoom, tuple) else 0 <= zoom < 1):
            raise ValueError("`zoom_range` must be a number >= 0 and < 1, or [low, high] with 0 < low <= high")
        if self.rescale not in (None, 1.0):
            raise ValueError(
                "`rescale` must be null or 1: the backbone has its own preprocessing, which reads photos of 0-255 in "
                "training and serving alike. Remove `rescale`"
            )
        return self


class ImageConfig(Section):
    """The image tower."""

    backbone: Annotated[str, AfterValidator(str.lower)] = "resnet50"
    """Network of `tf_keras.applications` that reads the photo, by its name: `resnet50`, `mobilenetv2`, `vgg16`, ..."""
    weights: Annotated[str, PathMark(is_name=lambda value: value == "imagenet")] | None = "imagenet"
    """`imagenet` (fetched from the public hub at first use), the path of a weights file, or null for random weights."""
    size: Annotated[int, Field(ge=32, le=1024)] = 224
    """Width and height that photos are resized to, pixels."""
    max_pixels: Annotated[int, Field(ge=1, le=150_000_000)] = 50_000_000
    """Width times height above which a photo is unreadable. It is refused by its header, before it takes memory; so is
    a JPEG of more than 100 scans."""
    trainable: Literal["none", "top", "all"] = "none"
    """`none`: features are computed once and cached; `top`: the last stage trains, from the last halving of the feature
    map on; `all`: every layer does."""
    max_photos: Annotated[int, Field(ge=1, le=64)] = 1
    """Photos (or frames of a clip) read per item, the first ones; their features are averaged. More than 1 needs
    `trainable: none`."""
    augmentation: AugmentationConfig | None = None
    """Random photo changes in training. Null: none."""
    views: Positive = 4
    """Augmented versions per photo that are cached when the backbone is frozen; one is drawn each time it is used."""
    dropout: Fraction = 0.1
    """Share of the photo's features dropped in training."""

    @model_validator(mode="after")
    def _frozen_with_several(self) -> ImageConfig:
        if self.max_photos > 1 and self.trainable != "none":
            raise ValueError(
                f"`max_photos` must be 1 when the backbone trains (`trainable: {self.trainable}`). Set "
                "`trainable: none`, or leave `max_photos` out"
            )
        return self
