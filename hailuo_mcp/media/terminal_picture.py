"""A picture as escape sequences of terminals: of Kitty, of iTerm2, and Sixel.

`columns` and `pixels` are the terminal's width; 0 pixels if it does not tell. A picture that is
wider is scaled down, and one that is not keeps its size.
"""

from __future__ import annotations

import re
from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_CHUNK = 4096
"""Bytes of base64 in one sequence of Kitty's."""
_CELL = 8
"""Pixels of a column where the terminal does not tell; rather too few than too many."""
_WIDEST_SIXEL = 1200
"""Pixels: such a picture has a megabyte, which terminals take some time to draw."""
_COLOURS = 255
_ROWS = 6
"""Of pixels, in one line of sixels."""
_EMPTY = ord("?")
_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


def kitty(jpeg: bytes, columns: int, pixels: int) -> str:
    """https://sw.kovidgoyal.net/kitty/graphics-protocol/ (2026-11): PNG, without a reply."""
    picture, data = _opened(jpeg), BytesIO()
    picture.save(data, "PNG")
    text = b64encode(data.getvalue()).decode("ascii")
    wide = f",c={columns}" if _is_wide(picture, columns, pixels) else ""
    parts = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
    written = list[str]()
    for number, part in enumerate(parts):
        about = f"a=T,f=100,q=2{wide}," if number == 0 else ""
        written.append(f"\x1b_G{about}m={int(number < len(parts) - 1)};{part}\x1b\\")
    return "".join(written)


def iterm(jpeg: bytes, columns: int, pixels: int) -> str:
    """https://iterm2.com/documentation-images.html (2026-11): the file as it is."""
    wide = _is_wide(_opened(jpeg), columns, pixels)
    about = f"inline=1;size={len(jpeg)};width={'100%' if wide else 'auto'}"
    return f"\x1b]1337;File={about}:{b64encode(jpeg).decode('ascii')}\x07"


def sixel(jpeg: bytes, columns: int, pixels: int) -> str:
    """https://vt100.net/docs/vt3xx-gp/chapter14.html: lines of six rows, a colour at a time."""
    picture = _opened(jpeg).convert("RGB")
    most = min(pixels or columns * _CELL, _WIDEST_SIXEL)
    if picture.width > most:
        picture = picture.resize((most, max(1, round(picture.height * most / picture.width))))
    width, height = picture.size
    indexed = picture.quantize(_COLOURS)
    levels = indexed.getpalette() or []
    colours = range(len(levels) // 3)
    palette = "".join(
        f"#{it};2;" + ";".join(str(round(level / 2.55)) for level in levels[3 * it : 3 * it + 3])
        for it in colours
    )
    lines = (
        _sixel_line(indexed.crop((0, top, width, min(top + _ROWS, height))))
        for top in range(0, height, _ROWS)
    )
    return f'\x1bP0;1q"1;1;{width};{height}{palette}{"-".join(lines)}\x1b\\'


def _sixel_line(rows: Image) -> str:
    """Up to six rows of pixels, each colour drawn over the others."""
    width, data = rows.width, rows.tobytes()
    each = [data[start : start + width] for start in range(0, len(data), width)]
    # Bytes are added as one large number: no sum of bits passes a byte's limit.
    ground = int.from_bytes(bytes([_EMPTY]) * width, "big")
    drawn = list[str]()
    for colour in sorted(set(data)):
        total = ground
        for number, row in enumerate(each):
            bits = bytes(colour) + bytes([1 << number]) + bytes(255 - colour)
            total += int.from_bytes(row.translate(bits), "big")
        line = total.to_bytes(width, "big").rstrip(b"?")
        packed = _RUN.sub(lambda run: b"!%d%c" % (len(run[0]), run[0][0]), line)
        drawn.append(f"#{colour}{packed.decode('ascii')}")
    return "$".join(drawn)


def _is_wide(picture: Image, columns: int, pixels: int) -> bool:
    return picture.width > (pixels or columns * _CELL)


def _opened(jpeg: bytes) -> Image:
    from PIL import Image

    return Image.open(BytesIO(jpeg), formats=["JPEG"])
