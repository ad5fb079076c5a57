"""A contact sheet keeps to its bytes, its frames keep their size, its stamps are right."""

from __future__ import annotations

import random
from io import BytesIO

import pytest
from PIL import Image, ImageStat

from hailuo_mcp.media import sheet
from hailuo_mcp.media.frames import Frame
from hailuo_mcp.media.sheet import (
    LEAST_PIXELS,
    MOST_BYTES,
    MOST_FRAMES,
    SheetRow,
    contact_sheet,
    stamp,
)

BACK = (22, 24, 29)
SHEETS = [
    ((683, 384), [16]),
    ((384, 683), [6]),
    ((384, 384), [1]),
    ((896, 384), [5, 5, 5]),
    ((96, 64), [16]),
    ((40, 400), [1] * 16),
]


def noise(size: tuple[int, int], number: int = 0) -> Image.Image:
    """What JPEG compresses worst."""
    return Image.frombytes("RGB", size, random.Random(number).randbytes(size[0] * size[1] * 3))


def row(size: tuple[int, int], count: int, label: str = "") -> SheetRow:
    picture = noise(size)
    frames = [Frame(picture=picture, at=it / 2, until=it / 2 + 0.04) for it in range(count)]
    return SheetRow(label=label, frames=frames)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[list[tuple[int, int]]]:
    """The sizes of the frames of each sheet that was drawn; the last one was returned."""
    sizes: list[list[tuple[int, int]]] = []
    draw = sheet._drawn

    def spy(layout: sheet._Layout) -> Image.Image:
        blocks = [block for line in layout.lines for block in line]
        sizes.append([(block.width, block.height) for block in blocks for _ in block.row.frames])
        return draw(layout)

    monkeypatch.setattr(sheet, "_drawn", spy)
    return sizes


@pytest.mark.parametrize(("size", "counts"), SHEETS)
def test_a_sheet_keeps_to_its_bytes_with_frames_that_are_large_enough(
    drawn: list[list[tuple[int, int]]], size: tuple[int, int], counts: list[int]
) -> None:
    rows = [
        row(size, count, f"{number} …gfnrk2" if counts[1:] else "")
        for number, count in enumerate(counts)
    ]
    data = contact_sheet(rows)
    assert len(data) <= MOST_BYTES
    picture = Image.open(BytesIO(data))
    assert picture.format == "JPEG"
    assert max(picture.size) <= 2100
    assert len(drawn[-1]) == sum(counts)
    for width, height in drawn[-1]:
        assert width * height >= LEAST_PIXELS
        assert width / height == pytest.approx(size[0] / size[1], rel=0.03)


def test_frames_are_as_large_as_the_bytes_allow(drawn: list[list[tuple[int, int]]]) -> None:
    contact_sheet([row((683, 384), 6)])
    crowded = drawn[-1][0]
    assert len(contact_sheet([row((683, 384), 1)])) > MOST_BYTES * 0.8
    assert drawn[-1][0] > crowded
    plain = Frame(picture=Image.new("RGB", (1366, 768), "navy"), at=0, until=1)
    contact_sheet([SheetRow(label="", frames=[plain])])
    assert drawn[-1] == [(1366, 768)]


def test_clips_of_other_shapes_stand_in_rows_of_their_own(
    drawn: list[list[tuple[int, int]]],
) -> None:
    contact_sheet([row((640, 360), 3, "A"), row((360, 640), 3, "B")])
    wide, tall = drawn[-1][0], drawn[-1][-1]
    assert wide[0] > wide[1]
    assert tall[0] < tall[1]


@pytest.mark.parametrize("shade", ["white", "black", "#808080"])
def test_a_stamp_is_legible_beside_any_picture(shade: str) -> None:
    frame = Frame(picture=Image.new("RGB", (640, 360), shade), at=2.5, until=2.6)
    picture = Image.open(BytesIO(contact_sheet([SheetRow(label="", frames=[frame])])))
    strip = picture.crop((8, 8 + 360 + 4, 120, picture.height - 10)).convert("L")
    assert strip.height >= 14
    darkest, brightest = strip.getextrema()
    assert darkest < 60
    assert brightest > 180
    whole = picture.crop((8, 8, 648, 368))
    assert max(ImageStat.Stat(whole).stddev) < 3, "nothing is written on the picture"


@pytest.mark.parametrize(
    ("at", "until", "text"),
    [
        (0, 1 / 24, "0 s"),
        (2.5, 2.5 + 1 / 24, "2.5 s"),
        (141 / 24, 142 / 24, "5.9 s"),
        (35 / 24, 36 / 24, "1.46 s"),
        (7 / 5, 8 / 5, "1.4 s"),
        (1001 / 30000, 2002 / 30000, "0.04 s"),
    ],
)
def test_a_stamp_names_the_shortest_moment_at_which_the_frame_is_shown(
    at: float, until: float, text: str
) -> None:
    assert stamp(Frame(picture=Image.new("RGB", (1, 1)), at=at, until=until)) == text


@pytest.mark.parametrize("count", [0, MOST_FRAMES + 1])
def test_no_sheet_without_frames_or_with_too_many(count: int) -> None:
    with pytest.raises(ValueError, match=f"1 to {MOST_FRAMES}"):
        contact_sheet([row((96, 64), count)])
