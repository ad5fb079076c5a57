"""Escape sequences that terminals read as pictures: decoded again here as they would."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO

from PIL import Image, ImageChops, ImageStat

from hailuo_mcp.media.terminal_picture import iterm, kitty, sixel


def jpeg(width: int, height: int) -> bytes:
    picture = Image.radial_gradient("L").resize((width, height))
    bands = (
        picture,
        picture.transpose(Image.Transpose.ROTATE_180),
        picture.point(lambda it: it // 2),
    )
    data = BytesIO()
    Image.merge("RGB", bands).save(data, "JPEG", quality=95)
    return data.getvalue()


def test_kitty_gets_a_png_in_chunks_and_does_not_reply() -> None:
    sent = jpeg(300, 200)
    parts = re.findall(r"\x1b_G([^;]*);([A-Za-z0-9+/=]*)\x1b\\", text := kitty(sent, 80, 1000))
    assert "".join(f"\x1b_G{about};{data}\x1b\\" for about, data in parts) == text
    assert parts[0][0] == "a=T,f=100,q=2,m=1"
    assert [about for about, _ in parts[1:]] == ["m=1"] * (len(parts) - 2) + ["m=0"]
    assert max(len(data) for _, data in parts) <= 4096
    shown = Image.open(BytesIO(b64decode("".join(data for _, data in parts))))
    assert shown.format == "PNG"
    assert ImageChops.difference(shown, Image.open(BytesIO(sent))).getbbox() is None


def test_a_picture_that_is_wider_than_the_terminal_is_fitted_to_it() -> None:
    sent = jpeg(300, 200)
    assert "c=80" in kitty(sent, 80, 299)
    assert "c=30" in kitty(sent, 30, 0)
    assert "width=100%" in iterm(sent, 30, 0)
    assert "width=auto" in iterm(sent, 80, 0)
    assert drawn(sixel(sent, 3, 0)).size == (24, 16)
    assert drawn(sixel(sent, 30, 45)).size == (45, 30)


def test_iterm_gets_the_file_as_it_is() -> None:
    sent = jpeg(30, 20)
    found = re.fullmatch(r"\x1b]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07", iterm(sent, 80, 0))
    assert found
    assert f"size={len(sent)}" in found[1]
    assert b64decode(found[2]) == sent


def test_sixels_draw_the_picture() -> None:
    sent = jpeg(97, 50)
    shown = drawn(sixel(sent, 80, 0))
    assert shown.size == (97, 50)
    difference = ImageChops.difference(shown, Image.open(BytesIO(sent)))
    assert max(ImageStat.Stat(difference).mean) < 8


def drawn(text: str) -> Image.Image:
    """What a terminal draws."""
    body = text.removeprefix("\x1bP0;1q").removesuffix("\x1b\\")
    assert len(body) == len(text) - 8
    found = re.match(r'"1;1;(\d+);(\d+)', body)
    assert found
    picture = Image.new("RGB", (int(found[1]), int(found[2])))
    palette, colour, x, y = {}, (0, 0, 0), 0, 0
    marks = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)")
    end = found.end()
    for mark in marks.finditer(body, end):
        assert mark.start() == end
        end = mark.end()
        if mark[1]:
            palette[mark[1]] = tuple(round(int(it) * 2.55) for it in mark.groups()[1:4])
        elif mark[5]:
            colour = palette[mark[5]]
        elif mark[9]:
            x = 0
        elif mark[10]:
            x, y = 0, y + 6
        else:
            bits, times = ord(mark[7] or mark[8]) - 63, int(mark[6] or 1)
            for row in (row for row in range(6) if bits >> row & 1):
                picture.paste(colour, (x, y + row, x + times, y + row + 1))
            x += times
    assert end == len(body)
    return picture
