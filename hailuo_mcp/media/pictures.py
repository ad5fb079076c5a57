"""Input pictures: measured, and made fit where that needs no decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FitPicture:
    """A picture as it is sent."""

    data: bytes
    mime: str
    width: int
    height: int
    changes: tuple[str, ...] = ()
    """What was changed: clauses for every reader, such as "scaled from 9000×6000 px"."""
