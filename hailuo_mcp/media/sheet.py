"""A contact sheet: time-stamped frames of one or several clips as one small JPEG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from itertools import islice
from math import ceil, log, sqrt
from typing import TYPE_CHECKING

from hailuo_mcp.media.film import POSTER_MARK
from hailuo_mcp.media.frames import Frame

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

MOST_BYTES = 153_600
MOST_FRAMES = 16
LEAST_PIXELS = 18_000
"""Of each frame."""
_LONGEST_SIDE = 2048
"""Pixels of the sheet; models scale down what is larger."""
_MOST_PIXELS = 2_200_000
"""Of all frames together, for the same reason: one of 1920×1080 fits."""
_BEST, _LEGIBLE, _WORST = 90, 55, 1
"""JPEG qualities: the highest used; where frames are made smaller instead; the lowest there is."""
_SHAPE = 1.9
"""Width to height that a sheet is laid out for."""
_GAP = 8
"""Pixels around frames."""
_HAIR = 1e-6
"""Below the difference between any two frames, in seconds."""
_BACK, _STAMP, _LABEL = "#16181d", "#e6e8ec", "#ffc857"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRow:
    """One clip's frames."""

    label: str
    """Above the row; empty for none."""
    frames: Sequence[Frame]
    captions: Sequence[str] = ()
    """Beside the moment of each frame; empty for none."""

    def under(self, number: int) -> str:
        """What is written under a frame."""
        moment = stamp(self.frames[number])
        return f"{moment}, {self.captions[number]}" if self.captions else moment


def contact_sheet(rows: Sequence[SheetRow]) -> bytes:
    """Return a JPEG of at most MOST_BYTES, with at most MOST_FRAMES frames in all.

    Frames are as large as the bytes allow, and never larger than in their clip unless that is below
    LEAST_PIXELS.
    """
    rows = [row for row in rows if row.frames]
    count = sum(len(row.frames) for row in rows)
    if not 1 <= count <= MOST_FRAMES:
        raise ValueError(f"a sheet has 1 to {MOST_FRAMES} frames, not {count}")
    pixels = _most_pixels(rows)
    while True:
        sheet = _drawn(_layout(rows, pixels))
        size = len(_jpeg(sheet, _LEGIBLE))
        if size <= MOST_BYTES or pixels <= LEAST_PIXELS:
            return _smallest(sheet) if size > MOST_BYTES else _finest(sheet)
        # Bytes follow the area, the text apart; a little less, so that few tries are needed.
        pixels = max(LEAST_PIXELS, min(pixels * 0.93, pixels * 0.97 * MOST_BYTES / size))


def stamp(frame: Frame) -> str:
    """The moment with the fewest digits at which this frame is shown, such as "2.5 s"."""
    for digits in range(1, 4):
        moment = ceil(frame.at * 10**digits - _HAIR) / 10**digits
        if moment < frame.until - _HAIR:
            return f"{moment:g} s"
    return f"{frame.at:.3f} s"


