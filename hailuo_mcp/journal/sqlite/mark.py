"""Records beside the journal how much was in it, so that an emptied or older one is noticed."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from hailuo_mcp.files.private import private_opener
from hailuo_mcp.journal.sqlite.losses import UNACCEPTED

_TAIL_BYTES = 4096
_COMPACT_BYTES = 65_536
"""A longer file is written again with one line: it is read at every start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a journal held at one moment."""

    steps: int = 0
    """Counts every task written down and every change of a status; it only ever rises."""
    newest: str = ""
    """The task_id that was written last."""
    totals: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By account and unit, joined by a space: the number of tasks, and their cost in millionths."""
    locked: bool = False
    """Whether a loss of it waits for a person to accept it."""

    @property
    def tasks(self) -> int:
        return sum(tasks for tasks, _ in self.totals.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What the file beside the journal says."""

    mark: Mark | None = None
    checked: str = ""
    """The stamp of the file that needs no check, if it is not too long ago."""
    checked_at: float = 0.0
    """When all of it was checked last, in Unix seconds."""
    size: int = 0

    @property
    def long(self) -> bool:
        return self.size > _COMPACT_BYTES


_NOW = (
    "SELECT account, unit, tasks, counted, steps,"
    " (SELECT task_id FROM tasks ORDER BY rowid DESC LIMIT 1),"
    f" EXISTS (SELECT 1 FROM rescues WHERE {UNACCEPTED}) FROM totals"
)


def of(db: sqlite3.Connection) -> Mark:
    """What the journal holds now."""
    rows = db.execute(_NOW).fetchall()
    return Mark(
        steps=sum(row[4] for row in rows),
        newest=(rows[0][5] if rows else "") or "",
        totals={f"{row[0]} {row[1]}": (row[2], row[3]) for row in rows if row[2]},
        locked=bool(rows and rows[0][6]),
    )


def path_of(journal: Path) -> Path:
    """A name that shares nothing with the journal's: who puts that back leaves this alone."""
    return journal.with_name("mark")


def read(journal: Path) -> Remembered:
    """The farthest mark, whatever the order in which several processes have appended theirs."""
    try:
        data = path_of(journal).read_bytes()
    except OSError:
        return Remembered()
    mark: Mark | None = None
    checked, checked_at = "", 0.0
    for line in data.splitlines():
        told = _parsed(line)
        if told is None:
            continue  # torn, or damaged: another line may say it
        if "checked" in told:
            checked, checked_at = str(told["checked"]), float(told["at"])
        elif mark is None or told["steps"] >= mark.steps:
            totals = {
                name: (tasks, reserved_amount)
                for name, (tasks, reserved_amount) in told["totals"].items()
            }
            mark = Mark(
                steps=told["steps"], newest=told["newest"], totals=totals, locked=told["locked"]
            )
    return Remembered(mark=mark, checked=checked, checked_at=checked_at, size=len(data))


def farthest(journal: Path) -> int:
    """How far any process has come, by the last lines."""
    try:
        with path_of(journal).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return 0
    return max((told.get("steps", 0) for line in lines if (told := _parsed(line))), default=0)


def append(journal: Path, mark: Mark) -> None:
    """Add what the journal holds since the last commit; on the disk when this returns.

    Raises:
        OSError: it cannot be written.
    """
    _append(journal, asdict(mark))


def note_checked(journal: Path, stamp: str, at: float) -> None:
    """The file that has this stamp comes from one that was checked at this time."""
    with suppress(OSError):  # then it is checked
        _append(journal, {"checked": stamp, "at": at})


def write(journal: Path, mark: Mark) -> None:
    """Begin the file again with this mark.

    Raises:
        OSError: it cannot be written.
    """
    target = path_of(journal)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb", opener=private_opener) as file:  # takes an opener
            file.write(_line(asdict(mark)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _append(journal: Path, told: Mapping[str, object]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    descriptor = private_opener(str(path_of(journal)), flags)
    try:
        os.write(descriptor, b"\n" + _line(told))  # the line before may be torn
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(told: Mapping[str, object]) -> bytes:
    text = json.dumps(told, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> dict[str, Any] | None:
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(text):
            return None
        return cast("dict[str, Any]", json.loads(text))
    except ValueError:
        return None
