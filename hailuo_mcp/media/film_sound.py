"""The sound of a film: each clip's own, exactly as long as its picture, silence where it has none.

It is always encoded again. An AAC track begins with samples that only prepare its decoder, and ends
between two frames of the picture: copied one after the other, such tracks click and drift.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

from hailuo_mcp.media.film_clips import WORK_SECONDS, SourceClip
from hailuo_mcp.media.opening import decoded_tracks, open_clip

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.packet import Packet

_RATES = (48_000, 44_100, 32_000)
_BLOCK = 1024
"""Samples."""
_BITS = 96_000
"""Per second and channel."""
_JITTER = Fraction(1, 50)
"""Seconds by which time stamps may be off before samples are dropped or silence put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """When a clip is heard in the film, in samples. Where two overlap, one fades into the other."""

    clip: SourceClip
    begin: int
    end: int


class FilmSound:
    """A film's track of sound. Samples are 16 bits, the channels of one moment together."""

    def __init__(
        self,
        out: Any,  # noqa: ANN401
        clips: Sequence[SourceClip],
        times: Sequence[tuple[Fraction, Fraction]],
        check: Callable[[], None],
    ) -> None:
        """`times`: when each clip begins and ends in the film, in seconds."""
        rate, self._channels = next(clip.sound for clip in clips if clip.sound)
        self._rate = rate if rate in _RATES else _RATES[0]
        self._layout = "stereo" if self._channels > 1 else "mono"
        self._check = check
        self._spans = [
            Span(clip=clip, begin=round(begin * self._rate), end=round(end * self._rate))
            for clip, (begin, end) in zip(clips, times, strict=True)
        ]
        self._track: Any = out.add_stream("aac", rate=self._rate, layout=self._layout)
        self._track.bit_rate = _BITS * self._channels
        self.seconds = Fraction(self._spans[-1].end, self._rate)

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield the whole track, compressed."""
        from av import AudioFrame

        at, rest = 0, bytearray()
        size = 2 * self._channels
        for samples in chain(self._mixed(), [b""]):
            rest += samples
            enough = _BLOCK * size if samples else 1
            while len(rest) >= enough:
                block = bytes(rest[: _BLOCK * size])
                del rest[: _BLOCK * size]
                frame = AudioFrame(format="s16", layout=self._layout, samples=len(block) // size)
                frame.planes[0].update(block)
                frame.sample_rate = self._rate
                frame.pts, frame.time_base = at, Fraction(1, self._rate)
                at += frame.samples
                yield from self._track.encode(frame)
        yield from self._track.encode(None)

    def _mixed(self) -> Iterator[bytes]:
        """Yield the film's samples; of each clip only as much as fades is held back."""
        size, tail = 2 * self._channels, b""
        for index, span in enumerate(self._spans):
            after = self._spans[index + 1].begin if index + 1 < len(self._spans) else span.end
            keep = (span.end - after) * size
            fading, waiting = tail, bytearray()
            for samples in self._samples(span):
                self._check()
                waiting += samples
                if fading:
                    if len(waiting) < len(fading):
                        continue
                    yield _faded(fading, bytes(waiting[: len(fading)]), self._channels)
                    del waiting[: len(fading)]
                    fading = b""
                if len(waiting) > keep:
                    ready = len(waiting) - keep
                    yield bytes(waiting[:ready])
                    del waiting[:ready]
            tail = bytes(waiting)

    def _samples(self, span: Span) -> Iterator[bytes]:
        """Yield exactly as many samples as the span is long."""
        size, wanted, given = 2 * self._channels, span.end - span.begin, 0
        for frame, at in self._decoded(span.clip):
            samples = bytes(frame.planes[0])[: frame.samples * size]
            if given == 0 or abs(at - given) > _JITTER * self._rate:
                if at > given:
                    yield from _silence(min(at, wanted) - given, size)
                    given = min(at, wanted)
                else:
                    samples = samples[(given - at) * size :]
            samples = samples[: (wanted - given) * size]
            given += len(samples) // size
            if samples:
                yield samples
            if given >= wanted:
                return
        yield from _silence(wanted - given, size)

    def _decoded(self, clip: SourceClip) -> Iterator[tuple[AudioFrame, int]]:
        """Yield samples in the film's format, and how many samples after the clip's start."""
        from av import AudioFrame, AudioResampler
        from av.error import FFmpegError

        if clip.sound is None:
            return
        resampler = AudioResampler(format="s16", layout=self._layout, rate=self._rate)
        with open_clip(clip.path, seconds=WORK_SECONDS) as opened:
            track = opened.streams.audio[0]
            found = decoded_tracks(opened, track, seconds=WORK_SECONDS)
            # What is damaged is left out, as a player does; silence takes its place.
            whole = (frame for _, frame in found if isinstance(frame, AudioFrame))
            for each in chain(whole, [None]):
                try:
                    frames = resampler.resample(each)
                except (FFmpegError, ValueError):
                    return  # it changes its format on the way
                for frame in frames:
                    if frame.pts is not None and frame.time_base:
                        since = frame.pts * frame.time_base - clip.start
                        yield frame, round(since * self._rate)


def _silence(samples: int, size: int) -> Iterator[bytes]:
    while samples > 0:
        block = min(samples, 16 * _BLOCK)
        yield bytes(block * size)
        samples -= block


def _faded(old: bytes, new: bytes, channels: int) -> bytes:
    """One into the other, evenly."""
    before, after = array("h", old), array("h", new)
    whole = len(before) // channels + 1
    mixed = array("h", before)
    for index, (low, high) in enumerate(zip(before, after, strict=True)):
        share = index // channels + 1
        mixed[index] = (low * (whole - share) + high * share) // whole
    return mixed.tobytes()
