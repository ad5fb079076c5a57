"""Facts of reference clips and sounds, by their bytes: names and declared types say nothing."""

from __future__ import annotations

import hashlib
import time
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

from hailuo_mcp.domain.requests import ClipFacts, SoundFacts
from hailuo_mcp.media import boxes
from hailuo_mcp.media.clip_facts import shown_size, stated_seconds
from hailuo_mcp.media.opening import (
    UnreadableClipError,
    codec_name,
    decoded,
    open_clip,
    open_sound,
    picture_track,
)

if TYPE_CHECKING:
    from av.container import InputContainer

    from hailuo_mcp.media.opening import Track

READ_SECONDS = 10.0
"""A file that takes longer to look through is refused; 50 MB take a tenth of a second."""
_PADDING = 0.1
"""Seconds by which sound that ends with the pictures may outlast them: its frames have one size."""
_QUICKTIME, _PHONE = b"qt  ", b"3g"
_WAV = "audio/wav"
_MP3 = "audio/mp3"


def clip_facts(data: bytes) -> ClipFacts:
    """Look at an MP4 or MOV.

    Raises:
        UnreadableClipError: it is none, is damaged, or nothing of it can be decoded.
        ConfigError: PyAV is not installed.
    """
    with open_clip(data, seconds=READ_SECONDS) as clip:
        if not boxes.is_whole(BytesIO(data)):
            raise UnreadableClipError("it is cut off")
        track = picture_track(clip)
        width, height = shown_size(track, _turn(data))
        stated, rate = stated_seconds(clip, track), track.average_rate
        sound = codec_name(clip.streams.audio[0]) if clip.streams.audio else ""
        codec = codec_name(track)
        length, count = _measured(clip, track)
    # Whoever pays by the second does not rely on what a header says alone.
    seconds = stated if stated - length > _PADDING else length
    if not (width and height and seconds > 0):
        raise UnreadableClipError("it has no size or no length")
    with open_clip(data, seconds=READ_SECONDS) as clip:
        next(decoded(clip, seconds=READ_SECONDS))
    return ClipFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        mime=_mime(data[8:12]),
        size=len(data),
        width=width,
        height=height,
        seconds=round(seconds, 3),
        fps=round(float(rate) if rate else count / seconds, 3),
        codec=codec,
        sound=sound,
    )


def sound_facts(data: bytes) -> SoundFacts:
    """Look at a WAV or MP3; raises as clip_facts."""
    form = _sound_format(data)
    with open_sound(data, form, seconds=READ_SECONDS) as sound:
        if not sound.streams.audio:
            raise UnreadableClipError("it has no sound track")
        track = sound.streams.audio[0]
        codec = codec_name(track)
        if form == "mp3" and codec != "mp3":
            raise UnreadableClipError("it is neither WAV nor MP3")
        # Headers are not asked: an MP3 often has none, and its length is then a guess.
        seconds, _ = _measured(sound, track)
    if seconds <= 0:
        raise UnreadableClipError("it has no length")
    return SoundFacts(
        sha256=hashlib.sha256(data).hexdigest(),
        mime=_WAV if form == "wav" else _MP3,
        size=len(data),
        seconds=round(seconds, 3),
    )


def _sound_format(data: bytes) -> str:
    """What FFmpeg calls it: "wav" or "mp3"."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if not data:
        raise UnreadableClipError("it is empty")
    # Eleven bits that are all set begin a frame; then version and layer, of which 0 is none.
    frame = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06  # noqa: PLR2004
    if data[:3] == b"ID3" or frame:
        return "mp3"
    raise UnreadableClipError("it is neither WAV nor MP3")


def _measured(opened: InputContainer, track: Track) -> tuple[float, int]:
    """How many seconds its packets last, from the first to the end of the last, and how many."""
    unit, ends = track.time_base or Fraction(0), time.monotonic() + READ_SECONDS
    first: int | None = None
    last = count = 0
    for packet in opened.demux(track):
        if time.monotonic() > ends:
            raise UnreadableClipError("it takes too long to read")
        if packet.pts is None or packet.is_discard:
            continue
        # In a WAV that only means that its header did not know its length.
        if packet.is_corrupt and opened.streams.video:
            raise UnreadableClipError("it is damaged")
        count += 1
        first = packet.pts if first is None else min(first, packet.pts)
        last = max(last, packet.pts + (packet.duration or 0))
    return (float((last - first) * unit) if first is not None else 0.0), count


def _turn(data: bytes) -> int:
    try:
        return boxes.turn(BytesIO(data))
    except boxes.BrokenBoxesError:
        return 0


def _mime(brand: bytes) -> str:
    if brand == _QUICKTIME:
        return "video/quicktime"
    return "video/3gpp" if brand.startswith(_PHONE) else "video/mp4"
