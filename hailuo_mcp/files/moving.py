"""What lies beside a clip goes along when the clip is moved; the clip itself is copied first."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from hailuo_mcp.files.naming import (
    LARGEST_BESIDE,
    POSTER,
    SIDECAR,
    is_ours,
    names_beside,
    owner_of,
    write_beside,
)

_log = logging.getLogger(__name__)


def copy_beside(clip: Path, target: Path, *, whose: str) -> list[Path]:
    """Copy the sidecar and the poster of this task's or film's clip to where its copy is.

    Return those that were copied. One that cannot be written there stays where it is.
    """
    copied = list[Path]()
    for ending in (SIDECAR, POSTER):
        for name in names_beside(clip.name, ending):
            place = clip.with_name(name)
            data = _read(place)
            mine = owner_of(data)[0] == whose if ending == SIDECAR else is_ours(data)
            if not mine:
                continue
            try:
                write_beside(target, ending, data)
            except OSError:
                _log.warning("the %s of %s could not be moved", ending, whose)
            else:
                copied.append(place)
            break
    return copied


def remove_moved(clip: Path, beside: list[Path], target: Path) -> None:
    """Delete a clip that was copied to `target`, and what lay beside it. Raises OSError."""
    kept = {target, *(target.with_name(name) for name in _beside(target))}
    for place in (*beside, clip):
        with suppress(FileNotFoundError):
            # One file may have two paths, by another case of letters or a link: it must stay.
            if not any(_same(place, other) for other in kept):
                place.unlink()


def _beside(clip: Path) -> list[str]:
    return [name for ending in (SIDECAR, POSTER) for name in names_beside(clip.name, ending)]


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except FileNotFoundError:
        return False


def _read(place: Path) -> bytes:
    try:
        with place.open("rb") as file:
            data = file.read(LARGEST_BESIDE + 1)
    except OSError:
        return b""
    return data if len(data) <= LARGEST_BESIDE else b""
