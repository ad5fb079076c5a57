"""Opens a clip, which may be damaged or hostile, and decodes it within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.errors import ConfigError, Do, Step

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame

INSTALL = 'install the media extra: pip install "hailuo-mcp[media]"'
DECODE_SECONDS = 60.0
"""A clip that takes longer is given up; ten seconds of 1080p take about two."""


class UnreadableClipError(ValueError):
    """The file is not a video that a player would open. Its text continues "… because "."""


def need_av() -> None:
    """Raise ConfigError, which says what to install, where PyAV is missing."""
    try:
        import av  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise ConfigError(
            "Clips cannot be opened here, because PyAV is not installed.",
            Step(Do.ARRANGE, INSTALL),
        ) from None


@contextmanager
def open_clip(path: Path) -> Generator[InputContainer]:
    """Open a file as MP4 with a video stream.

    Raises:
        UnreadableClipError: it is none.
        ConfigError: PyAV is not installed.
    """
    need_av()
    import av
    import av.error

    # An open file and a named format: FFmpeg would read "concat:…" or "http:…" out of a mere name.
    with path.open("rb") as file:
        try:
            clip = av.open(file, mode="r", format="mp4")
        except (av.error.FFmpegError, OSError, ValueError) as trouble:
            raise UnreadableClipError("it cannot be opened as a video") from trouble
        with clip:
            if not clip.streams.video:
                raise UnreadableClipError("it has no video stream")
            yield clip


def decoded(
    clip: InputContainer,
    *,
    seconds: float = DECODE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[VideoFrame]:
    """Yield the frames of its first video stream, in the order in which they are shown.

    Raises:
        UnreadableClipError: it is damaged, or takes too long.
    """
    import av.error

    ends = clock() + seconds
    try:
        for frame in clip.decode(clip.streams.video[0]):
            if clock() > ends:
                raise UnreadableClipError("it takes too long to decode")
            yield frame
    except (av.error.FFmpegError, ValueError, MemoryError) as trouble:
        raise UnreadableClipError("it is damaged") from trouble
