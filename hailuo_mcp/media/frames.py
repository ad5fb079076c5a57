"""Frames of a clip as pictures: as a player shows them, turned and with square pixels."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hailuo_mcp.media.clip_facts import shown_size
from hailuo_mcp.media.opening import (
    DECODE_SECONDS,
    UnreadableClipError,
    decoded,
    open_clip,
    picture_track,
)

if TYPE_CHECKING:
    from av.buffer import Buffer
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from PIL.Image import Image, Transpose

_TOLERANCE = Fraction(1, 1_000_000)
"""Seconds by which 1.4 may miss the frame that starts at 7/5: decimals are not exact."""
_FIRST_STEP = Fraction(1)
"""Seconds to look further back for a keyframe; each further step is four times as long."""
_MOST_SHOWN = 2_100_000
"""Pixels of one of several frames, which are only looked at: just above 1920×1080."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    picture: Image
    at: float
    """Seconds from the start, when it appears."""
    until: float = 0.0
    """When the next one appears, or the clip ends."""
    past_end: bool = False
    """The moment that was asked for is after the end: this is the last frame."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A decoded frame, and from when until when it is shown: exact seconds from the start."""

    frame: VideoFrame
    at: Fraction
    until: Fraction
    past_end: bool = False


def first_frame(path: Path) -> Frame:
    """Return the frame with which the clip starts; raises UnreadableClipError."""
    return frames_at(path, [0.0])[0]


def last_frame(path: Path) -> Frame:
    """Return the last frame that is shown; raises UnreadableClipError."""
    return _frame_at(path, None)


def frame_at(path: Path, seconds: float) -> Frame:
    """Return the frame that is shown at this moment; raises UnreadableClipError."""
    return _frame_at(path, _exact(seconds))


def frames_at(path: Path, moments: Sequence[float]) -> list[Frame]:
    """Return the frames that are shown at these moments, in their order, each frame once.

    They are to be looked at: what is larger than 1920×1080 is reduced. Raises UnreadableClipError.
    """
    with open_clip(path) as clip:
        timeline = _Timeline(clip)
        found = timeline.shown_at(sorted(_exact(moment) for moment in moments))
        return _different(found, timeline, reduce=len(moments) > 1)


def spread_frames(path: Path, count: int) -> list[Frame]:
    """Return `count` evenly spaced frames, the first and the last among them; one is the middle.

    One that has fewer frames gives all that it has. They are to be looked at: what is larger than
    1920×1080 is reduced. Raises UnreadableClipError.
    """
    with open_clip(path) as clip:
        start, last = _Timeline(clip).ends()
    if count == 1:
        moments = [(start + last) / 2]
    else:
        moments = [start + (last - start) * number / (count - 1) for number in range(count)]
    with open_clip(path) as clip:
        timeline = _Timeline(clip)
        return _different(timeline.shown_at(moments), timeline, reduce=True)


def picture_bytes(frame: Frame, *, most_bytes: int) -> bytes:
    """Return the frame as a PNG, or where that is larger than `most_bytes` as a JPEG."""
    data = BytesIO()
    frame.picture.save(data, "PNG")
    for quality in range(95, 0, -10):
        if data.tell() <= most_bytes:
            break
        data = BytesIO()
        frame.picture.save(data, "JPEG", quality=quality, subsampling="4:4:4")
    return data.getvalue()


def _exact(seconds: float) -> Fraction:
    return Fraction(str(seconds))


def _frame_at(path: Path, moment: Fraction | None) -> Frame:
    """The frame at this moment, None for the last: decoded from the keyframe before it."""
    with suppress(UnreadableClipError), open_clip(path) as clip:
        timeline = _Timeline(clip)
        if timeline.go_to_keyframe(moment):
            return timeline.picture(timeline.shown_at([moment])[0])
    with open_clip(path) as clip:
        timeline = _Timeline(clip)
        return timeline.picture(timeline.shown_at([moment])[0])


def _different(found: Sequence[_Shown], timeline: _Timeline, *, reduce: bool) -> list[Frame]:
    """Each frame once, in order."""
    frames = list[Frame]()
    at: Fraction | None = None
    for shown in found:
        if shown.at != at:
            frames.append(timeline.picture(shown, most=_MOST_SHOWN if reduce else None))
            at = shown.at
    return frames


