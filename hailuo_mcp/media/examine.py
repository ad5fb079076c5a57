"""Looks through a clip for what is wrong with it: black, frozen, cut, flickering, silent."""

from __future__ import annotations

import re
import time
from array import array
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

from hailuo_mcp.media import boxes
from hailuo_mcp.media.clip_facts import shown_size, turned
from hailuo_mcp.media.likeness import likeness, opened_picture
from hailuo_mcp.media.opening import (
    DECODE_SECONDS,
    Clock,
    UnreadableClipError,
    decoded_tracks,
    is_known,
    open_clip,
    picture_track,
)
from hailuo_mcp.media.watching import LONG_SIDE, Stretch, Watcher

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from PIL.Image import Image

ALIKE = 0.75
"""The least likeness to a given picture: encoding, a crop of 2% and slightly other colours leave
0.8 and more, another picture of the same colours and layout at most 0.74, most below 0.3."""
SIZE_TOLERANCE = 0.05
"""Providers round a side to what their encoder takes: 910 to 896 or 912, 1366 to 1360."""
LENGTH_TOLERANCE = 0.5
"""Seconds: six are sold as 141 frames, which are 5.875 or, at 25 frames a second, 5.64."""
_ONE_FRAME = 0.05
"""Seconds, and a little more, at 24 frames a second."""
_SILENT = 33
"""Of 32,768, which is -60 dB: encoders leave one or two of digital silence."""
_UNEVEN = 0.12
"""Share by which a frame's time differs from the usual: 24 and 30 frames a second by 20%, times
that are rounded to milliseconds by 4%."""
_MOST_UNEVEN = 0.03
"""Share of such frames, and more than one of them: a single dropped frame is no variable rate."""
_MISSING_FRAMES = 2
"""Damaged ones; a player gets over a single one."""
_REORDERED_SECONDS = 0.25
"""Before damage is met: frames come out of a decoder later than they went in. What is seen after
that, such as a jump, comes of the damage."""
_LEAST_SIDE = 8
"""Pixels to which a frame is scaled, whatever its shape."""
_MISSING_SECONDS = 0.25
"""Between the stated and the real end of the picture; edits cut a few frames from it."""
_WIDE = 16 / 9
"""The shape of clips that do not begin with a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the clip was asked to be; None where nothing was said."""

    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    seconds_over: float = 0.0
    """By how much it may be longer, where that is more than every clip may."""
    first_picture: bytes | None = None
    """The picture that it was to start from."""
    last_picture: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Facts and flaws of a clip. Sizes in pixels as shown, times in seconds."""

    width: int
    height: int
    seconds: float
    fps: float
    variable_fps: bool = False
    turned: int = 0
    """Degrees clockwise by which a player turns it; the size is the one after that."""
    sound: bool = False
    """There is a track, and something can be heard."""
    silent_track: bool = False
    truncated: bool = False
    """Fewer frames than its headers promise, or damaged ones."""
    black: tuple[Stretch, ...] = ()
    frozen: tuple[Stretch, ...] = ()
    cuts: tuple[float, ...] = ()
    flickers: tuple[Stretch, ...] = ()
    wrong_size: bool = False
    wrong_length: bool = False
    first_likeness: float | None = None
    """How close the first frame is to the given picture: 1 is the same, 0 unrelated."""
    last_likeness: float | None = None

    @property
    def flaws(self) -> tuple[str, ...]:
        """The names of the fields that say that something looks wrong; sound is a plain fact."""
        doubts = ("truncated", "variable_fps", "black", "frozen", "cuts", "flickers")
        found = [name for name in (*doubts, "wrong_size", "wrong_length") if getattr(self, name)]
        for name in ("first_likeness", "last_likeness"):
            alike = getattr(self, name)
            if alike is not None and alike < ALIKE:
                found.append(name)
        return tuple(found)


def expected_size(resolution: str, first_picture: bytes | None) -> tuple[int, int] | None:
    """Return the size of a resolution such as 768P: 1366×768, or the first picture's own shape.

    None for one that does not name its shorter side.
    """
    named = re.fullmatch(r"(\d{3,4})P", resolution.strip().upper())
    if not named:
        return None
    short, shape = int(named[1]), _WIDE
    if first_picture is not None:
        picture = opened_picture(first_picture)
        if picture is None:
            return None
        shape = picture.width / picture.height
    long = 2 * round(short * max(shape, 1 / shape) / 2)  # no encoder takes odd sides
    return (long, short) if shape >= 1 else (short, long)


def examine(path: Path, expected: Expected, *, clock: Clock = time.monotonic) -> Findings:
    """Read the whole clip once.

    Raises:
        UnreadableClipError: it is not a clip that can be read here, or takes too long.
        ConfigError: PyAV is not installed.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        whole = boxes.is_whole(file)
    with open_clip(path, clock=clock) as clip:
        track = picture_track(clip)
        turn = turned(path)
        pictures, sound = _Pictures(track, shown_size(track, turn), turn), _Sound(clip)
        for source, frame in decoded_tracks(
            clip, track, *sound.tracks, seconds=DECODE_SECONDS, clock=clock
        ):
            if source.index == track.index:
                pictures.take(cast("VideoFrame | None", frame))
            else:
                sound.take(source.index, cast("AudioFrame | None", frame))
        found = pictures.findings(expected, whole=whole)
    silent = sound.exists and not sound.heard
    return replace(found, sound=sound.heard, silent_track=silent)


