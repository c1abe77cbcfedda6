"""Draws the sample shop's hidden world: what items are like, what shoppers like, and what they buy.

The groups (category, look, theme, sound) and the tastes are the truth behind the tables. Models see only their traces:
the category and theme in the texts, the look in the photo, the sound in the recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mmrec.data.sample_shop.choices import choose_items
from mmrec.data.sample_shop.words import CATEGORIES, THEMES, write_texts
from mmrec.errors import InputError, nearest

START = 1704067200
"""2024-01-01 00:00 UTC, seconds since the epoch."""
SPAN = 182 * 86400
"""Length of the recorded time, seconds."""
LOOKS, SOUNDS = 8, 4
KINDS = ("visual", "textual", "audio", "mixed")
FACETS = {"category": len(CATEGORIES), "look": LOOKS, "theme": len(THEMES), "sound": SOUNDS}
"""What a shopper may care about, and the number of groups of each."""

# How much a shopper of each of the `KINDS` cares: log-odds of a favourite group.
_CARES = {
    "category": (2.5, 2.5, 2.0, 2.5),
    "look": (6.0, 1.0, 1.0, 4.0),
    "theme": (1.0, 6.0, 1.0, 4.0),
    "sound": (0.3, 0.3, 6.0, 0.5),
}
_KIND_SHARES = np.array([0.35, 0.30, 0.10, 0.25])
_BASKET_SHARES = (0.55, 0.25, 0.13, 0.07)  # baskets of 1, 2, 3 and 4 items


@dataclass(frozen=True)
class Size:
    """How much of everything; without media, items have no sounds and every item has image features."""

    items: int
    shoppers: int
    events: int
    media: bool = True


SIZES = {
    "tiny": Size(150, 250, 3_000),
    "small": Size(1_200, 3_000, 40_000),
    "medium": Size(10_000, 10_000, 100_000, media=False),
    "large": Size(100_000, 100_000, 1_000_000, media=False),
}


_STREAMS = {"tiny": 0, "small": 1, "large": 2, "medium": 3}  # of random numbers; they never change


@dataclass(frozen=True)
class World:
    """A drawn shop with its truth; I items, U shoppers, E events.

    Attributes:
      size: the name in `SIZES` it was drawn with.
      seed: the seed it was drawn with.
      title: str [I]; "" together with the description for items without text.
      description: str [I].
      groups: int8 [I] per facet of `FACETS`; a `sound` of `SOUNDS` means that the item has none.
      price: float64 [I], rounded to cents.
      popularity: float64 [I] > 0, the item's share of attention when tastes are put aside.
      launch: int64 [I], seconds since the epoch.
      has_photo: bool [I].
      has_text: bool [I]; never False where `has_photo` is.
      kind: int8 [U], index into `KINDS`.
      care: float64 [U] per facet, log-odds of the favourite group.
      taste: float32 [U, 2, G] per facet, before and after the shopper's drift; 1 for the favourite group, 0..1 else.
      drift: int64 [U], when the second taste takes over, seconds since the epoch.
      event_user: int32 [E], sorted by time.
      event_item: int32 [E].
      event_time: int64 [E], seconds since the epoch; equal for the lines of one basket.
    """

    size: str
    seed: int
    title: np.ndarray
    description: np.ndarray
    groups: dict[str, np.ndarray]
    price: np.ndarray
    popularity: np.ndarray
    launch: np.ndarray
    has_photo: np.ndarray
    has_text: np.ndarray
    kind: np.ndarray
    care: dict[str, np.ndarray]
    taste: dict[str, np.ndarray]
    drift: np.ndarray
    event_user: np.ndarray
    event_item: np.ndarray
    event_time: np.ndarray

    @property
    def item_id(self) -> list[str]:
        """The ids of the items, I strings that say nothing about them."""
        return [f"i{row:07d}" for row in range(len(self.price))]

    @property
    def category(self) -> np.ndarray:
        """The name of each item's category, str [I]."""
        return np.array(CATEGORIES)[self.groups["category"]]

    def utility(self, user: int, when: int) -> np.ndarray:
        """Returns float64 [I]: the log-odds that the shopper picks each item at a time, were it launched and new."""
        state = int(when >= self.drift[user])
        total = np.log(self.popularity)
        for facet, group in self.groups.items():
            liking = np.append(self.taste[facet][user, state], 0.0)  # no sound: no liking
            total = total + self.care[facet][user] * liking[group]
        return total


