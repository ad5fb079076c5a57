"""Facts about a saved clip, read from its headers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.media import boxes
from hailuo_mcp.media.opening import UnreadableClipError, open_clip, picture_track

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_MICROSECONDS = 1_000_000
"""FFmpeg's unit for the length of a file."""
_SQUARE = 0.02
"""Pixels whose sides differ by less count as square: they come from sizes that were rounded."""
_FLATTEST = 10
"""Pixels that are said to be longer are taken as square: no clip has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """As in the file, not as requested."""

    width: int
    """As shown: turned if the file says so, with square pixels."""
    height: int
    seconds: float


def probe(path: Path) -> ClipFacts | None:
    """Return the clip's facts; None if the media extra is not installed.

    Raises:
        UnreadableClipError: it is not a clip that can be read here.
        OSError: the file cannot be read.
    """
    try:
        import av  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        return None
    with open_clip(path) as clip:
        track = picture_track(clip)
        width, height = shown_size(track, turned(path))
        seconds = stated_seconds(clip, track)
    if not (width and height and seconds > 0):
        raise UnreadableClipError("it has no size or no length")
    return ClipFacts(width=width, height=height, seconds=round(seconds, 3))


def turned(path: Path) -> int:
    """Return by how many degrees clockwise a player turns it: 0, 90, 180 or 270."""
    with path.open("rb") as file:
        try:
            return boxes.turn(file)
        except boxes.BrokenBoxesError:
            return 0


def shown_size(track: VideoStream, turn: int) -> tuple[int, int]:
    """Return width and height as a player shows them."""
    width, height = track.codec_context.width, track.codec_context.height
    shape = track.sample_aspect_ratio
    if shape and 1 / _FLATTEST < shape < _FLATTEST and abs(shape - 1) > _SQUARE:
        width = round(width * shape)
    return (height, width) if turn in {90, 270} else (width, height)


def stated_seconds(clip: InputContainer, track: VideoStream) -> float:
    """Return the length that the headers state, 0 if they state none."""
    if clip.duration:
        return clip.duration / _MICROSECONDS
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    return 0.0
