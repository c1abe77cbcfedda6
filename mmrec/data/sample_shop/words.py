"""Writes the titles and descriptions of the sample shop's items.

A text names the product's category and its theme. It never names a colour or a pattern: those are for the photo alone.
"""

from __future__ import annotations

import numpy as np

CATEGORIES = ("mug", "shirt", "lamp", "bag", "cushion", "poster", "shoe", "bowl")

THEMES = {
    "sailing": "harbour regatta anchor mainsail lighthouse seafarer tide sailor compass deckhand yacht voyage",
    "forest": "woodland fern acorn oak grove mushroom squirrel thicket badger treetop owl bramble",
    "jazz": "saxophone trumpet swing bebop nightclub improvisation melody bandstand ragtime encore quartet drummer",
    "space": "orbit rocket galaxy astronaut comet moon nebula satellite stargazer planet cosmos telescope",
    "baking": "sourdough flour oven pastry dough bakery croissant whisk yeast crumb pretzel brioche",
    "railway": "locomotive steam platform conductor timetable carriage junction viaduct whistle sleeper porter siding",
    "mythology": "dragon phoenix griffin oracle labyrinth titan minotaur olympus sphinx hydra nymph legend",
    "alpine": "summit glacier chalet ridge climber avalanche skiing peak basecamp marmot edelweiss gondola",
}
VOCABULARY = tuple(tuple(words.split()) for words in THEMES.values())

_TITLES = (
    "{A} {C}",
    "{A} and {B} {C}",
    "{X} {A} {C}",
    "{C} for the {A}",
    "The {A} {C}",
    "{X} {C}, {A} Edition",
    "{A} {C} No. {n}",
)
_SENTENCES = (
    "A {x} {c} for anyone who loves {a} and {b}.",
    "Inspired by {a}, {b} and {d}.",
    "Made with {a} lovers in mind.",
    "It brings a bit of {a} and {b} to every day.",
    "Our {x} {c} tells a story of {a} and {d}.",
    "Think of {a}, think of {b}.",
    "This {c} was drawn by friends of {a}.",
    "A gift for the {a} and {b} crowd.",
)
_QUALITIES = ("sturdy", "handmade", "everyday", "charming", "reliable", "generous", "favourite", "timeless")


def write_texts(category: np.ndarray, theme: np.ndarray, rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Writes a title and a description for each item.

    Args:
      category: int [I], index into `CATEGORIES`.
      theme: int [I], index into `THEMES`.
      rng: the source of everything random.

    Returns:
      Titles (the category and one or two theme words) and descriptions (two sentences), I strings each.
    """
    items = len(category)
    words = rng.permuted(np.tile(np.arange(len(VOCABULARY[0])), (items, 1)), axis=1)[:, :6]  # [I, 6], distinct
    quality = rng.integers(len(_QUALITIES), size=items)
    number = rng.integers(1, 100, size=items)
    form = rng.integers(len(_TITLES), size=items)
    sentences = rng.permuted(np.tile(np.arange(len(_SENTENCES)), (items, 1)), axis=1)[:, :2]  # [I, 2], distinct
    titles, descriptions = [], []
    for row in range(items):
        vocabulary = VOCABULARY[theme[row]]
        a, b, *rest = (vocabulary[word] for word in words[row])
        noun, adjective = CATEGORIES[category[row]], _QUALITIES[quality[row]]
        titles.append(
            _TITLES[form[row]].format(A=a.title(), B=b.title(), C=noun.title(), X=adjective.title(), n=number[row])
        )
        first, second = (_SENTENCES[sentence] for sentence in sentences[row])
        descriptions.append(
            first.format(a=rest[0], b=rest[1], d=a, c=noun, x=adjective)
            + " "
            + second.format(a=rest[2], b=rest[3], d=b, c=noun, x=adjective)
        )
    return titles, descriptions