@lru_cache(maxsize=2)
def draw_world(size: str = "small", seed: int = 0) -> World:
    """Draws a shop; the same arguments give the same shop.

    Args:
      size: a name in `SIZES`.
      seed: int >= 0.

    Raises:
      InputError: when there is no such size, or the seed is negative.
    """
    if size not in SIZES:
        raise InputError(f"`size` must be one of {', '.join(SIZES)}. Received: {size!r}.{nearest(str(size), SIZES)}")
    if seed < 0:
        raise InputError(f"`seed` must be >= 0. Received: {seed}.")
    spec = SIZES[size]
    streams = np.random.default_rng([seed, _STREAMS[size]]).spawn(3)
    items = _draw_items(spec, streams[0])
    shoppers = _draw_shoppers(spec, streams[1])
    user, when = _draw_visits(spec, streams[2])
    wants = {name: shoppers[name] for name in ("care", "taste", "drift")}
    item = choose_items(
        items["groups"], items["popularity"], items["launch"], **wants, user=user, when=when, rng=streams[2]
    )
    kept = np.flatnonzero(item >= 0)
    kept = kept[np.lexsort((user[kept], when[kept]))]
    events = {"event_user": user[kept], "event_item": item[kept], "event_time": when[kept]}
    return World(size=size, seed=seed, **items, **shoppers, **events)


def _draw_items(spec: Size, rng: np.random.Generator) -> dict:
    count = spec.items
    groups = {facet: rng.integers(number, size=count).astype(np.int8) for facet, number in FACETS.items()}
    silent = rng.random(count) >= (0.4 if spec.media else 0.0)
    groups["sound"][silent] = SOUNDS
    title, description = write_texts(groups["category"], groups["theme"], rng)
    gap = rng.random(count)  # below 0.05: no photo; the next 0.05: no text
    has_text = (gap < 0.05) | (gap >= 0.10)
    late = rng.random(count)  # below 0.05: in the last tenth of the time; the next 0.15: any time
    launch = np.where(late < 0.05, rng.uniform(0.9, 0.98, count), np.where(late < 0.2, rng.random(count) * 0.9, 0.0))
    popularity = (rng.permutation(count) + 5.0) ** -0.7
    typical = np.array([14, 25, 45, 35, 20, 16, 70, 18])[groups["category"]]
    return {
        "title": np.where(has_text, title, ""),
        "description": np.where(has_text, description, ""),
        "groups": groups,
        "price": np.round(typical * rng.lognormal(0.0, 0.4, count), 2),
        "popularity": popularity / popularity.sum(),
        "launch": START + (launch * SPAN).astype(np.int64),
        "has_photo": (gap >= 0.05) | (not spec.media),
        "has_text": has_text,
    }


def _draw_shoppers(spec: Size, rng: np.random.Generator) -> dict:
    count = spec.shoppers
    shares = _KIND_SHARES * [1, 1, spec.media, 1]
    kind = rng.choice(len(KINDS), count, p=shares / shares.sum()).astype(np.int8)
    taste = {}
    for facet, number in FACETS.items():
        drawn = rng.dirichlet(np.full(number, 0.2), (count, 2))  # [U, 2, G]
        taste[facet] = (drawn / drawn.max(axis=-1, keepdims=True)).astype(np.float32)
    # A shopper drifts in one facet: the one cared about most, or any of the two for the mixed.
    drifts = rng.random(count) < 0.2
    facet_of = np.where(kind == KINDS.index("mixed"), 1 + rng.integers(2, size=count), 1 + kind)
    for index, values in enumerate(taste.values()):
        steady = ~(drifts & (facet_of == index))
        values[steady, 1] = values[steady, 0]
    return {
        "kind": kind,
        "care": {facet: np.array(cares)[kind] for facet, cares in _CARES.items()},
        "taste": taste,
        "drift": START + (rng.uniform(0.3, 0.8, count) * SPAN).astype(np.int64),
    }


def _draw_visits(spec: Size, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shopper (int32 [E]) and time (int64 [E]) of each line, baskets together, sorted by shopper."""
    size = 1 + rng.choice(len(_BASKET_SHARES), spec.events, p=_BASKET_SHARES)
    size = size[: np.searchsorted(np.cumsum(size), spec.events) + 1]
    activity = rng.gamma(2.0, size=spec.shoppers)
    extra = rng.choice(spec.shoppers, max(0, len(size) - 2 * spec.shoppers), p=activity / activity.sum())
    shopper = np.concatenate([np.repeat(np.arange(spec.shoppers), 2), extra])[: len(size)]  # at least two visits each
    joined = np.maximum(0.0, rng.uniform(-0.6, 0.7, spec.shoppers))[shopper]
    when = START + ((joined + (1 - joined) * rng.random(len(size))) * SPAN).astype(np.int64)
    order = np.lexsort((when, shopper))
    user, when = (np.repeat(values[order], size)[: spec.events] for values in (shopper, when))
    return user.astype(np.int32), when
