"""Draws the photos and recordings of the sample shop's items."""

from __future__ import annotations

import io
import wave

import numpy as np
from PIL import Image, ImageDraw

from mmrec.data.sample_shop.words import CATEGORIES
from mmrec.data.sample_shop.world import LOOKS, SOUNDS, World

SIDE = 96
"""Width and height of a photo, pixels."""
RATE = 8000
"""Samples per second of a recording."""
FEATURES = 32
"""Width of `image_features`."""

# Each look: two RGB colours and the pattern that mixes them.
_PALETTES = (
    ((200, 40, 45), (246, 236, 220), "stripes"),
    ((45, 85, 185), (235, 240, 250), "dots"),
    ((70, 145, 75), (80, 155, 85), "plain"),
    ((238, 195, 50), (120, 78, 40), "tartan"),
    ((110, 55, 155), (208, 172, 232), "waves"),
    ((248, 135, 35), (240, 105, 165), "fade"),
    ((35, 35, 40), (238, 238, 236), "board"),
    ((20, 150, 150), (250, 225, 200), "zigzag"),
)


def photo(world: World, row: int) -> bytes:
    """Returns the PNG file of an item's photo, or b"" when it has none."""
    if not world.has_photo[row]:
        return b""
    rng = np.random.default_rng([world.seed, row, 1])
    return draw_photo(world.groups["category"][row], world.groups["look"][row], rng)


def sound(world: World, row: int) -> bytes:
    """Returns the WAV file of an item's recording, or b"" when it has none."""
    group = world.groups["sound"][row]
    return b"" if group == SOUNDS else draw_sound(group, np.random.default_rng([world.seed, row, 2]))


def image_features(world: World) -> np.ndarray:
    """Returns float32 [I, 32]: a noisy random projection of look and category, in place of photos."""
    rng = np.random.default_rng([world.seed, 3])
    look = rng.normal(size=(LOOKS, FEATURES))[world.groups["look"]]
    category = rng.normal(size=(len(CATEGORIES), FEATURES))[world.groups["category"]]
    return (look + category + rng.normal(scale=0.7, size=look.shape)).astype(np.float32)


def draw_photo(category: int, look: int, rng: np.random.Generator) -> bytes:
    """Draws a product on a light background: the shape tells the category, the filling tells the look.

    Returns:
      A PNG file, RGB, 96 x 96 pixels.
    """
    angle, scale = rng.normal(0, 0.13), rng.uniform(27, 37)
    shift = (SIDE / 2 + rng.normal(0, 4, 2)).astype(np.float32)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    body, trim = Image.new("L", (2 * SIDE, 2 * SIDE)), Image.new("L", (2 * SIDE, 2 * SIDE))
    for paint, points in _SHAPES[CATEGORIES[category]]:
        outline = (2 * (points @ turn.T + shift)).ravel().tolist()
        ImageDraw.Draw(body).polygon(outline, fill=255 * (paint == "body"))
        ImageDraw.Draw(trim).polygon(outline, fill=255 * (paint == "trim"))
    body, trim = (np.asarray(mask.reduce(2), np.float32) / 255 for mask in (body, trim))  # [96, 96], 0..1

    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    back = (turn / scale**2).astype(np.float32)  # the inverse of `turn`, transposed
    across, down = ((x - shift[0]) * a + (y - shift[1]) * b for a, b in back.T)  # [96, 96], -1..1 inside the shape
    first, second, pattern = _PALETTES[look]
    first, second = (np.clip(np.array(colour) + rng.normal(0, 14, 3), 0, 255).tolist() for colour in (first, second))
    mix = _mix(pattern, across, down, rng)
    shade = 1.0 - 0.22 * np.clip(across + 0.2 * down, -0.3, 1)  # the light comes from the left
    wood = rng.uniform(60, 130) * np.array([1.15, 1.0, 0.85], np.float32)
    wall = (rng.uniform(218, 246) + rng.normal(0, 4, 3)).tolist()
    floor = rng.uniform(0, 25) * (y / SIDE)
    shadow = 1 - 0.22 * np.exp(-((across / 0.8) ** 2) - ((down - 0.85) / 0.15) ** 2)
    pixels = np.empty((SIDE, SIDE, 3), np.uint8)
    for channel in range(3):
        filling = first[channel] + (second[channel] - first[channel]) * mix
        painted = shade * (body * filling + trim * wood[channel]) + (1 - body - trim) * shadow * (wall[channel] - floor)
        pixels[..., channel] = np.clip(painted, 0, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)
    return file.getvalue()