class _Timeline:
    """A clip's frames by the seconds at which they are shown.

    The start is that of the clip's earliest track, whatever time its file gives it, as players
    have it. Edit lists are applied by FFmpeg.
    """

    def __init__(self, clip: InputContainer) -> None:
        self._clip = clip
        self._stream = picture_track(clip)
        self._unit = self._stream.time_base or Fraction(1, 1000)
        video = (self._stream.start_time or 0) * self._unit
        self._start = video
        for track in clip.streams.audio:
            if track.start_time is not None and track.time_base:
                # Samples before zero only prepare the decoder.
                self._start = min(self._start, max(Fraction(0), track.start_time * track.time_base))
        self._begin = video - self._start
        """When the first frame appears."""

    def ends(self) -> tuple[Fraction, Fraction]:
        """When the first and when the last frame appears, by the packets, which are not decoded."""
        import av.error

        gives_up = time.monotonic() + DECODE_SECONDS
        first, last = None, self._begin
        with suppress(av.error.FFmpegError):  # it breaks off: what came is what there is
            for packet in self._clip.demux(self._stream):
                if packet.pts is None or packet.is_discard:
                    continue
                at = packet.pts * self._unit - self._start
                first, last = at if first is None else min(first, at), max(last, at)
                if time.monotonic() > gives_up:
                    raise UnreadableClipError("it takes too long to read")
        return (self._begin if first is None else first), last

    def go_to_keyframe(self, moment: Fraction | None) -> bool:
        """Seek to a keyframe that is shown at or before the moment; False if that is the start."""
        import av.error

        length = (self._stream.duration or 0) * self._unit
        wanted = self._begin + length if moment is None else min(moment, self._begin + length)
        step = Fraction(0)
        while (goal := wanted - step) > self._begin:
            place = int((goal + self._start) / self._unit)
            try:
                self._clip.seek(place, stream=self._stream)
                packet = next(self._clip.demux(self._stream))
                if packet.pts is None or not packet.is_keyframe:
                    return False
                # Seeking goes by the time of decoding: the keyframe itself may be shown later, and
                # the frames that are decoded after it and shown before it lack what they refer to.
                if packet.pts * self._unit - self._start <= wanted:
                    self._clip.seek(place, stream=self._stream)
                    return True
            except (av.error.FFmpegError, StopIteration):
                return False
            step = step * 4 or _FIRST_STEP
        return False

    def shown_at(self, moments: Sequence[Fraction | None]) -> list[_Shown]:
        """What is shown at each of these moments, which ascend; None is the last frame.

        A clip that breaks off ends where it does.
        """
        found, rest = list[_Shown](), deque(moments)
        held: tuple[VideoFrame, Fraction] | None = None
        for frame, at in self._decoded():
            while rest and held and rest[0] is not None and rest[0] < at - _TOLERANCE:
                found.append(_Shown(*held, until=at))
                rest.popleft()
            if not rest:
                return found
            held = frame, at
        if held is None:
            raise UnreadableClipError("no frame of it can be decoded")
        frame, at = held
        end = at + (frame.duration or 0) * (frame.time_base or self._unit)
        whole = max(end, Fraction(self._clip.duration or 0, 1_000_000)) + _TOLERANCE
        for moment in rest:
            late = moment is not None and moment > whole
            found.append(_Shown(frame, at, until=end, past_end=late))
        return found

    def _decoded(self) -> Iterator[tuple[VideoFrame, Fraction]]:
        """Frames and when they are shown."""
        for frame in decoded(self._clip):
            yield frame, (frame.pts or 0) * (frame.time_base or self._unit) - self._start

    def picture(self, shown: _Shown, *, most: int | None = None) -> Frame:
        """As a player shows it; with at most so many pixels."""
        stretched = shown_size(self._stream, 0)[0] / self._stream.codec_context.width
        return Frame(
            picture=_upright(shown.frame, stretched, most),
            at=float(shown.at),
            until=float(shown.until),
            past_end=shown.past_end,
        )


def _upright(frame: VideoFrame, stretched: float, most: int | None) -> Image:
    """The frame in RGB, with its width stretched so that pixels are square, and turned."""
    import av.error
    from av.video.reformatter import Interpolation
    from PIL import Image

    # Its own matrix and range. Without tags FFmpeg takes BT.601, which is also what those who leave
    # the tags out encode with: a chain of shots keeps its colours.
    best = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    try:
        plain = frame.reformat(format="rgb24", interpolation=best)
        size, rows = (plain.width, plain.height), plain.planes[0]
        picture = Image.frombytes("RGB", size, bytes(rows), "raw", "RGB", rows.line_size)
    except (av.error.FFmpegError, ValueError, MemoryError) as trouble:
        raise UnreadableClipError("its colours cannot be read") from trouble
    width, height = max(1, round(picture.width * stretched)), picture.height
    if most and width * height > most:
        shrink = (most / (width * height)) ** 0.5
        width, height = ceil(width * shrink), ceil(height * shrink)
    if (width, height) != picture.size:
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    turn = _turn(frame)
    return picture if turn is None else picture.transpose(turn)


def _turn(frame: VideoFrame) -> Transpose | None:
    """How Pillow turns or mirrors it as the display matrix says; None if it is upright."""
    from PIL.Image import Transpose

    attached = cast("Mapping[str, Buffer]", frame.side_data)  # PyAV types it too narrowly
    try:
        a, b, _, c, d, *_ = struct.unpack("=9i", bytes(attached["DISPLAYMATRIX"]))
    except (KeyError, struct.error):
        return None
    if abs(a) + abs(d) >= abs(b) + abs(c):
        across = {
            (False, False): None,
            (True, True): Transpose.ROTATE_180,
            (True, False): Transpose.FLIP_LEFT_RIGHT,
            (False, True): Transpose.FLIP_TOP_BOTTOM,
        }
        return across[a < 0, d < 0]
    on_its_side = {
        (False, True): Transpose.ROTATE_270,  # Pillow turns to the left
        (True, False): Transpose.ROTATE_90,
        (False, False): Transpose.TRANSPOSE,
        (True, True): Transpose.TRANSVERSE,
    }
    return on_its_side[b < 0, c < 0]
