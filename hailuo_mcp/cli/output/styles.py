"""What colours mean, in one place: states, money, problems, and links to files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

HEADING, QUIET = "bold", "dim"
GOOD, MOVING, DOUBT, BAD = "green", "cyan", "bold yellow", "bold red"
MONEY = "bold"

_OF_STATE = {
    "saved": GOOD,
    "succeeded": GOOD,
    "planned": QUIET,
    "pending": MOVING,
    "submitting": MOVING,
    "queued": MOVING,
    "running": MOVING,
    "unsaved": DOUBT,
    "unconfirmed": DOUBT,
    "failed": BAD,
    "cancelled": QUIET,
    "ok": GOOD,
    "note": "yellow",
    "problem": BAD,
}
_OF_LABEL = {
    "Failed.": BAD,
    "Unconfirmed.": DOUBT,
    "Not saved.": BAD,
    "Bought, without a clip.": BAD,
    "Not joined.": BAD,
}


class Styled(NamedTuple):
    """A piece of text in a table or beside a label; plain wherever there are no colours."""

    text: str
    style: str = ""
    link: str = ""
    """Where a click leads to, in terminals that know links."""


Cell = str | Styled


def text_of(cell: Cell) -> str:
    return cell.text if isinstance(cell, Styled) else cell


def state(word: str) -> Styled:
    """A state of a task or a film, or a level of the doctor's, in its colour."""
    return Styled(word, _OF_STATE.get(word, ""))


def of_label(label: str) -> str:
    """The style of what a result opens with."""
    return _OF_LABEL.get(label, HEADING)


def file(path: str) -> Styled:
    """A path that can be clicked; a clip in a bucket has no address that a browser could open."""
    try:
        return Styled(path, link=Path(path).as_uri() if path else "")
    except ValueError:  # not a full path
        return Styled(path)