@dataclass(frozen=True, slots=True)
class _Block:
    """One clip's part of the sheet. Sizes in pixels."""

    row: SheetRow
    columns: int
    width: int
    """Of a frame."""
    height: int
    cell: int
    """The width that a frame takes with its stamp."""
    size: int
    """Of the text."""

    @property
    def label_height(self) -> int:
        return round(self.size * 1.6) if self.row.label else 0

    @property
    def stamp_height(self) -> int:
        return round(self.size * 1.45)

    @property
    def outer(self) -> tuple[int, int]:
        lines = -(-len(self.row.frames) // self.columns)
        across = min(self.columns, len(self.row.frames))
        width = across * self.cell + (across - 1) * _GAP
        label = _text_width(self.row.label, self.size) if self.row.label else 0
        height = self.label_height + lines * (self.height + self.stamp_height) + (lines - 1) * _GAP
        return max(width, label), height


@dataclass(frozen=True, slots=True)
class _Layout:
    lines: Sequence[Sequence[_Block]]

    @property
    def size(self) -> tuple[int, int]:
        widths, heights = list[int](), list[int]()
        for line in self.lines:
            sizes = [block.outer for block in line]
            widths.append(sum(width for width, _ in sizes) + _GAP * 2 * (len(sizes) - 1))
            heights.append(max(height for _, height in sizes))
        return max(widths) + 2 * _GAP, sum(heights) + _GAP * (len(heights) + 1)


def _most_pixels(rows: Sequence[SheetRow]) -> float:
    """How large the frames may be before the bytes are known."""
    count = sum(len(row.frames) for row in rows)
    largest = min(max(_native(row) for row in rows), _MOST_PIXELS / count)
    while largest > LEAST_PIXELS and max(_layout(rows, largest).size) > _LONGEST_SIDE:
        largest *= 0.9
    return max(LEAST_PIXELS, largest)


def _native(row: SheetRow) -> int:
    width, height = row.frames[0].picture.size
    return max(LEAST_PIXELS, width * height)


def _layout(rows: Sequence[SheetRow], pixels: float) -> _Layout:
    """The arrangement of frames with so many pixels whose shape is the best."""
    return min(_arrangements(rows, pixels), key=_flaw)


def _arrangements(rows: Sequence[SheetRow], pixels: float) -> Iterator[_Layout]:
    """Clips below each other, so that a moment stands below the same moment of another.

    The frames of one clip alone may need several lines; compared, each clip has one. Clips of one
    frame stand side by side.
    """
    longest = max(len(row.frames) for row in rows)
    least = 1 if len(rows) == 1 else longest
    for columns in range(least, longest + 1):
        blocks = [_block(row, columns, min(pixels, _native(row))) for row in rows]
        for across in range(1, len(rows) + 1 if longest == 1 else 2):
            rest = iter(blocks)
            lines = [list(islice(rest, across)) for _ in range(-(-len(rows) // across))]
            yield _Layout([line for line in lines if line])


def _block(row: SheetRow, columns: int, pixels: float) -> _Block:
    width, height = row.frames[0].picture.size
    shape = width / height
    wide, high = ceil(sqrt(pixels * shape)), ceil(sqrt(pixels / shape))
    size = max(16, min(26, round(min(wide, high) * 0.08)))
    text = max(_text_width(row.under(number), size) for number in range(len(row.frames)))
    return _Block(row, columns, wide, high, max(wide, text), size)


def _flaw(layout: _Layout) -> float:
    """How far it is from a good shape, with empty places and too long a side as further flaws."""
    width, height = layout.size
    blocks = [block for line in layout.lines for block in line]
    places = sum(-(-len(block.row.frames) // block.columns) * block.columns for block in blocks)
    empty = 1 - sum(len(block.row.frames) for block in blocks) / places
    short_last = len(layout.lines[0]) - len(layout.lines[-1])
    too_long = max(0, max(width, height) - _LONGEST_SIDE)
    return abs(log(width / height / _SHAPE)) + 2 * empty + 0.3 * short_last + too_long


def _drawn(layout: _Layout) -> Image:
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", layout.size, _BACK)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for line in layout.lines:
        left = _GAP
        for block in line:
            _draw_block(sheet, draw, block, left, top)
            left += block.outer[0] + 2 * _GAP
        top += max(block.outer[1] for block in line) + _GAP
    return sheet


def _draw_block(sheet: Image, draw: ImageDraw, block: _Block, left: int, top: int) -> None:
    from PIL.Image import Resampling

    font = _font(block.size)
    if block.row.label:
        middle = top + block.label_height // 2 - _GAP // 4
        draw.text((left, middle), block.row.label, font=font, fill=_LABEL, anchor="lm")
    for number, frame in enumerate(block.row.frames):
        line, column = divmod(number, block.columns)
        x = left + column * (block.cell + _GAP)
        y = top + block.label_height + line * (block.height + block.stamp_height + _GAP)
        picture = frame.picture
        if picture.size != (block.width, block.height):
            picture = picture.resize(
                (block.width, block.height), Resampling.LANCZOS, reducing_gap=2.0
            )
        sheet.paste(picture, (x, y))
        middle = y + block.height + block.stamp_height // 2
        draw.text((x, middle), block.row.under(number), font=font, fill=_STAMP, anchor="lm")


def _finest(sheet: Image) -> bytes:
    """The best quality that the bytes allow; the legible one does."""
    found, low, high = _jpeg(sheet, _LEGIBLE), _LEGIBLE, _BEST
    while low < high:
        middle = (low + high + 1) // 2
        data = _jpeg(sheet, middle)
        if len(data) <= MOST_BYTES:
            found, low = data, middle
        else:
            high = middle - 1
    return found


def _smallest(sheet: Image) -> bytes:
    """Below the legible quality: only noise needs it."""
    for quality in range(_LEGIBLE, _WORST, -6):
        if len(data := _jpeg(sheet, quality)) <= MOST_BYTES:
            return data
    return _jpeg(sheet, _WORST)


def _jpeg(sheet: Image, quality: int) -> bytes:
    data = BytesIO()
    sheet.save(
        data,
        "JPEG",
        quality=quality,
        subsampling="4:2:0",
        optimize=True,
        progressive=True,
        comment=POSTER_MARK,
    )
    return data.getvalue()


@lru_cache(maxsize=1024)
def _text_width(text: str, size: int) -> int:
    return ceil(_font(size).getlength(text))


@cache
def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)
