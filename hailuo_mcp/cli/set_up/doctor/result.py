"""What a check found: ok, a note or a problem, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hailuo_mcp.cli.words import program
from hailuo_mcp.errors import HailuoError


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    check: str
    level: Level
    message: str
    fix: str = ""


def ok(check: str, message: str) -> Result:
    return Result(check=check, level=Level.OK, message=message)


def note(check: str, message: str, fix: str = "") -> Result:
    return Result(check=check, level=Level.NOTE, message=message, fix=fix)


def problem(check: str, message: str, fix: str) -> Result:
    return Result(check=check, level=Level.PROBLEM, message=message, fix=fix)


def of_error(check: str, error: HailuoError, fix: str = "") -> Result:
    """A problem from an error; `fix` is for one that does not say what to do."""
    from hailuo_mcp.wording.person import steps_text

    return problem(check, error.what, steps_text(error, program=program()) or fix)
