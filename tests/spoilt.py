"""A shop on disk that tests spoil, and how `mmrec train` answers."""

import csv
import json

import yaml

from tests.jobs.worlds import add_photos, write_groups


class SpoiltShop:
    """A planted shop on disk with an earlier run and version, to be spoilt before a command runs on it."""

    def __init__(self, folder, photo):
        self.folder, self._photo = folder, photo
        self.config = write_groups(folder, users=24, epochs=1)
        for earlier in ("runs/groups/1/metrics.json", "models/groups/1/saved_model.pb"):
            (folder / earlier).parent.mkdir(parents=True)
            (folder / earlier).write_text("earlier")

    def set(self, **values):
        """Changes config values, by key with `__` for dots."""
        for key, value in values.items():
            *sections, name = key.split("__")
            section = self.config
            for part in sections:
                section = section[part]
            section[name] = value

    def rows(self, table):
        """Reads a table as lists, the header first."""
        with open(self.folder / f"{table}.csv", newline="") as file:
            return list(csv.reader(file))

    def write(self, table, rows):
        """Writes a table of lists, the header first."""
        with open(self.folder / f"{table}.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)

    def cell(self, table, row, column, value):
        """Replaces a value; rows count from 1, without the header."""
        rows = self.rows(table)
        rows[row][rows[0].index(column)] = value
        self.write(table, rows)

    def json_cell(self, table, row, column, value):
        """Replaces a value of any type, in a table of JSON lines."""
        header, *rows = self.rows(table)
        records = [dict(zip(header, values, strict=True)) for values in rows]
        records[row - 1][column] = value
        path = self.folder / f"{table}.jsonl"
        path.write_text("\n".join(map(json.dumps, records)))
        self.config["data"][{"items": "catalog", "events": "interactions"}[table]]["path"] = str(path)

    def bytes(self, table, change):
        """Changes a table's bytes."""
        path = self.folder / f"{table}.csv"
        path.write_bytes(change(path.read_bytes()))

    def photos(self):
        """Gives every item a photo."""
        add_photos(self.folder, self.config, self._photo)
        self.config["item"]["modalities"] = ["image", "item_id"]

    def third_photo(self, encoded):
        """Replaces the bytes of the third item's photo."""
        (self.folder / "2.png").write_bytes(encoded)

    def times(self, write):
        """Replaces the times 0, 1, ... of the events by texts."""
        header, *rows = self.rows("events")
        self.write("events", [header, *([*row[:2], write(int(row[2]))] for row in rows)])

    def left(self):
        """Returns the content of every file below the folders of runs and versions, except locks."""
        files = {}
        for name in ("runs", "models"):
            for path in sorted((self.folder / name).rglob("*")):
                if path.name != ".lock":
                    files[str(path.relative_to(self.folder))] = path.read_bytes() if path.is_file() else None
        return files

    def file(self):
        """Writes and returns the config file."""
        path = self.folder / "config.yaml"
        path.write_text(yaml.safe_dump(self.config))
        return path


def refusal(command, shop, path=None):
    """Trains, which must be refused with one message and leave nothing; returns the message."""
    path, before = path or shop.file(), shop.left()
    code, out, errors = command("train", path)
    assert (code, out) == (2, ""), errors
    assert "Traceback" not in errors
    (message,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert errors.rstrip().endswith(message)
    assert shop.left() == before
    return message


def trained(command, shop, path=None):
    """Trains, which must work; returns the metrics."""
    code, out, errors = command("train", path or shop.file(), "--json")
    assert code == 0, errors
    return json.loads(out.splitlines()[-1])["metrics"]
