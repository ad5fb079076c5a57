"""The picture of a film whose clips must be encoded once more: one size, one rate, fades."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hailuo_mcp.domain.film import FADE_SECONDS
from hailuo_mcp.media.film_clips import WORK_SECONDS, BadClipError, SourceClip
from hailuo_mcp.media.opening import UnreadableClipError, decoded, open_clip

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from PIL.Image import Image

_BLACK = (16, 128, 128)
"""In YUV."""
_FADE = Fraction(FADE_SECONDS)
_FULL_RANGE = 2
_UNKNOWN = 2
_601 = frozenset({5, 6})


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmPicture:
    """What the film's picture is, in frames."""

    clips: Sequence[SourceClip]
    width: int
    height: int
    rate: Fraction
    lengths: tuple[int, ...]
    """Of each clip."""
    fades: tuple[int, ...]
    """Of each clip with the next; one fewer than clips."""

    @property
    def begins(self) -> tuple[int, ...]:
        """The frame with which each clip begins."""
        found = [0]
        for length, fade in zip(self.lengths, self.fades, strict=False):
            found.append(found[-1] + length - fade)
        return tuple(found)

    @property
    def frames(self) -> int:
        return sum(self.lengths) - sum(self.fades)


def plan_picture(clips: Sequence[SourceClip], *, fade: bool) -> FilmPicture:
    """Everything gets the size and the rate of the first clip."""
    first = clips[0]
    lengths = tuple(max(1, round(clip.seconds * first.rate)) for clip in clips)
    fades = list[int]()
    for index in range(len(clips) - 1):
        # Of several fades each ends on the frame that is nearest: together they are not too short.
        wanted = round(_FADE * first.rate * (index + 1))
        wanted -= round(_FADE * first.rate * index)
        most = min(lengths[index], lengths[index + 1]) // 2
        fades.append(min(wanted, most) if fade else 0)
    return FilmPicture(
        clips=clips,
        width=max(2, first.width // 2 * 2),  # 4:2:0 has no odd sides
        height=max(2, first.height // 2 * 2),
        rate=first.rate,
        lengths=lengths,
        fades=tuple(fades),
    )


def add_picture(out: Any, film: FilmPicture, options: dict[str, str]) -> Any:  # noqa: ANN401
    """Add the track that encode_picture() fills."""
    track = out.add_stream("libx264", rate=film.rate, options=options)
    track.width, track.height, track.pix_fmt = film.width, film.height, "yuv420p"
    context = track.codec_context
    _, primaries, transfer, matrix = film.clips[0].colours
    context.color_range = 1
    context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
    context.time_base = 1 / film.rate
    return track


def encode_picture(
    track: Any,  # noqa: ANN401
    film: FilmPicture,
    check: Callable[[], None],
) -> Iterator[Packet[Any]]:
    """Yield the whole track, compressed; raises BadClipError."""
    from av.video.frame import PictureType

    begins = frozenset(film.begins)
    for index, frame in enumerate(_film_frames(film)):
        check()
        frame.pts, frame.time_base = index, 1 / film.rate
        # Where a clip begins one can jump to, and nothing of the clip before is left.
        frame.pict_type = PictureType.I if index in begins else PictureType.NONE
        yield from track.encode(frame)
    yield from track.encode(None)


def _film_frames(film: FilmPicture) -> Iterator[VideoFrame]:
    """Yield the frames in order; of each clip only those that fade are held."""
    tail: deque[VideoFrame] = deque()
    fades = (*film.fades, 0)
    for index, clip in enumerate(film.clips):
        fading, held = len(tail), deque["VideoFrame"]()
        for place, frame in enumerate(_clip_frames(film, clip, film.lengths[index])):
            if tail:
                yield _blended(tail.popleft(), frame, Fraction(place + 1, fading + 1))
                continue
            held.append(frame)
            if len(held) > fades[index]:
                yield held.popleft()
        tail = held
    yield from tail


def _clip_frames(film: FilmPicture, clip: SourceClip, length: int) -> Iterator[VideoFrame]:
    """Yield as many frames of the clip as it has in the film, each the one shown at its time."""
    given, shown = 0, None
    usual, at = 1 / clip.rate, Fraction(0)
    try:
        with open_clip(clip.path, seconds=WORK_SECONDS) as opened:
            for frame in decoded(opened, seconds=WORK_SECONDS):
                at = _time(frame, clip.start, at)
                while (
                    shown is not None
                    and given < length
                    and (given + Fraction(1, 2)) < (at * film.rate)
                ):
                    yield shown
                    given += 1
                shown = _fitted(frame, film, clip)
                at += usual
    except UnreadableClipError as trouble:
        raise BadClipError(clip.number, str(trouble)) from trouble
    if shown is None:
        raise BadClipError(clip.number, "it has no frames")
    for _ in range(length - given):
        yield shown


def _time(frame: VideoFrame, start: Fraction, otherwise: Fraction) -> Fraction:
    if frame.pts is None or not frame.time_base:
        return otherwise
    return frame.pts * frame.time_base - start


def _fitted(frame: VideoFrame, film: FilmPicture, clip: SourceClip) -> VideoFrame:
    """Return the frame upright, in the film's size and format, with black where it has no more."""
    wide, high = _size_within(clip.width, clip.height, film.width, film.height)
    across, up = (high, wide) if clip.turned % 180 else (wide, high)
    same = (frame.width, frame.height, frame.format.name) == (across, up, "yuv420p")
    full = frame.color_range == _FULL_RANGE
    matrices = _matrices(clip, film.clips[0])
    if not same or full or matrices:
        old, new = matrices or (None, None)
        frame = frame.reformat(
            width=across,
            height=up,
            format="yuv420p",
            interpolation="BICUBIC",
            src_colorspace=old,
            dst_colorspace=new,
            dst_color_range="MPEG" if full else None,
        )
    if not clip.turned and (wide, high) == (film.width, film.height):
        return frame
    return _to_frame(
        tuple(
            _placed(plane, clip.turned, (film.width // part, film.height // part), black)
            for plane, part, black in zip(_to_planes(frame), (1, 2, 2), _BLACK, strict=True)
        )
    )


def _size_within(width: int, height: int, most_width: int, most_height: int) -> tuple[int, int]:
    """The largest size of this shape whose margins 4:2:0 can have on both sides."""
    scale = min(Fraction(most_width, width), Fraction(most_height, height))
    return (_side(width * scale, most_width), _side(height * scale, most_height))


def _side(wanted: Fraction, most: int) -> int:
    margin = max(0, round((most - wanted) / 4))
    return max(2, most - 4 * margin)


def _matrices(clip: SourceClip, first: SourceClip) -> tuple[int, int] | None:
    """The old and the new matrix, by swscale's numbers, where the colours must be converted."""
    old, new = clip.colours[3], first.colours[3]
    if old == new or _UNKNOWN in (old, new) or {old, new} <= _601:
        return None
    return (5 if old in _601 else old), (5 if new in _601 else new)


def _placed(plane: Image, turned: int, size: tuple[int, int], black: int) -> Image:
    from PIL import Image

    if turned:
        plane = plane.rotate(-turned, expand=True)
    whole = Image.new("L", size, black)
    whole.paste(plane, ((size[0] - plane.width) // 2, (size[1] - plane.height) // 2))
    return whole


def _blended(old: VideoFrame, new: VideoFrame, share: Fraction) -> VideoFrame:
    from PIL import Image

    pairs = zip(_to_planes(old), _to_planes(new), strict=True)
    return _to_frame(tuple(Image.blend(before, after, float(share)) for before, after in pairs))


def _to_planes(frame: VideoFrame) -> tuple[Image, ...]:
    from PIL import Image

    return tuple(
        Image.frombytes(
            "L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1
        )
        for plane in frame.planes
    )


def _to_frame(planes: tuple[Image, ...]) -> VideoFrame:
    from av import VideoFrame

    frame = VideoFrame(planes[0].width, planes[0].height, "yuv420p")
    for target, plane in zip(frame.planes, planes, strict=True):
        rows = plane.tobytes("raw", "L", target.line_size, 1)
        target.update(rows.ljust(target.buffer_size, b"\0"))
    return frame