class _Pictures:
    """The one pass over the frames."""

    def __init__(self, track: VideoStream, size: tuple[int, int], turn: int) -> None:
        self.size, self.turn = size, turn
        upright = size[::-1] if turn in {90, 270} else size
        scale = min(1.0, LONG_SIDE / max(*upright, 1))
        self._small = [max(_LEAST_SIDE, round(side * scale)) for side in upright]
        self._watcher = Watcher()
        self._times = array("d")
        self._damaged = 0
        self._whole_until = inf
        self._first: Image | None = None
        self._last: VideoFrame | None = None
        stated = track.duration and track.time_base and track.duration * track.time_base
        self._stated = float(stated or 0)

    def take(self, frame: VideoFrame | None) -> None:
        at = _seconds(frame, frame.pts) if frame and frame.pts is not None else 0.0
        if frame is None or (self._times and at <= self._times[-1]):
            self._damaged += 1
            if self._damaged == _MISSING_FRAMES and self._times:
                self._whole_until = self._times[-1] - self._times[0] - _REORDERED_SECONDS
            return
        gray = self._reduced(frame, "gray", "L")
        self._first = self._first or self._shown(frame)
        self._times.append(at)
        self._watcher.take(gray, at - self._times[0], key_frame=frame.key_frame)
        self._last = frame

    def findings(self, expected: Expected, *, whole: bool) -> Findings:
        """Judge what was taken; raises UnreadableClipError if that is nothing."""
        if self._first is None or self._last is None:
            raise UnreadableClipError("none of its frames can be decoded")
        intervals = [later - earlier for earlier, later in pairwise(self._times)]
        usual = median(intervals) if intervals else 0.0
        uneven = sum(abs(interval - usual) > _UNEVEN * usual for interval in intervals)
        shown = self._times[-1] - self._times[0]
        seconds = shown + (_seconds(self._last, self._last.duration) or usual)
        width, height = self.size
        seen = self._watcher.finish(seconds, until=self._whole_until)
        damaged = self._damaged >= _MISSING_FRAMES
        return Findings(
            width=width,
            height=height,
            seconds=round(seconds, 3),
            fps=round(len(intervals) / shown, 2) if shown else 0.0,
            # Where frames are missing, the others are uneven.
            variable_fps=not damaged and uneven > max(1, _MOST_UNEVEN * len(intervals)),
            turned=self.turn,
            truncated=not whole or damaged or seconds < self._stated - _MISSING_SECONDS,
            black=seen.black,
            frozen=seen.frozen,
            cuts=seen.cuts,
            flickers=seen.flickers,
            wrong_size=_differ(width, expected.width, SIZE_TOLERANCE * (expected.width or 0))
            or _differ(height, expected.height, SIZE_TOLERANCE * (expected.height or 0)),
            wrong_length=_wrong_length(seconds, expected),
            first_likeness=_likeness(self._first, expected.first_picture),
            last_likeness=_likeness(self._shown(self._last), expected.last_picture),
        )

    def _shown(self, frame: VideoFrame) -> Image:
        """Return a frame as a player shows it, at a small size."""
        return self._reduced(frame, "rgb24", "RGB").rotate(-self.turn, expand=True)

    def _reduced(self, frame: VideoFrame, pixels: str, mode: str) -> Image:
        from PIL import Image

        width, height = self._small
        small = frame.reformat(width=width, height=height, format=pixels, interpolation="AREA")
        plane = small.planes[0]
        return Image.frombytes(mode, (width, height), bytes(plane), "raw", mode, plane.line_size)


class _Sound:
    """Whether there is something to hear, in any track."""

    def __init__(self, clip: InputContainer) -> None:
        from av.audio.resampler import AudioResampler

        self.tracks = [track for track in clip.streams.audio if is_known(track)]
        self.exists = bool(clip.streams.audio)
        # What cannot be decoded here may well be heard by others.
        self.heard = len(self.tracks) < len(clip.streams.audio)
        self._resamplers = {track.index: AudioResampler(format="s16") for track in self.tracks}

    def take(self, track: int, frame: AudioFrame | None) -> None:
        if frame is None or self.heard:
            return
        try:
            for part in self._resamplers[track].resample(frame):
                size = 2 * part.samples * part.layout.nb_channels
                samples = array("h", bytes(part.planes[0])[:size])
                if samples and (max(samples) > _SILENT or min(samples) < -_SILENT):
                    self.heard = True
        except Exception:  # noqa: BLE001  # a track that changes its format on the way
            self.heard = True


def _seconds(frame: VideoFrame, ticks: int) -> float:
    return float(ticks * frame.time_base) if frame.time_base else 0.0


def _likeness(frame: Image, given: bytes | None) -> float | None:
    picture = opened_picture(given) if given is not None else None
    return likeness(frame, picture) if picture else None


def _wrong_length(found: float, expected: Expected) -> bool:
    asked, over = expected.seconds, max(LENGTH_TOLERANCE, expected.seconds_over + _ONE_FRAME)
    return asked is not None and not -LENGTH_TOLERANCE <= found - asked <= over


def _differ(found: float, asked: float | None, tolerance: float) -> bool:
    return asked is not None and abs(found - asked) > tolerance
