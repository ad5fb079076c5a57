"""tasks --watch: the list in its place, and above it what changes, until ^C."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from hailuo_mcp.cli import exits, task_rows
from hailuo_mcp.cli.follow.task_find import find
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.styles import Cell, Styled, text_of
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.running import run_with_studio
from hailuo_mcp.cli.session import Session
from hailuo_mcp.cli.task_rows import state_of
from hailuo_mcp.text import shown

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView, View

_LEAST_SECONDS = 0.2
_AROUND_ROWS = 5
"""Lines of the terminal that are no rows: the heading, the spending, the cursor."""
_NAME = 40


class Changes:
    """What has changed from one look at the list to the next."""

    def __init__(self) -> None:
        self._states: dict[str, str] | None = None

    def of(self, entries: Iterable[View | FilmView]) -> list[tuple[View | FilmView, str]]:
        """Each that is new or has another state, with the state before; oldest first."""
        before = self._states
        found = list(entries)
        self._states = {**(before or {}), **{it.known_as: state_of(it) for it in found}}
        if before is None:
            return []
        return [
            (entry, before.get(entry.known_as, ""))
            for entry in reversed(found)
            if before.get(entry.known_as) != state_of(entry)
        ]


def watch(args: Namespace, terminal: Terminal) -> int:
    """Ends with ^C, which is no failure."""

    async def job(session: Session) -> None:
        session.ends_with_interrupt = True
        if terminal.can_redraw and not terminal.json:
            await _redraw(session)
        else:
            await _tell(session)

    try:
        run_with_studio(args, terminal, job)
    except KeyboardInterrupt:
        return exits.DONE
    return exits.DONE


async def _redraw(session: Session) -> None:
    from hailuo_mcp.wording.person import spending_text

    args, terminal = session.args, session.terminal
    changes, home = Changes(), session.studio.provider.name
    with terminal.redrawn() as screen:
        while True:
            listing, entries, _ = await find(session)
            for entry, before in changes.of(entries):
                screen.tell(*_told(entry, before))
            rows = entries[: max(1, screen.height - _AROUND_ROWS)]
            layout = task_rows.layout(
                rows, home=home, width=terminal.width, paths=args.paths, works=True
            )
            left = len(entries) - len(rows)
            more = f"{left} more. " if left else "" if entries else "No task. "
            below = Styled(f"{more}{spending_text(listing.spending)} ^C ends.", styles.QUIET)
            screen.draw(layout.columns, layout.rows, wide=layout.wide, below=below)
            await _pause(session, entries)


async def _tell(session: Session) -> None:
    """For a pipe: first all, then a line, or an object of JSON, for each change."""
    from hailuo_mcp.cli.record import record_of

    terminal, changes, first = session.terminal, Changes(), True
    while True:
        _, entries, _ = await find(session)
        found = changes.of(entries)
        if first:
            found, first = [(entry, "") for entry in reversed(entries)], False
        for entry, before in found:
            if terminal.json:
                terminal.data(record_of(entry))
            else:
                terminal.say("".join(map(text_of, _told(entry, before))))
        await _pause(session, entries)


def _told(entry: View | FilmView, before: str) -> list[Cell]:
    """Such as "14:02:31  v1k…  queued → running  a red fox"; of a saved clip, where it is."""
    at = f"{datetime.fromtimestamp(entry.now):%H:%M:%S}"  # noqa: DTZ006  local, for a person
    name = shown(" ".join(task_rows.name_of(entry).split()), _NAME)
    told: list[Cell] = [Styled(at, styles.QUIET), f"  {entry.known_as}  "]
    told += [f"{before} → "] if before else []
    told += [styles.state(state_of(entry)), f"  {name}"]
    if entry.state == "saved":
        told += ["  ", styles.file(entry.made.file)]
    return told


async def _pause(session: Session, entries: Iterable[View | FilmView]) -> None:
    """Until the next look, or until one of these moves."""
    import anyio

    seconds = max(_LEAST_SECONDS, session.args.watch)
    moving = {entry.known_as for entry in entries if not entry.settled}
    if moving:
        await session.studio.changes.wait(moving, seconds)
        await anyio.sleep(_LEAST_SECONDS)  # several changes at once are one drawing
    else:
        await anyio.sleep(seconds)
