"""The errors of mmrec: `InputError` for input that cannot be used, `TrainingError` for a training that went wrong."""

from __future__ import annotations

import difflib
import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


class InputError(ValueError):
    """A config, data file or argument that cannot be used as given.

    The message stands alone: it names the place (file, row, column or key), the rule, what was received and the remedy.
    The command line prints it without a traceback and exits with code 2.

    Args:
      *messages: one line for each fault of the input.

    Attributes:
      messages: tuple of str, those lines; `str(error)` joins them by line breaks.
    """

    def __init__(self, *messages: str):
        super().__init__("\n".join(messages))
        self.messages = messages


class Faults:
    """Collects the messages of several `InputError`s, so that all faults of an input are reported at once.

    >>> faults = Faults()
    >>> for value in (1, -2, -3):
    ...     with faults.collected():
    ...         if value < 0:
    ...             raise InputError(f"must be positive. Received: {value}.")
    >>> faults.messages
    ['must be positive. Received: -2.', 'must be positive. Received: -3.']
    """

    def __init__(self) -> None:
        self.messages: list[str] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keeps the messages of an `InputError` raised inside the block, and goes on after the block."""
        try:
            yield
        except InputError as error:
            self.messages += error.messages

    def raise_any(self) -> None:
        """Raises an `InputError` with all messages, if there are any."""
        if self.messages:
            raise InputError(*self.messages)


class TrainingError(RuntimeError):
    """A training that went wrong, such as one whose loss is not finite; the message says what to change.

    The command line prints it without a traceback and exits with code 1.
    """


def nearest(name: str, names: Iterable[str]) -> str:
    """Returns " Did you mean `x`?" for the one of `names` closest to `name`, ignoring case, or "" when none is close.

    >>> nearest("epoch", ["epochs", "patience"]), nearest("item_id", ["Title", "ITEM_ID"])
    (' Did you mean `epochs`?', ' Did you mean `ITEM_ID`?')
    """
    spelt = {one.casefold(): one for one in map(str, names)}
    close = difflib.get_close_matches(name.casefold(), spelt, n=1, cutoff=0.5)
    return f" Did you mean `{spelt[close[0]]}`?" if close else ""


@contextmanager
def writing(path: str | os.PathLike, key: str | None) -> Iterator[None]:
    """Turns a full disk and a path that cannot be written into an `InputError`; other errors pass.

    Args:
      path: the file or folder that is written.
      key: the config key that sets the path; None: no key of this job sets it.

    Raises:
      InputError: the disk is full, or the path cannot be written.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # TensorFlow raises no OSError; its errors contain the system's message
        if isinstance(error, ValueError) and "null byte" in str(error):
            raise InputError(f"{str(path)!r}: cannot be written: no path has a null character. Remove it.") from None
        code = getattr(error, "errno", None) or next((c for c in _FULL if os.strerror(c) in str(error)), None)
        if code in _FULL:
            remedy = "Free space there" + (f", or set `{key}` to a folder on another disk" if key else "")
        elif code in _DENIED:
            remedy = f"Set `{key}` to a folder you may write to" if key else "Make it writable, or work on a copy of it"
        else:
            raise
        raise InputError(f"{path}: cannot be written ({os.strerror(code)}). {remedy}.") from None


@contextmanager
def loading_preset(preset: str, part: str) -> Iterator[None]:
    """Turns any failure to load a keras-nlp preset into an `InputError`.

    Args:
      preset: the value of `item.text.preset`.
      part: the part that is loaded, such as "tokenizer", for the message.

    Raises:
      InputError: the preset cannot be loaded.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # the hubs', HDF5's and Keras's errors share no class
        said = " ".join(str(error).split())[:300]
        raise InputError(
            f"`item.text.preset`: the {part} of {preset!r} cannot be loaded: {said} Give a preset folder: where the "
            "hub can be reached, `keras_nlp.models.Backbone.from_preset(NAME).save_to_preset(FOLDER)` and the same "
            "with `keras_nlp.models.Tokenizer` make one."
        ) from None
