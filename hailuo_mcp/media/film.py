"""Joins clips to one film, without encoding them again where their streams allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hailuo_mcp.domain import Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    seconds: float
    width: int
    height: int
    encoded: bool
    """The streams did not fit together, or a fade was wanted: it was encoded once more."""
    starts: tuple[float, ...]
    """When each clip begins, in seconds."""


def join_clips(clips: Sequence[Path], target: Path, *, transition: Transition) -> Joined:
    """Write the film to `target`, which appears when it is whole.

    Raises:
        UnreadableClipError: a clip cannot be read.
        ConfigError: PyAV is not installed.
        OSError: the film cannot be written.
    """
    raise NotImplementedError


def poster(path: Path) -> bytes:
    """Return the first frame that is not black as a JPEG."""
    raise NotImplementedError
