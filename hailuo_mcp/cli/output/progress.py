"""The progress of a wait: lines that move, a line for each phase, or a record for each change."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from hailuo_mcp.views import FilmView, View

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

QUIET_SECONDS = 30.0
"""How long nothing is written while nothing changes."""


class Lines:
    """For logs and pipes: a line when the phase changes, and every 30 s."""

    def __init__(
        self, write: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._monotonic = monotonic
        self._phases: dict[str, object] = {}
        self._said_at = 0.0

    def tell(self, text: str) -> None:
        """What is being done, before there is a task."""
        self._said_at = self._monotonic()
        self._write(text)

    async def show(self, view: View | FilmView) -> None:
        """How far a clip or film is."""
        if self._has_moved(view) or self._is_time():
            self.tell(f"{view.known_as} {_words(view)}")

    async def show_all(self, views: Sequence[View | FilmView]) -> None:
        """How far several are, the ended ones included: one by one, then together."""
        if len(views) == 1:
            await self.show(views[0])
            return
        moved = [view for view in views if self._has_moved(view)]
        for view in moved:
            self.tell(f"{view.known_as} {_words(view)}")
        if views and (moved or self._is_time()):
            from hailuo_mcp.cli.output.progress_lines import sum_words

            self.tell(sum_words(views))

    def _is_time(self) -> bool:
        return self._monotonic() - self._said_at >= QUIET_SECONDS

    def _has_moved(self, view: View | FilmView) -> bool:
        phase = ([(it.status, it.saved, it.save_error) for it in view.tasks], view.state)
        before = self._phases.get(view.known_as)
        self._phases[view.known_as] = phase
        return phase != before


class Records(Lines):
    """For scripts: a task as a line of JSON at each change, and every 30 s."""

    def __init__(
        self,
        write: Callable[[dict[str, object]], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(lambda _text: None, monotonic)
        self._record = write
        self._written: dict[str, float] = {}

    async def show(self, view: View | FilmView) -> None:
        """Write the task if it has changed; of a film, those of its shots."""
        await self.show_all([view])

    async def show_all(self, views: Sequence[View | FilmView]) -> None:
        """Write what has changed."""
        from hailuo_mcp.cli.record import task_record
        from hailuo_mcp.wording.tasks import facts

        for view in views:
            clips = [view] if isinstance(view, View) else [it.view for it in view.shots if it.view]
            for clip in clips:
                content, now = facts(clip), self._monotonic()
                same = self._phases.get(clip.known_as) == content
                recent = now - self._written.get(clip.known_as, 0.0) < QUIET_SECONDS
                if same and (recent or clip.settled):
                    continue
                self._phases[clip.known_as] = content
                self._written[clip.known_as] = now
                self._record(task_record(clip))


class Bar:
    """For a person: lines that move, and are gone when the work is done."""

    def __init__(
        self, console: Console, *, unicode: bool = True, clock: Callable[[], float] = time.time
    ) -> None:
        from rich.live import Live

        from hailuo_mcp.cli.output.progress_lines import Meter

        self._console = console
        self._unicode = unicode
        self._clock = clock
        self._meter = Meter()
        self._shown: str | tuple[View | FilmView, ...] = ""
        self._began = time.monotonic()
        self._live = Live(
            console=console,
            transient=True,
            get_renderable=self._frame,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def tell(self, text: str) -> None:
        """What is being done, before there is a task."""
        self._shown = text
        self._began = time.monotonic()
        self._live.refresh()

    async def show(self, view: View | FilmView) -> None:
        """How far a clip or film is."""
        self._shown = (view,)
        self._live.refresh()

    async def show_all(self, views: Sequence[View | FilmView]) -> None:
        """How far several are, the ended ones included: a line each, and their sum."""
        self._shown = tuple(views)
        self._live.refresh()

    def _frame(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        from hailuo_mcp.cli.output.progress_lines import frame, telling

        shown, width = self._shown, self._console.width
        if isinstance(shown, str):
            return telling(shown, time.monotonic() - self._began, width)
        lines = frame(
            shown,
            self._meter,
            now=self._clock(),
            width=width,
            height=self._console.height,
            unicode=self._unicode,
        )
        return Group(*lines) if lines else Text()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def _words(view: View | FilmView) -> str:
    from hailuo_mcp.wording import cases, film_cases

    return cases.progress_line(view) if isinstance(view, View) else film_cases.progress_line(view)