def draw_sound(group: int, rng: np.random.Generator) -> bytes:
    """Plays half a second: 0 a low hum, 1 high beeps, 2 a rattle of noise, 3 a rising, buzzing tone.

    Returns:
      A WAV file, 16 bit, mono, 8 kHz.
    """
    t = np.arange(int(RATE * rng.uniform(0.45, 0.55))) / RATE  # seconds
    if group == 0:
        wave_form = np.sin(2 * np.pi * rng.uniform(90, 160) * t) * (1 + 0.3 * np.sin(2 * np.pi * rng.uniform(3, 6) * t))
    elif group == 1:
        wave_form = np.sin(2 * np.pi * rng.uniform(1400, 2200) * t) * (t * rng.uniform(7, 10) % 1 < 0.4)
    elif group == 2:
        wave_form = rng.normal(0, 0.6, len(t)) * np.exp(-6 * (t * rng.uniform(9, 14) % 1))
    else:
        phase = 2 * np.pi * rng.uniform(250, 400) * (t + rng.uniform(1.0, 2.0) * t**2)
        wave_form = sum(np.sin(k * phase) / k for k in (1, 2, 3, 4))
    wave_form = wave_form * np.minimum(1, np.minimum(t, t[-1] - t) * 50) + rng.normal(0, 0.02, len(t))
    wave_form = wave_form / np.abs(wave_form).max() * rng.uniform(0.4, 0.9)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE, len(t), "NONE", ""))
        writer.writeframes((wave_form * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _mix(pattern: str, across: np.ndarray, down: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns float [96, 96] in 0..1, the share of the second colour at each point (-1..1 inside the shape)."""
    beat, angle = rng.uniform(0.85, 1.2), rng.normal(0, 0.12)
    cos, sin = beat * float(np.cos(angle)), beat * float(np.sin(angle))
    u = cos * across - sin * down + rng.uniform(0, 2)
    v = sin * across + cos * down + rng.uniform(0, 2)
    if pattern == "stripes":
        return _step(np.sin(11 * v))
    if pattern == "dots":
        return _step(np.cos(10 * u) + np.cos(10 * v) - 0.7)
    if pattern == "tartan":
        return (_step(np.sin(9 * u) - 0.3) + _step(np.sin(9 * v) - 0.3)) / 2
    if pattern == "waves":
        return _step(np.sin(11 * v + 2.2 * np.sin(6 * u)))
    if pattern == "fade":
        return np.clip(0.5 + 0.6 * down, 0, 1)
    if pattern == "board":
        return _step(4 * np.sin(7 * u) * np.sin(7 * v))
    if pattern == "zigzag":
        return _step(np.sin(9 * v + 5 * np.abs((1.6 * u) % 2 - 1)))
    return np.zeros(u.shape)  # plain


def _step(height: np.ndarray) -> np.ndarray:
    return np.clip(0.5 + 2.5 * height, 0, 1)  # 0 or 1 with soft edges


def _ellipse(x: float, y: float, width: float, height: float, start: float = 0.0, stop: float = 1.0) -> np.ndarray:
    turn = 2 * np.pi * np.linspace(start, stop, 32)  # start and stop in turns, clockwise from the right
    return np.stack([x + width * np.cos(turn), y + height * np.sin(turn)], axis=1)


def _box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


def _mirrored(*right: tuple[float, float]) -> np.ndarray:
    return np.array([*right, *((-x, y) for x, y in reversed(right))])


def _cushion() -> np.ndarray:
    edge = np.linspace(-0.85, 0.85, 12)
    side = np.stack([edge, -0.85 + 0.13 * (1 - (edge / 0.85) ** 2)], axis=1)
    quarter = np.array([[0, -1], [1, 0]])
    return np.concatenate([side @ np.linalg.matrix_power(quarter, turn).T for turn in range(4)])


# Parts in drawing order; "gap" cuts a hole. Points are x to the right and y down, within -1..1.
_SHAPES = {
    "mug": (
        ("body", _ellipse(0.5, 0.0, 0.42, 0.42)),
        ("gap", _ellipse(0.5, 0.0, 0.24, 0.26)),
        ("body", np.concatenate([_box(-0.75, -0.7, 0.5, -0.7)[:2], _ellipse(-0.125, 0.7, 0.625, 0.13, 0.0, 0.5)])),
        ("trim", _ellipse(-0.125, -0.7, 0.625, 0.13)),
    ),
    "shirt": (
        ("body", _mirrored((0.28, -0.8), (0.95, -0.5), (0.75, -0.05), (0.5, -0.18), (0.5, 0.85))),
        ("gap", _ellipse(0.0, -0.8, 0.28, 0.2)),
    ),
    "lamp": (
        ("trim", _box(-0.06, -0.1, 0.06, 0.8)),
        ("trim", _ellipse(0.0, 0.82, 0.4, 0.11)),
        ("body", _mirrored((0.38, -0.9), (0.78, 0.15))),
    ),
    "bag": (
        ("trim", _ellipse(0.0, -0.3, 0.38, 0.6)),
        ("gap", _ellipse(0.0, -0.3, 0.27, 0.5)),
        ("body", _mirrored((0.7, -0.3), (0.85, 0.75), (0.75, 0.85))),
    ),
    "cushion": (("body", _cushion()),),
    "poster": (("trim", _box(-0.68, -0.98, 0.68, 0.95)), ("body", _box(-0.58, -0.88, 0.58, 0.85))),
    "shoe": (
        (
            "body",
            np.array(
                [(-0.95, -0.45), (-0.35, -0.5), (-0.1, -0.15), (0.5, 0.05), (0.88, 0.2), (0.98, 0.45), (-0.95, 0.45)]
            ),
        ),
        ("trim", np.array([(-0.97, 0.42), (1.0, 0.42), (0.95, 0.6), (-0.95, 0.6)])),
    ),
    "bowl": (
        ("trim", _box(-0.3, 0.5, 0.3, 0.68)),
        ("body", _ellipse(0.0, -0.2, 0.95, 0.8, 0.0, 0.5)),
        ("trim", _ellipse(0.0, -0.2, 0.95, 0.14)),
    ),
}
