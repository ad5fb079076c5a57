"""Draw what stands on a terminal's screen as PNG, in light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyte
from PIL import Image, ImageDraw, ImageFont

PAGE_ROWS = 48
"""Of one picture: more could not be read at the size at which pictures are shown."""
SIZE, LINE, MARGIN = 15, 20, 10
_FONTS = "/usr/share/fonts/truetype/dejavu"
_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_DARK = ("#5c6370", "#ef5350", "#22da6e", "#e6c07b", "#82aaff", "#c792ea", "#21c7a8", "#ffffff")
_LIGHT = ("#000000", "#c62828", "#1b7f3b", "#8a6100", "#1a56c4", "#8e24aa", "#00796b", "#8c8c8c")
THEMES = {
    "dark": ("#101826", "#d6deeb", dict(zip(_NAMES, _DARK, strict=True))),
    "light": ("#ffffff", "#24292f", dict(zip(_NAMES, _LIGHT, strict=True))),
}
"""Background, text and the eight colours, as terminals of today have them."""
_RGB = 6


class Cell(NamedTuple):
    """One character, and how it looks."""

    data: str
    fg: str
    bg: str
    bold: bool
    underscore: bool
    reverse: bool


Line = tuple[Cell, ...]


def lines_of(screen: pyte.Screen) -> list[Line]:
    """The lines of a screen down to the last that is not empty."""
    lines = list[Line]()
    for number in range(screen.lines):
        row = screen.buffer[number]
        found = [row[column] for column in range(screen.columns)]
        lines.append(tuple(Cell(c.data, c.fg, c.bg, c.bold, c.underscore, c.reverse) for c in found))
    while lines and not any(cell.data.strip() for cell in lines[-1]):
        lines.pop()
    return lines


def draw_pages(screens: list[list[Line]], columns: int, folder: Path) -> int:
    """Draw the screens below each other, on pages of both themes; returns how many pictures."""
    pages = list[list[Line]]()
    for screen in screens:
        if not pages or len(pages[-1]) + len(screen) + 1 > PAGE_ROWS:
            pages.append([])
        pages[-1] += [*screen, ()]
    for theme in THEMES:
        for number, page in enumerate(pages, 1):
            _draw(page, columns, theme).save(folder / f"{columns:03}-{number:02}-{theme}.png")
    return len(pages) * len(THEMES)


def _draw(page: list[Line], columns: int, theme: str) -> Image.Image:
    background, text, colours = THEMES[theme]
    plain = ImageFont.truetype(f"{_FONTS}/DejaVuSansMono.ttf", SIZE)
    bold = ImageFont.truetype(f"{_FONTS}/DejaVuSansMono-Bold.ttf", SIZE)
    width = plain.getlength("m")
    size = (round(columns * width) + 2 * MARGIN, len(page) * LINE + 2 * MARGIN)
    picture = Image.new("RGB", size, background)
    pen = ImageDraw.Draw(picture)

    def colour(name: str, default: str) -> str:
        plain_name = name.removeprefix("bright")
        if len(name) == _RGB and all(digit in "0123456789abcdef" for digit in name):
            return f"#{name}"
        return colours.get("brown" if plain_name == "yellow" else plain_name, default)

    for row, line in enumerate(page):
        for column, cell in enumerate(line):
            at = (MARGIN + column * width, MARGIN + row * LINE)
            ink, paper = colour(cell.fg, text), colour(cell.bg, background)
            if cell.reverse:
                ink, paper = paper, ink
            if paper != background:
                pen.rectangle((*at, at[0] + width, at[1] + LINE), fill=paper)
            if cell.data.strip():
                pen.text(at, cell.data, font=bold if cell.bold else plain, fill=ink)
            if cell.underscore:
                pen.line((at[0], at[1] + LINE - 3, at[0] + width, at[1] + LINE - 3), fill=ink)
    return picture
