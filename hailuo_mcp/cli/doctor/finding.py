"""What an examination found: fine, worth knowing, or in the way, and then what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    check: str
    level: Level
    said: str
    do: str = ""


def ok(check: str, said: str) -> Finding:
    return Finding(check=check, level=Level.OK, said=said)


def note(check: str, said: str, do: str = "") -> Finding:
    return Finding(check=check, level=Level.NOTE, said=said, do=do)


def problem(check: str, said: str, do: str) -> Finding:
    return Finding(check=check, level=Level.PROBLEM, said=said, do=do)
