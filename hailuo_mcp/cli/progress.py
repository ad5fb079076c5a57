"""How a wait looks: a bar with the phase and the time left, or a line for each phase."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from hailuo_mcp.domain import Status

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from hailuo_mcp.views import View

QUIET_SECONDS = 30.0
"""How long the plain form says nothing while nothing changes."""


class Watcher(Protocol):
    def tell(self, text: str) -> None:
        """What is being done, before there is a task."""

    async def show(self, view: View, *, done: int = 0, of: int = 1) -> None:
        """How the task stands that takes longest, and how many of them are done."""


class Lines:
    """For logs and pipes: a line when the phase changes, and a sign of life now and then."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._phase: object = None
        self._said_at = 0.0

    def tell(self, text: str) -> None:
        self._said_at = time.monotonic()
        self._write(text)

    async def show(self, view: View, *, done: int = 0, of: int = 1) -> None:
        task = view.task
        phase = (task.status, task.task_id, task.save_error) if of == 1 else (done, of)
        if phase == self._phase and time.monotonic() - self._said_at < QUIET_SECONDS:
            return
        self._phase = phase
        name = f"{view.task.task_id} " if of == 1 else ""
        self.tell(f"{name}{_words(view, done, of)}")


def _words(view: View, done: int, of: int) -> str:
    from hailuo_mcp.wording.cases import progress_line

    line = progress_line(view)
    return line if of == 1 else f"{done} of {of} done; {view.task.task_id} {line}"


class Bar:
    """For a person: one line that moves, and is gone when the work is done."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._text = ""
        self._started: float | None = None
        self._ends = 0.0
        self._filled = 0.0
        self._live = Live(  # last: it draws at once
            console=console, get_renderable=self._draw, transient=True, refresh_per_second=10
        )

    def tell(self, text: str) -> None:
        self._text = text

    async def show(self, view: View, *, done: int = 0, of: int = 1) -> None:
        self._text = _words(view, done, of)
        now = time.monotonic()
        begun = view.task.submitted_at or view.task.created_at
        if view.task.status is Status.SUCCEEDED or not view.eta_seconds:
            self._started = None
            return
        self._started = now - max(0.0, view.now - begun)
        self._ends = now + view.eta_seconds

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._live.stop()

    def _draw(self) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        width = max(10, min(40, self._console.width - 40))
        bar = ProgressBar(
            total=1,
            completed=self._fraction(),
            width=width,
            pulse=self._started is None,
            complete_style="cyan",
            pulse_style="cyan",
        )
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(bar, Text(self._text, no_wrap=True, overflow="ellipsis"))
        return line

    def _fraction(self) -> float:
        """How much of the usual time has gone; never less than before, nor all of it."""
        if self._started is not None:
            now = time.monotonic()
            gone = (now - self._started) / max(0.1, self._ends - self._started)
            self._filled = max(self._filled, min(0.97, gone))
        return self._filled
