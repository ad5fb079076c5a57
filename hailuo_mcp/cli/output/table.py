"""Tables: as wide as the terminal, wrapped where they must be, and no word of them is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from hailuo_mcp.cli.output.styles import HEADING, Cell, Styled, text_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

NONE = ("", "-")
_GAP = 2
_NARROWEST = 16
"""Characters that the column which may be cut keeps at least."""
_NUMBER = re.compile(r"[\d.,]+")


def fitted(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int,
    *,
    wide: int | None = None,
    wraps: bool = False,
) -> list[int] | None:
    """The columns' widths: what they need, or less, but each as wide as its longest word.

    Column `wide` gives way first, down to a few words, which are cut unless it `wraps`.
    None: even so they do not fit.
    """
    from rich.cells import cell_len

    need, least = list[int](), list[int]()
    for index, name in enumerate(columns):
        texts = [name, *(text_of(row[index]) for row in rows)]
        need.append(max(cell_len(line) for text in texts for line in text.split("\n")))
        longest = max((cell_len(word) for text in texts for word in text.split()), default=0)
        few = min(need[-1], _NARROWEST)
        least.append(longest if index != wide else max(few, longest) if wraps else few)
    room = width - _GAP * (len(columns) - 1)
    if sum(least) > room:
        return None
    if wide is not None:
        need[wide] = max(least[wide], min(need[wide], room - sum(need) + need[wide]))
    while sum(need) > room:  # the widest that can still give way does, a character at a time
        need[max((i for i in range(len(need)) if need[i] > least[i]), key=need.__getitem__)] -= 1
    return need


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    widths: Sequence[int],
    *,
    cut: int | None = None,
) -> Table:
    """The table in these widths; the cells of column `cut` end in an ellipsis, all others wrap."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style=HEADING)
    for index, name in enumerate(columns):
        filled = [it for row in rows if (it := text_of(row[index])) not in NONE]
        right = bool(index and filled) and all(map(_NUMBER.fullmatch, filled))
        justify: Literal["left", "right"] = "right" if right else "left"
        made.add_column(name, width=widths[index], no_wrap=index == cut, justify=justify)
    for row in rows:
        made.add_row(*(rich_text(it, cut=index == cut) for index, it in enumerate(row)))
    return made


def rich_text(cell: Cell, *, cut: bool = False) -> Text:
    """A cell for the library that prints it."""
    from rich.style import Style
    from rich.text import Text

    piece = cell if isinstance(cell, Styled) else Styled(cell)
    style = Style.parse(piece.style) + Style(link=piece.link or None)
    return Text(piece.text, style, no_wrap=cut, overflow="ellipsis" if cut else "fold")
