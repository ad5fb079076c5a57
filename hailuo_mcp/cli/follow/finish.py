"""When clips are done: show them (--open), their contact sheet (--preview), and tell (--notify)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hailuo_mcp.cli import words
from hailuo_mcp.cli.output import notify
from hailuo_mcp.errors import HailuoError

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.views import FilmView, View

_MOST_OPENED = 4
"""Windows that a person wants at once."""
_NO_SCREEN = "Not opened: there is no screen here, or nothing that opens a file."
_STATES = {"saved": "Saved", "unsaved": "Ready, not saved", "unconfirmed": "Unconfirmed"}


async def finish(
    session: Session, made: Sequence[View | FilmView], files: Sequence[str] = ()
) -> None:
    """What the options ask for when the wait is over; it never fails the command.

    `files`: where the clips are, if not where they were saved.
    """
    args = session.args
    done = [view for view in made if view.state == "saved"]
    if getattr(args, "preview", False) and done:
        await _preview(session, [view.known_as for view in done])
    if getattr(args, "open", False) and done:
        _open(session, list(files) or [view.made.file for view in done])
    over = [view for view in made if view.settled]
    long = time.time() - session.began >= notify.LONG_SECONDS
    if getattr(args, "notify", False) and over and long:
        session.terminal.notify(_told(over))


def _told(over: Sequence[View | FilmView]) -> str:
    """Such as "Saved: a red fox" or "3 of 4 saved"."""
    from hailuo_mcp.cli.output.progress_lines import named

    if len(over) > 1:
        return f"{sum(view.state == 'saved' for view in over)} of {len(over)} saved"
    state = over[0].state
    return f"{_STATES.get(state, state.capitalize())}: {named(over[0])}"


async def _preview(session: Session, ids: Sequence[str]) -> None:
    from hailuo_mcp.cli.follow.preview import show_sheet
    from hailuo_mcp.studio.preview import WHOLE_CLIP
    from hailuo_mcp.wording.person import error_text

    first, *others = ids
    try:
        sheet = await session.studio.preview(
            first, frames=0, at_seconds=WHOLE_CLIP, compare_with=tuple(others)
        )
        show_sheet(session.terminal, sheet)
    except HailuoError as error:
        session.terminal.paragraph("No preview:", error_text(error, program=words.program()))


def _open(session: Session, files: Sequence[str]) -> None:
    terminal, storage = session.terminal, session.studio.storage
    local = [str(path) for file in files if (path := storage.local_path(file))]
    if len(local) < len(files):
        terminal.note("Not opened: the clip is in a bucket. Copy it with -o FILE.")
    for file in local[:_MOST_OPENED]:
        if not terminal.open(file):
            terminal.note(_NO_SCREEN)
            return
    if len(local) > _MOST_OPENED:
        terminal.note(f"Opened the first {_MOST_OPENED} of {len(local)}.")
