"""The progress of a wait: a bar with the phase and the time left, or a line for each phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console

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

    async def show_all(self, views: Sequence[View | FilmView]) -> None:
        done = sum(view.settled for view in views)
        if open_ones := [view for view in views if not view.settled]:
            await self.show(open_ones[0], done=done, of=len(views))


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

    async def show_all(self, views: Sequence[View | FilmView]) -> None:
        done = sum(view.settled for view in views)
        if open_ones := [view for view in views if not view.settled]:
            await self.show(open_ones[0], done=done, of=len(views))

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _words(view: View | FilmView, done: int, of: int) -> str:
    from hailuo_mcp.views import View
    from hailuo_mcp.wording import cases, film_cases

    line = cases.progress_line(view) if isinstance(view, View) else film_cases.progress_line(view)
    return line if of == 1 else f"{done} of {of} done; {view.known_as} {line}"
