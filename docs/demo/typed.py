"""What docs/cli.md types into a shell, and what the person does meanwhile."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "cli.md"
_BLOCK = re.compile(r"^```(bash|zsh|fish)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ACT = re.compile(r" # (type|press) ([^\s:]+)(?:: (.*))?$")
"""A second space before it is part of what is typed."""


@dataclass(frozen=True)
class Command:
    """What is typed, and what the person does while it runs."""

    text: str
    act: str = ""
    """"type", "press" or nothing."""
    what: str = ""
    """The text, or the key: Tab or Ctrl-C."""
    shows: str = ""
    """What the Tab key must bring onto the screen."""


def blocks(page: str) -> list[tuple[str, list[Command]]]:
    """The shell and the commands of each block that is played."""
    return [(shell, _commands(text)) for shell, text in _BLOCK.findall(page)]


def _commands(text: str) -> list[Command]:
    found, typed = list[Command](), ""
    for line in text.splitlines():
        typed += line
        if typed.endswith("\\") or typed.count("'") % 2:  # it goes on in the next line
            typed += "\n"
            continue
        if typed.strip():
            act = _ACT.search(typed)
            more = (act[1], act[2], act[3] or "") if act else ()
            found.append(Command(typed[: act.start()] if act else typed, *more))
        typed = ""
    return found
