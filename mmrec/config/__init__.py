"""The config. `Config` is imported on first use: the modalities' sections, which it needs, import `config.section`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmrec.config.config import Config as Config


def __getattr__(name: str) -> Any:
    if name != "Config":
        raise AttributeError(f"module 'mmrec.config' has no attribute {name!r}")
    from mmrec.config.config import Config

    return Config
