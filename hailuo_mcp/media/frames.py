"""Frames of a clip as pictures: as a player shows them, turned and with square pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    picture: Image
    at: float
    """Seconds from the start, when it appears."""
    past_end: bool = False
    """The moment that was asked for is after the end: this is the last frame."""


def first_frame(path: Path) -> Frame:
    """Return the frame with which the clip starts; raises UnreadableClipError."""
    raise NotImplementedError


def last_frame(path: Path) -> Frame:
    """Return the last frame that is shown; raises UnreadableClipError."""
    raise NotImplementedError


def frame_at(path: Path, seconds: float) -> Frame:
    """Return the frame that is shown at this moment; raises UnreadableClipError."""
    raise NotImplementedError


def spread_frames(path: Path, count: int) -> list[Frame]:
    """Return `count` evenly spaced frames, the first and the last among them.

    One that has fewer frames gives all that it has. Raises UnreadableClipError.
    """
    raise NotImplementedError


def picture_bytes(frame: Frame, *, most_bytes: int) -> bytes:
    """Return the frame as a PNG, or where that is larger than `most_bytes` as a JPEG."""
    raise NotImplementedError
