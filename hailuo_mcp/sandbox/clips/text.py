"""Text in the picture: a font that can write it, wrapped lines, no boxes for missing characters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as BitmapFont

_FIRST_EAST_ASIAN = 0x2E80

# File names as Pillow looks them up in each system's font folders: Linux, macOS, Windows.
_CJK_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "simsun.ttc",
)


@lru_cache(maxsize=1)
def _cjk_font_name() -> str:
    from PIL import ImageFont

    for name in _CJK_FONTS:
        try:
            ImageFont.truetype(name, 20)
        except OSError:
            continue
        return name
    return ""


def has_chinese() -> bool:
    """Tell whether this machine can write Chinese."""
    return bool(_cjk_font_name())


@lru_cache(maxsize=64)
def font(size: int, *, cjk: bool) -> FreeTypeFont | BitmapFont:
    """Return a font of this size; Pillow's own where the system has no Chinese one."""
    from PIL import ImageFont

    if cjk and _cjk_font_name():
        return ImageFont.truetype(_cjk_font_name(), size)
    return ImageFont.load_default(size)


def font_for(text: str, size: int) -> FreeTypeFont | BitmapFont:
    """Return the plainest font that can write the text."""
    return font(size, cjk=any(ord(char) >= _FIRST_EAST_ASIAN for char in text))


def writable(text: str, size: int) -> str:
    """Return the text without what the font would show as boxes, and say so where that is much."""
    chosen = font_for(text, size)
    missing = _drawn(chosen, "\U0010fffd")
    boxes = {char for char in set(text) if not char.isspace() and _drawn(chosen, char) == missing}
    shown = "".join(char for char in text if char not in boxes)
    lost = sum(1 for char in text if char in boxes and char.isalnum())
    note = f" (and {lost} characters for which this machine has no font)" if lost else ""
    return " ".join(f"{shown}{note}".split())


def _drawn(chosen: FreeTypeFont | BitmapFont, char: str) -> bytes:
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (64, 64))
    ImageDraw.Draw(canvas).text((8, 8), char, font=chosen, fill=255)
    return canvas.tobytes()


def wrapped(text: str, size: int, width: int, most_lines: int) -> list[str]:
    """Return lines no wider than the width; Chinese breaks anywhere, other text between words."""
    chosen = font_for(text, size)
    line = ""
    lines: list[str] = []
    for word in _words(text):
        if line and chosen.getlength((line + word).rstrip()) > width:
            lines.append(line.rstrip())
            line = word.lstrip()
        else:
            line += word
    lines.append(line.rstrip())
    if len(lines) <= most_lines:
        return lines
    last = lines[most_lines - 1]
    while last and chosen.getlength(last + "...") > width:
        last = last[:-1]
    return [*lines[: most_lines - 1], last + "..."]


def _words(text: str) -> list[str]:
    word = ""
    words: list[str] = []
    for char in text:
        if ord(char) >= _FIRST_EAST_ASIAN:
            words += [word, char]
            word = ""
        else:
            word += char
            if char.isspace():
                words.append(word)
                word = ""
    return [word for word in [*words, word] if word]
