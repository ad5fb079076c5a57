"""Known faults are found, and nothing else; clean clips raise no alarm."""

import time
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("av")

from hailuo_mcp.media import opening
from hailuo_mcp.media.examine import Expected, examine, expected_size
from hailuo_mcp.media.opening import NoPictureError, UnreadableClipError, decoded, open_clip

from .faults import FAULTS, HARMLESS, Case, png
from .scenes import Scale, scene, write
from .table import MOVES, Clean, judge, rendered

SMALL = Scale(width=128, height=72, fps=12, seconds=3)


@pytest.mark.parametrize("case", [*FAULTS, *HARMLESS], ids=lambda case: case.name)
def test_what_looks_wrong_is_found_and_nothing_else(tmp_path: Path, case: Case) -> None:
    path = tmp_path / "a.mp4"
    expected = case.make(path, SMALL) or Expected()
    found, right = judge(case, path, expected, SMALL)
    assert right, found


@pytest.mark.parametrize("part", range(5))
def test_a_clean_clip_with_every_camera_move_raises_no_alarm(tmp_path: Path, part: int) -> None:
    moves = "][".join(MOVES[3 * part : 3 * part + 3])
    size = ((320, 180), (180, 320))[part % 2]
    first = (480, 270)[:: -1 if part % 2 else 1] if part == 3 else None
    clip = Clean(prompt=f"A fox [{moves}]", resolution="", duration=3, size=size, first=first)
    path, expected = rendered(clip, tmp_path)
    found = examine(path, expected)
    assert found.flaws == ()
    assert (found.width, found.height, found.fps) == (*size, 24)


def test_the_expected_size_is_the_resolutions_in_the_shape_of_the_picture() -> None:
    assert expected_size("768P", None) == (1366, 768)
    assert expected_size("1080p", None) == (1920, 1080)
    tall = png(scene(SMALL)[0].resize((400, 600)))
    assert expected_size("768P", tall) == (768, 1152)
    assert expected_size("2K", None) is None
    assert expected_size("", None) is None
    assert expected_size("768P", b"no picture") is None


def test_what_is_usually_longer_than_ordered_is_not_called_wrong(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", scene(SMALL), fps=12)  # 3 s
    orders = [(2.4, 0.0, True), (2.4, 0.6, False), (2.0, 0.6, True), (3.6, 0.6, True)]
    for seconds, over, wrong in orders:
        found = examine(path, Expected(seconds=seconds, seconds_over=over))
        assert found.wrong_length is wrong, (seconds, over)


def test_a_given_picture_that_cannot_be_opened_says_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", scene(SMALL)[:4], fps=12)
    assert examine(path, Expected(first_picture=b"no picture")).first_likeness is None


def test_a_clip_of_one_frame_is_examined(tmp_path: Path) -> None:
    found = examine(write(tmp_path / "a.mp4", scene(SMALL)[:1], fps=12), Expected())
    assert (found.fps, found.flaws) == (0.0, ())
    assert found.seconds == pytest.approx(1 / 12, abs=0.001)


def test_a_clip_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", scene(SMALL), fps=12)
    ticks = iter(range(0, 100_000, 5))
    with pytest.raises(UnreadableClipError, match="too long"):
        examine(path, Expected(), clock=lambda: float(next(ticks)))
    with open_clip(path) as clip, pytest.raises(UnreadableClipError, match="too long to decode"):
        list(decoded(clip, seconds=-1))


def test_a_frame_that_is_too_large_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.mp4", scene(SMALL)[:2], fps=12)
    monkeypatch.setattr(opening, "MOST_PIXELS", 128 * 72 - 1)
    with pytest.raises(UnreadableClipError, match="128×72"), open_clip(path):
        pass


def test_a_frame_that_is_larger_than_its_headers_say_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.mp4", scene(SMALL)[:2], fps=12)
    monkeypatch.setattr(opening, "MOST_PIXELS", 128 * 72 - 1)
    monkeypatch.setattr(opening, "picture_track", lambda clip: clip.streams.video[0])
    with open_clip(path) as clip, pytest.raises(UnreadableClipError, match="none of its frames"):
        list(decoded(clip))


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


def test_an_unknown_codec_is_no_reason_to_say_that_there_is_no_picture(tmp_path: Path) -> None:
    path = replaced(write(tmp_path / "a.mp4", scene(SMALL)[:2], fps=12), b"avc1", b"zzz9")
    with pytest.raises(UnreadableClipError, match="codec is unknown") as refused:
        examine(path, Expected())
    assert not isinstance(refused.value, NoPictureError)


def counted(path: Path, kind: bytes, at: int, number: int) -> Path:
    """Write a number into a box of the index."""
    data = bytearray(path.read_bytes())
    start = data.index(kind) + 4 + at
    data[start : start + 4] = number.to_bytes(4)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("kind", "at", "number", "words"),
    [
        (b"stsz", 8, 200_000_000, "millions of frames"),
        (b"elst", 4, 1000, "too many edits"),
        (b"ftyp", -8, 2**32 - 1, "index is missing"),
        (b"moov", -8, 2**31, ""),
        (b"mvhd", 12, 0, ""),
        (b"mdhd", 12, 0, "none of its frames"),
    ],
)
def test_counts_that_cannot_be_true_are_refused_or_do_no_harm(
    tmp_path: Path, kind: bytes, at: int, number: int, words: str
) -> None:
    path = counted(write(tmp_path / "a.mp4", scene(SMALL)[:4], fps=12), kind, at, number)
    began = time.monotonic()
    refused = pytest.raises(UnreadableClipError, match=words) if words else nullcontext()
    with refused:
        examine(path, Expected())
    assert time.monotonic() - began < 20


def test_a_thousand_tracks_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", scene(SMALL)[:2], fps=12)
    head, moov, rest = path.read_bytes().partition(b"moov")
    track = b"\0\0\0\x08trak"
    size = int.from_bytes(head[-4:]) + 1000 * len(track)
    path.write_bytes(head[:-4] + size.to_bytes(4) + moov + track * 1000 + rest)
    with pytest.raises(UnreadableClipError, match="more than 32 tracks"):
        examine(path, Expected())
