"""The attributes of users: reads and checks their table, and makes features of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tensorflow as tf

from mmrec import schema
from mmrec.config.data import UsersConfig
from mmrec.data.attributes import read_attributes
from mmrec.data.tables import flat_strings, read_table, rows_text
from mmrec.errors import Faults
from mmrec.preprocess.attributes import AttributeEncoder, fit_attribute_encoder
from mmrec.values import Spellings


@dataclass(frozen=True)
class Users:
    """The attributes of U users, by user number.

    Attributes:
      columns: arrays by column: of a category str objects [U] ("" is none), of a number float32 [U] (NaN is none).
      encoder: makes features of them, as for the attributes of items.
      counts: number of skipped rows, masked values and users that the table lacks, by reason.
    """

    columns: Mapping[str, np.ndarray]
    encoder: AttributeEncoder
    counts: Mapping[str, int]

    @property
    def covered(self) -> int:
        """Number of users that the table has."""
        return len(next(iter(self.columns.values()))) - self.counts.get("user_without_attributes", 0)

    def features(self) -> dict[str, np.ndarray]:
        """Returns the features that `towers.context` reads, by name; first dimension U."""
        encoded = self.encoder({column: tf.constant(values.tolist()) for column, values in self.columns.items()})
        return {f"user_{name.partition('_')[2]}": values.numpy() for name, values in encoded.items()}

    def names(self) -> dict[str, str]:
        """Returns the name of the signature input by column."""
        return {field.column: field.input for field in schema.user_fields(self.encoder.kinds)}

    def raw(self, users: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the columns of some users (int [Q]) by signature input."""
        return {name: self.columns[column][users] for column, name in self.names().items()}


def load_users(config: UsersConfig, user_ids: np.ndarray, trained: np.ndarray, tfds_dir: str | None = None) -> Users:
    """Reads and checks the table of users.

    Args:
      config: where the table is, and its columns.
      user_ids: str objects [U], the ids of the events' users.
      trained: bool [U], the users with training events: categories and scales are learnt from them.
      tfds_dir: folder of prepared TFDS data sets.

    Raises:
      InputError: naming file, row and column of each kind of fault that is not allowed to be skipped or masked.
    """
    table = read_table(config.path, [config.user_id, *config.attributes], key="data.users.path", tfds_dir=tfds_dir)
    ids = flat_strings(table, config.user_id, config.path)
    empty = ids == ""
    repeated = pd.Series(ids).duplicated().to_numpy() & ~empty
    faults = Faults()
    for fault, rule in ((empty, "must not be empty"), (repeated, "must be unique")):
        bad = np.flatnonzero(fault)
        if len(bad) and config.on_bad_row == "error":
            faults.messages.append(
                f"{rows_text(config.path, bad, config.user_id)}: {rule}. Received: {ids[bad[0]]!r}. Set "
                "`data.users.on_bad_row: skip` to leave such rows out."
            )
    good = np.flatnonzero(~empty & ~repeated)
    with faults.collected():
        attributes, masked = read_attributes(table.iloc[good], config, good, "data.users")
    place = Spellings(ids[good]).places(user_ids)  # [U], -1 for users that the table lacks
    if (place < 0).all():
        faults.messages.append(
            f"{config.path}, column `{config.user_id}`: no user of the events is in it. The events have "
            f"{user_ids[0]!r}, for one. Received: {', '.join(map(repr, ids[good][:1])) or 'no id'}, for one. Write the "
            "ids in the same way in both tables, correct `data.users.user_id`, or leave `data.users` out."
        )
    faults.raise_any()
    nothing = {column: "" if values.dtype == object else np.float32(np.nan) for column, values in attributes.items()}
    columns = {column: np.append(values, nothing[column])[place] for column, values in attributes.items()}
    counts = {
        "user_without_id": int(empty.sum()),
        "repeated_user": int(repeated.sum()),
        "bad_user_attribute": masked,
        "user_without_attributes": int((place < 0).sum()),
    }
    encoder = fit_attribute_encoder(config.attributes, columns, trained)
    return Users(columns, encoder, {reason: count for reason, count in counts.items() if count})
