"""What is measured of a contestant, and the process of its own in which it runs."""

from __future__ import annotations

import multiprocessing
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Any


@dataclass(frozen=True)
class Measured:
    """Figures of a contestant.

    Attributes:
      seconds: from events in memory to a trained model, tracing included; imports, judging and export are not.
      peak_bytes: the most memory that its process held meanwhile, libraries included.
      metrics: `Problem.judge`'s.
      targets: events that training asked for, over all epochs; 0 where nothing is trained by steps.
      epochs: passes over them.
      said: further figures to print beside the seconds, such as settings that were chosen.
      rows: further rows of its own: name -> (value, unit).
    """

    seconds: float
    peak_bytes: float
    metrics: dict[str, dict]
    targets: int = 0
    epochs: int = 0
    said: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, tuple[float, str]] = field(default_factory=dict)


def in_child(module: str, function: str, *arguments) -> Any:
    """Returns what a function returns in a new process, which alone imports its module.

    Raises:
      RuntimeError: the process failed; the message is its traceback.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(sender, module, function, arguments))
    child.start()
    sender.close()
    try:
        done, answer = receiver.recv()
    except EOFError:
        done, answer = False, "the process ended without an answer: was it out of memory?"
    child.join()
    if not done:
        raise RuntimeError(answer)
    return answer


def _answer(sender: Connection, module: str, function: str, arguments: tuple) -> None:
    try:
        sender.send((True, getattr(import_module(module), function)(*arguments)))
    except Exception:
        sender.send((False, traceback.format_exc()))
