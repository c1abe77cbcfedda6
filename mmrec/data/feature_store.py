"""Arrays kept on disk by the digest of what they were computed from; appended to, memory-mapped, never rewritten."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mmrec.errors import writing
from mmrec.locks import locked

DIGEST_BYTES = 32
_KEY = "data.cache_dir"  # named in the message when the folder cannot be written


def digest(*parts: bytes | str) -> bytes:
    """Returns the SHA-256 of the parts, each preceded by its length, so that different lists of parts differ."""
    total = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.digest()


class FeatureStore:
    """A growing table of arrays of one shape, looked up by digest.

    Values are appended before their digests, so a process killed at any byte leaves a valid store: the next writer cuts
    off what has no complete digest. Other processes may read and write at the same time.

    Args:
      folder: where the two files are; created if missing. One folder holds one kind of feature.
      shape: shape of one entry.
      dtype: type of the values.
    """

    def __init__(self, folder: str | os.PathLike, shape: Sequence[int], dtype: str = "float32"):
        self.folder, self.shape, self.dtype = Path(folder), tuple(shape), np.dtype(dtype)
        with writing(self.folder, _KEY):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._values, self._digests = self.folder / "values.bin", self.folder / "digests.bin"
        self._entry_bytes = int(np.prod(self.shape)) * self.dtype.itemsize
        self._places: dict[bytes, int] = {}
        self._read_digests()

    def __len__(self) -> int:
        return len(self._places)

    def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Returns the distinct digests that the store lacks, in their order."""
        self._read_digests()
        return [digest for digest in dict.fromkeys(digests) if digest not in self._places]

    def places(self, digests: Sequence[bytes]) -> np.ndarray:
        """Returns int64 [R], the position in `values` of each digest; -1 where the store lacks it."""
        return np.array([self._places.get(digest, -1) for digest in digests], np.int64)

    @property
    def values(self) -> np.ndarray:
        """All entries [E, *shape], read-only and memory-mapped."""
        if not self._places:
            return np.zeros((0, *self.shape), self.dtype)
        return np.memmap(self._values, self.dtype, mode="r", shape=(len(self._places), *self.shape))

    def append(self, digests: Sequence[bytes], values: np.ndarray) -> None:
        """Adds entries; those that another process has added in the meantime are left out.

        Args:
          digests: R digests of 32 bytes.
          values: [R, *shape], their entries.

        Raises:
          InputError: the disk is full, or the folder may not be written; earlier entries stay.
          ValueError: `values` has another shape.
        """
        values = np.ascontiguousarray(values, self.dtype)
        if values.shape != (len(digests), *self.shape):
            raise ValueError(f"`values` must be {(len(digests), *self.shape)}. Received: {values.shape}.")
        with writing(self.folder, _KEY), self._writer():
            new = list({digest: i for i, digest in enumerate(digests) if digest not in self._places}.values())
            with open(self._values, "ab") as file:
                file.write(values[new].tobytes())
                file.flush()
                os.fsync(file.fileno())
            with open(self._digests, "ab") as file:
                file.write(b"".join(digests[i] for i in new))
            self._read_digests()

    @contextmanager
    def _writer(self) -> Iterator[None]:
        """Holds the store's lock, with both files cut to their whole entries."""
        with locked(self.folder / "lock"):
            self._read_digests()
            for path, size in ((self._digests, DIGEST_BYTES), (self._values, self._entry_bytes)):
                path.touch()
                os.truncate(path, len(self._places) * size)
            yield

    def _read_digests(self) -> None:
        if not self._digests.exists():
            return
        whole = min(self._digests.stat().st_size // DIGEST_BYTES, self._values.stat().st_size // self._entry_bytes)
        count = len(self._places)
        if whole > count:
            with open(self._digests, "rb") as file:
                file.seek(count * DIGEST_BYTES)
                read = file.read((whole - count) * DIGEST_BYTES)
            for place in range(whole - count):
                self._places[read[place * DIGEST_BYTES : (place + 1) * DIGEST_BYTES]] = count + place
