"""What joining must know of each clip: its exact length, and whether its picture can be copied."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from hailuo_mcp.media.clip_facts import shown_size, turned
from hailuo_mcp.media.opening import UnreadableClipError, is_known, open_clip, picture_track

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_COPIED = frozenset({"avc1", "avc3", "hvc1", "hev1", "av01", "mp4v"})
"""Formats of the picture that an MP4 may have, by their tag."""
WORK_SECONDS = 1800.0
"""The longest that a clip may be open while the film is encoded."""
_LEAST_RATE, _MOST_RATE = Fraction(1), Fraction(120)
_USUAL_RATE = Fraction(24)
_MOST_SECONDS = 600
"""A clip has about ten."""


class BadClipError(UnreadableClipError):
    """One of the clips to be joined cannot be read."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(why)
        self.number = number
        """Its place among the clips, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceClip:
    """One clip to be joined. Times are exact, in seconds of its own file."""

    path: Path
    number: int
    """From 1."""
    start: Fraction
    """When its first frame is shown."""
    seconds: Fraction
    """From there to the end of its last frame."""
    delay: Fraction
    """How long before it is shown the first frame is decoded."""
    frames: int
    rate: Fraction
    """Frames per second, on average."""
    width: int
    height: int
    """As shown: upright, with square pixels."""
    turned: int
    """Degrees, clockwise, by which a player turns its frames."""
    description: tuple[object, ...]
    """Clips of which all this is equal can share one track."""
    can_copy: bool
    colours: tuple[int, int, int, int]
    """Range, primaries, transfer and matrix, as in H.273; 2 is unknown (0 for the range)."""
    sound: tuple[int, int] | None
    """Samples per second, and channels: 1 or 2."""


def read_clip(path: Path, number: int, check: Callable[[], None]) -> SourceClip:
    """Read a whole clip without decoding it; raises BadClipError."""
    try:
        return _read_clip(path, number, check)
    except UnreadableClipError as trouble:
        raise BadClipError(number, str(trouble)) from trouble


def _read_clip(path: Path, number: int, check: Callable[[], None]) -> SourceClip:
    packets = read_packets(path, check)
    if packets.seconds > _MOST_SECONDS:
        raise UnreadableClipError("its time stamps are impossible")
    with open_clip(path) as clip:
        stream = picture_track(clip)
        context, turn = stream.codec_context, turned(path)
        width, height = shown_size(stream, turn)
        rate = stream.average_rate or _USUAL_RATE
        colours = _colours(stream)
        return SourceClip(
            path=path,
            number=number,
            start=packets.start,
            seconds=packets.seconds,
            delay=packets.start - packets.decoded_at,
            frames=packets.count,
            rate=rate if _LEAST_RATE <= rate <= _MOST_RATE else _USUAL_RATE,
            width=width,
            height=height,
            turned=turn,
            description=(
                *(context.name, stream.codec_tag, context.profile, context.pix_fmt),
                *(context.width, context.height, stream.sample_aspect_ratio, stream.average_rate),
                *(colours, context.extradata),
            ),
            # A turned one is encoded upright: not every program turns it.
            can_copy=packets.regular and not turn and stream.codec_tag in _COPIED,
            colours=colours,
            sound=_sound(clip),
        )


def _sound(clip: InputContainer) -> tuple[int, int] | None:
    """None, too, if there is no decoder for it: nothing could be heard."""
    for stream in clip.streams.audio[:1]:
        context = stream.codec_context
        if is_known(stream) and context.sample_rate and context.channels:
            return context.sample_rate, min(2, context.channels)
    return None


def _colours(stream: VideoStream) -> tuple[int, int, int, int]:
    context = stream.codec_context
    return (
        *(int(context.color_range), int(context.color_primaries)),
        *(int(context.color_trc), int(context.colorspace)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """The compressed picture of a file. Times in seconds."""

    count: int
    start: Fraction
    end: Fraction
    decoded_at: Fraction
    """When the first one is decoded."""
    regular: bool
    """It begins with a whole picture, goes on in order, and all of it is shown."""
    digest: bytes

    @property
    def seconds(self) -> Fraction:
        return self.end - self.start


def read_packets(path: Path, check: Callable[[], None]) -> Packets:
    """Read the first video stream; raises UnreadableClipError."""
    import av.error

    digest = hashlib.sha256()
    shown, ends, decoded_at = list[Fraction](), Fraction(0), list[Fraction]()
    regular = True
    with open_clip(path) as clip:
        stream = picture_track(clip)
        base = stream.time_base or Fraction(1, 1000)
        usual = 1 / (stream.average_rate or _USUAL_RATE)
        try:
            for packet in clip.demux(stream):
                check()
                if packet.dts is None or packet.pts is None:
                    regular = regular and not packet.size
                    continue
                if packet.is_corrupt:
                    raise UnreadableClipError("it is damaged")
                if packet.is_discard:  # only needed to decode what is shown
                    regular = False
                    continue
                at, decodes = packet.pts * base, packet.dts * base
                regular = (
                    regular
                    and (bool(shown) or packet.is_keyframe)
                    and decodes <= at
                    and (not decoded_at or decodes > decoded_at[-1])
                )
                shown.append(at)
                decoded_at.append(decodes)
                ends = max(ends, at + (packet.duration * base if packet.duration else usual))
                digest.update(bytes(packet))
        except UnreadableClipError:
            raise
        except (av.error.FFmpegError, ValueError) as trouble:
            raise UnreadableClipError("it is damaged") from trouble
    if not shown:
        raise UnreadableClipError("it has no frames")
    return Packets(
        count=len(shown),
        start=min(shown),
        end=ends,
        decoded_at=decoded_at[0],
        regular=regular,
        digest=digest.digest(),
    )


def can_share_a_track(clips: Sequence[SourceClip]) -> bool:
    """Whether their pictures can follow each other as they are."""
    first = clips[0].description
    return all(clip.can_copy and clip.description == first for clip in clips)
