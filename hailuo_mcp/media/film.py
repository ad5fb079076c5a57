"""Joins clips to one film, without encoding them again where their streams allow it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hailuo_mcp.domain.film import Transition
from hailuo_mcp.media.film_clips import (
    Packets,
    SourceClip,
    can_share_a_track,
    read_clip,
    read_packets,
)
from hailuo_mcp.media.film_picture import FilmPicture, add_picture, encode_picture, plan_picture
from hailuo_mcp.media.film_sound import FilmSound
from hailuo_mcp.media.frames import frame_at
from hailuo_mcp.media.opening import (
    UnreadableClipError,
    decoded,
    need_av,
    open_clip,
    picture_track,
)

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

POSTER_MARK = b"hailuo-mcp"
"""In each poster, as the JPEG's comment: it shows who wrote the file."""
_ENCODER = {"crf": "17", "preset": "veryfast", "threads": "2"}
"""Half the time of "fast" for 1.5 dB less, which nobody sees (52 dB on five clips of the sandbox,
2026-11). The number of threads is fixed because it decides the bytes."""
_DARK = 32
"""Of 255; FFmpeg's blackdetect counts such a pixel as black, and this share of them as a frame."""
_BLACK_SHARE = 0.98
_POSTER_SECONDS = 10.0
"""How long to look for one that is not black."""
_DISK = frozenset(
    getattr(errno, name)
    for name in (
        "ENOSPC",
        "EDQUOT",
        "EFBIG",
        "EROFS",
        "EACCES",
        "EPERM",
        "ENOENT",
        "ENOTDIR",
        "EIO",
    )
    if hasattr(errno, name)
)
"""FFmpeg's errors that are the disk's; it has the system's numbers, for its own faults, too."""
_OFF = Fraction(1, 10)
"""Seconds by which the sound may end earlier or later than the picture: frames of both differ."""


class WrongFilmError(Exception):
    """What was written is not the film that it should be."""


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...


class _CannotCopyError(Exception):
    """The clips' time stamps do not follow each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    seconds: float
    width: int
    height: int
    encoded: bool
    """The streams did not fit together, or a fade was wanted: the picture was encoded once more."""
    starts: tuple[float, ...]
    """When each clip begins, in seconds."""


def join_clips(
    clips: Sequence[Path],
    target: Path,
    *,
    transition: Transition,
    check: Callable[[], None] = lambda: None,
) -> Joined:
    """Write the film to `target`, which appears when it is whole. Only one process may do so.

    A clip begins exactly when the one before it ends. With a fade they overlap by half a second, or
    half of a shorter clip. A shot that starts from the last frame of the one before shows it once
    more: it is not seen, and leaving it out would mean to encode. `check` is called often and may
    raise to stop it.

    Raises:
        BadClipError: a clip cannot be read.
        WrongFilmError: the film does not read as it should.
        ConfigError: PyAV is not installed.
        OSError: the film cannot be written.
    """
    need_av()
    draft = target.with_name(f"{target.name}.draft").absolute()
    try:
        sources = [read_clip(path, number, check) for number, path in enumerate(clips, 1)]
        fade = transition is Transition.FADE and len(sources) > 1
        joined = None
        if not fade and can_share_a_track(sources):
            try:
                joined = _copy(sources, draft, check)
            except _CannotCopyError:
                joined = None
        if joined is None:
            joined = _encode(plan_picture(sources, fade=fade), draft, check)
        with draft.open("r+b") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return joined


def _copy(clips: Sequence[SourceClip], draft: Path, check: Callable[[], None]) -> Joined:
    first = clips[0]
    begins = [Fraction(0)]
    for clip in clips:
        begins.append(begins[-1] + clip.seconds)
    digest = sha256()
    with open_clip(first.path) as template, _created(draft) as out:
        picture = picture_track(template)
        track = out.add_stream_from_template(picture)
        track.codec_context.codec_tag = picture.codec_tag
        sound = _add_sound(out, clips, list(pairwise(begins)), check)
        _write(out, _copied(track, clips, begins, digest, check), sound)
    film = read_packets(draft, check)
    _need_length(film, sum(clip.frames for clip in clips), begins[-1])
    _need(film.digest == digest.digest(), "its picture was changed")
    _need_streams(draft, sound)
    return Joined(
        seconds=round(float(film.seconds), 3),
        width=first.width,
        height=first.height,
        encoded=False,
        starts=tuple(float(begin) for begin in begins[:-1]),
    )


def _copied(
    track: Any,  # noqa: ANN401
    clips: Sequence[SourceClip],
    begins: Sequence[Fraction],
    digest: Digest,
    check: Callable[[], None],
) -> Iterator[Packet[Any]]:
    """Yield all clips' packets with their times in the film."""
    longest, last = max(clip.delay for clip in clips), None
    base = track.time_base or Fraction(1, 90_000)
    for clip, begin in zip(clips, begins, strict=False):
        with open_clip(clip.path) as opened:
            stream = picture_track(opened)
            own = stream.time_base or base
            # All are decoded as early as the one that must be earliest: else two would collide.
            earlier = longest - clip.delay
            for packet in opened.demux(stream):
                check()
                if packet.dts is None or packet.pts is None:
                    continue
                since = begin - clip.start
                packet.pts, packet.dts, packet.duration = (
                    round((packet.pts * own + since) / base),
                    round((packet.dts * own + since - earlier) / base),
                    round((packet.duration or 0) * own / base),
                )
                if last is not None and packet.dts <= last:
                    raise _CannotCopyError
                last = packet.dts
                packet.time_base, packet.stream = base, track
                digest.update(bytes(packet))
                yield packet


