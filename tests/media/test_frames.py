"""The frame that a player shows at a moment, and how it looks."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops

from hailuo_mcp.media.frames import (
    Frame,
    first_frame,
    frame_at,
    frames_at,
    last_frame,
    picture_bytes,
    spread_frames,
)
from hailuo_mcp.media.opening import UnreadableClipError

from .numbered import make_clip, number_of, trimmed, turned

STEPS = (0, 1, 2, 3, 12, 13, 14, 20, 21, 22, 23, 24, 40, 41, 42, 43, 44, 45, 70, 71)
"""Times of a clip with a variable frame rate, at 24 a second."""
MAKERS: dict[str, Callable[[Path], Path]] = {
    "constant rate": lambda path: make_clip(path, range(30)),
    "open groups": lambda path: make_clip(
        path, range(48), options={"x264-params": "open-gop=1:b-pyramid=normal"}
    ),
    "variable rate": lambda path: make_clip(path, STEPS, keyframes=6),
    "times that begin late": lambda path: make_clip(path, range(30), start=30),
    "sound before the picture": lambda path: make_clip(
        path, range(24), start=12, sound_seconds=1.5
    ),
    "an edit list that cuts the start off": lambda path: trimmed(
        make_clip(path, range(48), keyframes=10), 1024 + 17 * 512
    ),
    "29.97 a second": lambda path: make_clip(
        path, range(0, 30 * 1001, 1001), rate=30000, keyframes=10
    ),
}


@pytest.fixture(scope="module", params=list(MAKERS))
def clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MAKERS[request.param](tmp_path_factory.mktemp("clips") / "a.mp4")


def shown(path: Path) -> list[tuple[float, int]]:
    """When each frame appears and its number, by decoding everything, without this package."""
    with av.open(str(path)) as container:
        start = (container.start_time or 0) / av.time_base
        return [
            (round(frame.pts * frame.time_base - start, 9), number_of(frame.to_image()))
            for frame in container.decode(video=0)
        ]


def test_a_moment_has_the_frame_that_a_player_shows(clip: Path) -> None:
    expected = shown(clip)
    for (at, number), (later, _) in zip(expected[::4], expected[1::4], strict=False):
        for moment in (round(at, 6), at + 0.7 * (later - at)):
            found = frame_at(clip, moment)
            assert number_of(found.picture) == number
            assert found.at == pytest.approx(at)
            assert found.until == pytest.approx(later)
            assert not found.past_end


def test_first_last_and_a_moment_past_the_end(clip: Path) -> None:
    expected = shown(clip)
    assert number_of(first_frame(clip).picture) == expected[0][1]
    assert number_of(frame_at(clip, 0).picture) == expected[0][1]
    last, past = last_frame(clip), frame_at(clip, 99)
    assert number_of(last.picture) == number_of(past.picture) == expected[-1][1]
    assert not last.past_end
    assert past.past_end
    assert past.at == last.at == pytest.approx(expected[-1][0])
    assert not frame_at(clip, last.at).past_end


def test_a_seek_gives_the_very_pixels_of_decoding_from_the_start(clip: Path) -> None:
    moments = [at for at, _ in shown(clip)[::7]]
    for one in frames_at(clip, moments):
        difference = ImageChops.difference(one.picture, frame_at(clip, one.at).picture)
        assert difference.getbbox() is None


def test_spread_frames_are_even_with_the_first_and_the_last(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", range(41))
    assert [number_of(frame.picture) for frame in spread_frames(clip, 5)] == [0, 10, 20, 30, 40]
    assert [number_of(frame.picture) for frame in spread_frames(clip, 1)] == [20]


def test_a_clip_of_fewer_frames_gives_each_once(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", (0, 20, 24))
    assert [number_of(frame.picture) for frame in spread_frames(clip, 16)] == [0, 1, 2]
    assert [frame.at for frame in frames_at(clip, [1.0, 0.1, 0.2])] == [0.0, pytest.approx(1.0)]


@pytest.mark.parametrize(
    ("matrix", "undo"),
    [
        ((0, 1, -1, 0), Image.Transpose.ROTATE_90),
        ((0, -1, 1, 0), Image.Transpose.ROTATE_270),
        ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
        ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
        ((1, 0, 0, -1), Image.Transpose.FLIP_TOP_BOTTOM),
        ((0, 1, 1, 0), Image.Transpose.TRANSPOSE),
        ((0, -1, -1, 0), Image.Transpose.TRANSVERSE),
    ],
)
def test_a_turned_clip_gives_turned_frames(
    tmp_path: Path, matrix: tuple[int, ...], undo: Image.Transpose
) -> None:
    clip = make_clip(tmp_path / "a.mp4", range(6))
    upright = last_frame(clip).picture
    picture = last_frame(turned(clip, matrix)).picture
    assert picture.size == ((96, 64) if not matrix[1] else (64, 96))
    assert ImageChops.difference(picture.transpose(undo), upright).getbbox() is None


def test_pixels_that_are_not_square_become_square(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", range(6), pixel_shape=Fraction(4, 3))
    assert last_frame(clip).picture.size == (128, 64)


@pytest.mark.parametrize(
    ("colorspace", "color_range", "pix_fmt"),
    [(2, 0, "yuv420p"), (1, 1, "yuv420p"), (5, 2, "yuv420p"), (1, 2, "yuv444p")],
)
def test_colours_are_those_that_went_in(
    tmp_path: Path, colorspace: int, color_range: int, pix_fmt: str
) -> None:
    path, colour = tmp_path / "a.mp4", (200, 40, 90)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=4, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = colorspace, color_range
        plain = av.VideoFrame.from_image(Image.new("RGB", (96, 64), colour))
        to = {2: "ITU601", 1: "ITU709", 5: "ITU601"}[colorspace]
        frame = plain.reformat(
            format=pix_fmt,
            dst_colorspace=to,
            dst_color_range="JPEG" if color_range == 2 else "MPEG",
        )
        frame.colorspace, frame.color_range = colorspace, color_range
        for number in range(4):
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    found = first_frame(path).picture.getpixel((48, 32))
    assert all(abs(ours - theirs) <= 2 for ours, theirs in zip(found, colour, strict=True)), found


def test_a_clip_that_breaks_off_ends_where_it_does(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "a.mp4", range(48)).read_bytes()
    media = whole.index(b"mdat")  # after the index, as in clips that are served
    broken = tmp_path / "b.mp4"
    broken.write_bytes(whole[: media + (len(whole) - media) * 2 // 3])
    last = last_frame(broken)
    assert 0 < number_of(last.picture) < 47
    assert number_of(spread_frames(broken, 4)[-1].picture) == number_of(last.picture)


def test_what_is_no_clip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + b"\0" * 99)
    with pytest.raises(UnreadableClipError):
        last_frame(tmp_path / "a.mp4")


def test_a_picture_is_a_png_until_that_is_too_large(tmp_path: Path) -> None:
    frame = last_frame(make_clip(tmp_path / "a.mp4", range(3)))
    exact = Image.open(BytesIO(picture_bytes(frame, most_bytes=10**6)))
    assert exact.format == "PNG"
    assert ImageChops.difference(exact, frame.picture).getbbox() is None
    noise = Frame(picture=Image.effect_noise((640, 400), 99).convert("RGB"), at=0)
    for most in (300_000, 60_000):
        data = picture_bytes(noise, most_bytes=most)
        assert len(data) <= most
        assert Image.open(BytesIO(data)).format == "JPEG"
