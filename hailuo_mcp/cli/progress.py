"""The progress of a wait: a bar with the phase and the time left, or a line for each phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console

    from hailuo_mcp.cli.styles import Cell
    from hailuo_mcp.views import FilmView, View

QUIET_SECONDS = 30.0
"""How long nothing is written while nothing changes."""


class Lines:
    """For logs and pipes: a line when the phase changes, and every 30 s."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._phase: object = None
        self._said_at = 0.0

    def tell(self, text: str) -> None:
        """What is being done, before there is a task."""
        self._said_at = time.monotonic()
        self._write(text)

    async def show(self, view: View | FilmView, *, done: int = 0, of: int = 1) -> None:
        """What takes longest, a task or a film, and how many of them are done."""
        moves = [(task.status, task.saved, task.save_error) for task in view.tasks]
        phase = (view.known_as, moves, view.state) if of == 1 else (done, of)
        if phase == self._phase and time.monotonic() - self._said_at < QUIET_SECONDS:
            return
        self._phase = phase
        name = f"{view.known_as} " if of == 1 else ""
        self.tell(f"{name}{_words(view, done, of)}")


class Bar:
    """For a person: one line that moves, and is gone when the work is done."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._progress = Progress(
            BarColumn(
                bar_width=max(10, min(40, console.width - 40)),
                complete_style="cyan",
                pulse_style="cyan",
            ),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis"),
            ),
            console=console,
            transient=True,
        )
        self._line = self._progress.add_task("", total=None)

    def tell(self, text: str) -> None:
        """What is being done, before there is a task."""
        self._progress.update(self._line, description=text)

    async def show(self, view: View | FilmView, *, done: int = 0, of: int = 1) -> None:
        """What takes longest, a task or a film, and how many of them are done."""
        self.tell(_words(view, done, of))
        if view.state != "unsaved" and view.eta_seconds:
            began = min((it.submitted_at or it.created_at for it in view.tasks), default=view.now)
            gone = max(0.0, view.now - began)
            self._progress.update(self._line, total=gone + view.eta_seconds, completed=gone)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


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

        from hailuo_mcp.cli.table import fitted, rich_text, table

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

        from hailuo_mcp.cli.table import rich_text

        told = Text.assemble(*map(rich_text, self._clean(pieces)))
        self._console.print(told, soft_wrap=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def _words(view: View | FilmView, done: int, of: int) -> str:
    from hailuo_mcp.views import View
    from hailuo_mcp.wording import cases, film_cases

    line = cases.progress_line(view) if isinstance(view, View) else film_cases.progress_line(view)
    return line if of == 1 else f"{done} of {of} done; {view.known_as} {line}"
