"""A table that is drawn again in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console

    from hailuo_mcp.cli.output.styles import Cell


class Screen:
    """A table that stays in its place, with lines that scroll away above it."""

    def __init__(self, console: Console, clean: Callable[[Sequence[Cell]], list[Cell]]) -> None:
        from rich.live import Live

        self._console, self._clean = console, clean
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    @property
    def height(self) -> int:
        """Lines of the terminal."""
        return self._console.height

    def draw(
        self, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, wide: int, below: Cell
    ) -> None:
        """`wide` is the column that is cut to fit; `below` stands under the table."""
        from rich.console import Group
        from rich.text import Text

        from hailuo_mcp.cli.output.table import fitted, rich_text, table

        shown = [self._clean(row) for row in rows]
        widths = fitted(columns, shown, self._console.width, wide=wide)
        if widths is None:  # no terminal is narrower than an id and a state
            columns, shown = columns[:2], [row[:2] for row in shown]
            widths = fitted(columns, shown, 1000) or []
        drawn = table(columns, shown, widths, cut=wide if len(columns) > wide else None)
        (last,) = self._clean([below])
        self._live.update(Group(drawn, Text(), rich_text(last)), refresh=True)

    def tell(self, *pieces: Cell) -> None:
        """A line above the table."""
        from rich.text import Text

        from hailuo_mcp.cli.output.table import rich_text

        told = Text.assemble(*map(rich_text, self._clean(pieces)))
        self._console.print(told, soft_wrap=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
