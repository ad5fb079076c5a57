"""Opens a clip or a sound, which may be damaged or hostile, and decodes it within bounds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.media import boxes

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.codec.context import CodecContext
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    Track = VideoStream | AudioStream

INSTALL = 'install the media extra: pip install "hailuo-mcp[media]"'
DECODE_SECONDS = 60.0
"""A clip that takes longer is given up; ten seconds of 1080p take about two."""
MOST_PIXELS = 4096 * 2304
"""Of a frame. Providers sell up to 2560×1440; a decoder may hold 20 frames of 55 megabytes."""
MOST_BYTES = 1 << 30
"""Of a file: one frame may pretend to be as large, and would be read whole."""
_MOST_DAMAGED = 500
"""Packets, after which the rest is left: millions of them would take a minute to be refused."""
_MOST_THREADS = 4
"""Each holds frames of its own, and a server looks at several clips at once."""
_CODECS = (
    *("h264", "hevc", "av1", "libdav1d", "vp9", "libvpx-vp9", "vp8", "mpeg4", "mjpeg"),
    *("aac", "mp3", "mp3float", "ac3", "eac3", "opus", "libopus", "flac", "alac"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le", "pcm_f32be"),
)
"""What clips are made of. FFmpeg has hundreds of other decoders, most of them old and unwatched."""

Clock = Callable[[], float]


class UnreadableClipError(ValueError):
    """The file is no clip or sound that a player would open. Its text continues "… because "."""


class NoPictureError(UnreadableClipError):
    """It has no picture track: it may have sound, but it is no clip."""

    def __init__(self) -> None:
        super().__init__("it has no picture track")


class _File:
    """What FFmpeg reads from; it stops when the time is up, even in the middle of an index."""

    def __init__(self, file: BinaryIO, ends: float, clock: Clock) -> None:
        self._file, self._ends, self._clock = file, ends, clock
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if self._clock() > self._ends:
            raise UnreadableClipError("it takes too long to read")
        return self._file.read(size)


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
def open_clip(
    source: Path | bytes, *, seconds: float = DECODE_SECONDS, clock: Clock = time.monotonic
) -> Generator[InputContainer]:
    """Open a file as MP4 with a picture track, for so many seconds at most.

    Raises:
        UnreadableClipError: it is none.
        ConfigError: PyAV is not installed.
        OSError: the file cannot be read.
    """
    need_av()
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        try:
            boxes.check_bounds(file)
            if boxes.lacks_picture(file):
                raise NoPictureError
        except boxes.BrokenBoxesError as trouble:
            raise UnreadableClipError(str(trouble)) from trouble
        if boxes.length(file) > MOST_BYTES:
            raise UnreadableClipError(f"it has more than {MOST_BYTES >> 30} GB")
        with _opened(_File(file, clock() + seconds, clock), "mp4", "a video") as clip:
            picture_track(clip)
            yield clip


@contextmanager
def open_sound(
    data: bytes, form: str, *, seconds: float = DECODE_SECONDS, clock: Clock = time.monotonic
) -> Generator[InputContainer]:
    """Open a sound in the format `form`, "wav" or "mp3", for so many seconds at most.

    Raises:
        UnreadableClipError: it is none.
        ConfigError: PyAV is not installed.
    """
    need_av()
    with _opened(_File(BytesIO(data), clock() + seconds, clock), form, "a sound") as sound:
        yield sound


@contextmanager
def _opened(file: _File, form: str, what: str) -> Generator[InputContainer]:
    import av
    import av.error

    # An open file and a named format: FFmpeg would read "concat:…" or "http:…" out of a mere name.
    file.seek(0)
    try:
        container = av.open(
            file, mode="r", format=form, options=_bounds(), metadata_errors="replace"
        )
    except Exception as trouble:
        raise _unreadable(trouble, f"it cannot be opened as {what}") from trouble
    with container:
        try:
            yield container
        except (av.error.FFmpegError, MemoryError) as trouble:
            raise _unreadable(trouble, "it is damaged") from trouble


def picture_track(clip: InputContainer) -> VideoStream:
    """Return its first track of moving pictures; a cover picture is none.

    Raises:
        UnreadableClipError: there is none, its codec is unknown, or it is too large.
    """
    from av.stream import Disposition

    tracks = [s for s in clip.streams.video if not s.disposition & Disposition.attached_pic]
    if not tracks:
        raise NoPictureError
    codec = tracks[0].codec_context
    if not is_known(tracks[0]):
        raise UnreadableClipError("its codec is unknown")
    if codec.width * codec.height > MOST_PIXELS:
        raise UnreadableClipError(f"its pictures have {codec.width}×{codec.height} px")
    return tracks[0]


def is_known(track: Track) -> bool:
    """Whether its codec is among those that are decoded here."""
    codec = cast("CodecContext | None", track.codec_context)  # None where FFmpeg knows none
    return codec is not None and codec.name in _CODECS


def codec_name(track: Track) -> str:
    """Return what FFmpeg calls what it is encoded in, whoever decodes it: h264, hevc, aac, mp3."""
    codec = cast("CodecContext | None", track.codec_context)
    return codec.codec.canonical_name if codec is not None else "unknown"


def decoded(
    clip: InputContainer, *, seconds: float = DECODE_SECONDS, clock: Clock = time.monotonic
) -> Iterator[VideoFrame]:
    """Yield the frames of its picture track, in the order in which they are shown.

    What is damaged is left out, as a player does. Each frame has a time.

    Raises:
        UnreadableClipError: no frame can be decoded, or it takes too long.
    """
    from av.video.frame import VideoFrame

    any_frame = False
    for _, frame in decoded_tracks(clip, picture_track(clip), seconds=seconds, clock=clock):
        if isinstance(frame, VideoFrame):
            any_frame = True
            yield frame
    if not any_frame:
        raise UnreadableClipError("none of its frames can be decoded")


def decoded_tracks(
    clip: InputContainer,
    *tracks: Track,
    seconds: float = DECODE_SECONDS,
    clock: Clock = time.monotonic,
) -> Iterator[tuple[Track, VideoFrame | AudioFrame | None]]:
    """Yield the frames of several tracks as they lie in the file; None for what is damaged.

    Where the file cannot be read any further, that is damage of the first track.

    Raises:
        UnreadableClipError: it takes too long.
    """
    from av.error import EOFError as EndOfFileError

    for track in tracks:
        _bound(track)
    ends, damaged = clock() + seconds, 0
    for packet in _packets(clip, *tracks):
        if clock() > ends:
            raise UnreadableClipError("it takes too long to decode")
        if packet is None:
            yield tracks[0], None
            continue
        try:
            frames = packet.decode()
        except EndOfFileError:
            continue
        except Exception as trouble:  # noqa: BLE001
            _stop_if_late(trouble)
            yield packet.stream, None
            damaged += 1
            if damaged == _MOST_DAMAGED:
                return
            continue
        if packet.is_corrupt:
            yield packet.stream, None
        for frame in frames:
            # Without a time it could not be shown.
            yield packet.stream, frame if frame.pts is not None and frame.time_base else None


def _packets(clip: InputContainer, *tracks: Track) -> Iterator[Packet[Any] | None]:
    """Yield None where the file cannot be read on, then what makes decoders give up their last."""
    from av.packet import Packet

    packets = clip.demux(*tracks)
    try:
        yield from packets
    except Exception as trouble:  # noqa: BLE001  # PyAV passes on whatever Python or FFmpeg says
        _stop_if_late(trouble)
        yield None
        for track in tracks:
            last: Packet[Any] = Packet()
            last.stream = track
            yield last


def _bounds() -> dict[str, str]:
    """Return options of FFmpeg: for the file and for each of its decoders."""
    return {
        "max_pixels": str(MOST_PIXELS),
        "codec_whitelist": ",".join(_CODECS),
        "protocol_whitelist": "none",
    }


def _bound(track: Track) -> None:
    codec = track.codec_context
    if not codec.is_open:
        codec.options = _bounds()
        codec.thread_count = min(_MOST_THREADS, os.cpu_count() or 1)
        codec.thread_type = "AUTO"


def _stop_if_late(trouble: Exception) -> None:
    """Raise what our own file said; anything else is damage."""
    if isinstance(trouble, UnreadableClipError):
        raise trouble


def _unreadable(trouble: BaseException, otherwise: str) -> UnreadableClipError:
    if isinstance(trouble, UnreadableClipError):
        return trouble
    if isinstance(trouble, MemoryError):
        return UnreadableClipError("it needs too much memory")
    return UnreadableClipError(otherwise)
