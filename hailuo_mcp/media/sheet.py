"""A contact sheet: time-stamped frames of one or several clips as one small JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hailuo_mcp.media.frames import Frame

MOST_BYTES = 153_600
MOST_FRAMES = 16
LEAST_PIXELS = 18_000
"""Of each frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One clip's frames, of which a row may need several lines."""

    label: str
    frames: Sequence[Frame]


def contact_sheet(rows: Sequence[SheetRow]) -> bytes:
    """Return a JPEG of at most MOST_BYTES, with at most MOST_FRAMES frames in all."""
    raise NotImplementedError
