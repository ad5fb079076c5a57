"""Looks through a clip for what is wrong with it: black, frozen, cut, flickering, silent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the clip was asked to be; None where nothing was said."""

    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    first_picture: bytes | None = None
    """The picture that it was to start from."""
    last_picture: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of the clip, in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Facts and flaws of a clip. Sizes in pixels as shown, times in seconds."""

    width: int
    height: int
    seconds: float
    fps: float
    variable_fps: bool = False
    turned: int = 0
    """Degrees by which a player turns it; the size is the one after that."""
    sound: bool = False
    """There is a track, and something can be heard."""
    silent_track: bool = False
    truncated: bool = False
    """Fewer frames than its headers promise, or damaged ones at the end."""
    black: tuple[Stretch, ...] = ()
    frozen: tuple[Stretch, ...] = ()
    cuts: tuple[float, ...] = ()
    flickers: tuple[Stretch, ...] = ()
    wrong_size: bool = False
    wrong_length: bool = False
    first_likeness: float | None = None
    """How close the first frame is to the given picture: 1 is the same, 0 unrelated."""
    last_likeness: float | None = None


def examine(path: Path, expected: Expected) -> Findings:
    """Read the whole clip once; raises UnreadableClipError."""
    raise NotImplementedError