def _encode(film: FilmPicture, draft: Path, check: Callable[[], None]) -> Joined:
    begins = [begin / film.rate for begin in film.begins]
    ends = [begin + length / film.rate for begin, length in zip(begins, film.lengths, strict=True)]
    # A keyframe at least every two seconds, for those who seek.
    options = {**_ENCODER, "g": str(max(1, round(2 * film.rate)))}
    with _created(draft) as out:
        track = add_picture(out, film, options)
        sound = _add_sound(out, film.clips, list(zip(begins, ends, strict=True)), check)
        _write(out, encode_picture(track, film, check), sound)
    found = read_packets(draft, check)
    _need_length(found, film.frames, film.frames / film.rate)
    _need_streams(draft, sound)
    return Joined(
        seconds=round(float(found.seconds), 3),
        width=film.width,
        height=film.height,
        encoded=True,
        starts=tuple(float(begin) for begin in begins),
    )


@contextmanager
def _created(draft: Path) -> Generator[Any]:  # PyAV leaves half of its types for writing open
    import av
    import av.error

    # Without bitexact it tells its encoder; with it, joining again gives the same bytes.
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    draft.unlink(missing_ok=True)
    try:
        # Named as a file, because FFmpeg would read "concat:…" out of a mere name.
        with av.open(f"file:{draft}", mode="w", format="mp4", options=options) as out:
            yield out
    except UnreadableClipError:
        raise
    except (av.error.FFmpegError, ValueError) as trouble:
        number: int = getattr(trouble, "errno", 0) or 0
        if number in _DISK:
            raise OSError(number, os.strerror(number), str(draft)) from trouble
        raise WrongFilmError("it could not be written") from trouble


def _add_sound(
    out: Any,  # noqa: ANN401
    clips: Sequence[SourceClip],
    times: Sequence[tuple[Fraction, Fraction]],
    check: Callable[[], None],
) -> FilmSound | None:
    """None if no clip has sound."""
    return FilmSound(out, clips, times, check) if any(clip.sound for clip in clips) else None


def _write(
    out: Any,  # noqa: ANN401
    picture: Iterable[Packet[Any]],
    sound: FilmSound | None,
) -> None:
    """Write both tracks side by side: neither waits for the whole of the other in memory."""
    heard = sound.packets() if sound else iter(())
    waiting = next(heard, None)
    for packet in picture:
        now = (packet.dts or 0) * packet.time_base
        while waiting is not None and (waiting.dts or 0) * waiting.time_base <= now:
            out.mux(waiting)
            waiting = next(heard, None)
        out.mux(packet)
    while waiting is not None:
        out.mux(waiting)
        waiting = next(heard, None)


def _need(good: bool, why: str) -> None:  # noqa: FBT001  # reads as an assertion
    if not good:
        raise WrongFilmError(why)


def _need_length(found: Packets, frames: int, seconds: Fraction) -> None:
    _need(found.regular, "its frames are not in order")
    _need(found.count == frames, f"it has {found.count} frames instead of {frames}")
    _need(
        found.start == 0 and abs(found.seconds - seconds) <= _OFF / 10,
        f"it takes {float(found.seconds):.3f} s instead of {float(seconds):.3f} s",
    )


def _need_streams(draft: Path, sound: FilmSound | None) -> None:
    with open_clip(draft) as film:
        kinds = [stream.type for stream in film.streams]
        _need(kinds == (["video", "audio"] if sound else ["video"]), "its tracks are wrong")
        if sound:
            track = film.streams.audio[0]
            length = (track.duration or 0) * (track.time_base or Fraction(0))
            _need(abs(length - sound.seconds) <= _OFF, "its sound has another length")


def poster(path: Path, *, width: int = 0) -> bytes:
    """Return the first frame that is not black as a JPEG; one of black frames gives its first.

    `width`: reduced to so many pixels, and three times as many in height, at most; 0: as it is.
    Raises UnreadableClipError.
    """
    start = at = None
    with open_clip(path) as film:
        for frame in decoded(film):
            now = frame.time or 0.0
            start = now if start is None else start
            if not _is_black(frame):
                at = now - start
                break
            if now - start > _POSTER_SECONDS:
                break
    out = BytesIO()
    picture = frame_at(path, at or 0.0).picture
    if width:
        picture.thumbnail((width, 3 * width))
    picture.save(out, "JPEG", quality=80 if width else 90, optimize=True, comment=POSTER_MARK)
    return out.getvalue()


def _is_black(frame: VideoFrame) -> bool:
    shades = bytes(frame.reformat(width=64, height=64, format="gray").planes[0])
    return sum(shade < _DARK for shade in shades) >= _BLACK_SHARE * len(shades)
