"""A planted shop: two groups of twelve items, and users who take items of one group only."""

import csv

import numpy as np
import tensorflow as tf
import tf_keras


def write_groups(folder, users=160, events=6, **training):
    """Writes the tables under `folder`; returns the config of a quick training on them, as a dict.

    A user's items are a random choice of the group's twelve, in random order, so what comes next is one of the six or
    more that are left: ranking the group first puts it among the first ten, and no order within the group is better.
    """
    generator = np.random.default_rng(0)
    colours = ("red", "blue")
    with open(folder / "items.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["item_id", "title"])
        table.writerows([f"{colour}-{i}", f"{colour} thing {i}"] for colour in colours for i in range(12))
    with open(folder / "events.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["user_id", "item_id", "timestamp"])
        for user in range(users):
            taken = generator.permutation(12)[:events]
            table.writerows([f"u{user}", f"{colours[user % 2]}-{item}", time] for time, item in enumerate(taken))
    return {
        "name": "groups",
        "runs_dir": str(folder / "runs"),
        "saved_models_dir": str(folder / "models"),
        "data": {
            "catalog": {"path": str(folder / "items.csv"), "text": ["title"], "image": None, "payload": ["title"]},
            "interactions": {"path": str(folder / "events.csv")},
            "split": {"kind": "leave_last_out"},
            "cache_dir": str(folder / "cache"),
        },
        "item": {
            "modalities": ["item_id"],
            "dim": 16,
            "text": {"tokenizer": "word", "embedding_dim": 8, "units": 8},
            "item_id": {"initial": "random"},  # from neighbours, ids would know the group before training
        },
        "query": {"history": "mean", "max_length": 8},
        "training": {"epochs": 4, "batch_size": 32, "learning_rate": 0.02, **training},
        "evaluation": {"bootstrap_samples": 20},
    }


def few_items(folder, items, users=20, events=6):
    """Writes a shop of this many items, which users take at random, again and again; returns the config."""
    config, draw = write_groups(folder), np.random.default_rng(0)
    for name, rows in {
        "items": [["item_id", "title"], *([f"i{item}", f"thing {item}"] for item in range(items))],
        "events": [
            ["user_id", "item_id", "timestamp"],
            *([f"u{user}", f"i{draw.integers(items)}", time] for user in range(users) for time in range(events)),
        ],
    }.items():
        with open(folder / f"{name}.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)
    config["retrieval"] = {"repeat_consumption": True}
    return config


def add_photos(folder, config, photo, **image):
    """Gives each item a photo of its own colour, reddish or bluish, and makes photos the only modality."""
    with open(folder / "items.csv", newline="") as file:
        header, *rows = csv.reader(file)
    for number, row in enumerate(rows):
        shade = 10 * (number % 12)
        row.append(f"{number}.png")
        (folder / row[-1]).write_bytes(photo((250, shade, shade) if number < 12 else (shade, shade, 250)))
    with open(folder / "items.csv", "w", newline="") as file:
        csv.writer(file).writerows([[*header, "image"], *rows])
    config["data"]["catalog"]["image"] = "image"
    config["item"] |= {"modalities": ["image"], "image": {"weights": None, "size": 32, **image}}


class MeanColour(tf_keras.layers.Layer):
    """Stands in for ResNet50, which takes seconds to build: a photo's features are its mean colour."""

    feature_dim = 3

    def __init__(self, config, seed):
        super().__init__(name="backbone")

    def digest(self):
        """Returns what the name of the cache depends on."""
        return "mean colour"

    def call(self, pixels, training=False):
        return tf.reduce_mean(tf.cast(pixels, tf.float32), axis=[1, 2]) / 255.0
