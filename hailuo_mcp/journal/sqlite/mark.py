"""The mark: a file beside the journal that reveals an emptied or older journal."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from hailuo_mcp.files.private import private_opener
from hailuo_mcp.journal.sqlite.losses import UNACCEPTED

_TAIL_BYTES = 4096
_COMPACT_BYTES = 65_536
"""A longer file is rewritten as one line, because it is read at every start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The content of a journal at one moment."""

    steps: int = 0
    """Counts every recorded task and every change of a status; it never decreases."""
    newest: str = ""
    """The task_id recorded last."""
    totals: Mapping[str, list[int]] = field(default_factory=dict[str, list[int]])
    """By account and unit, joined by a space: the number of tasks, and their cost in millionths."""
    locked: bool = False
    """Whether a loss waits for a person's acceptance."""

    @property
    def tasks(self) -> int:
        return sum(tasks for tasks, _ in self.totals.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The content of the mark's file."""

    mark: Mark | None = None
    checked: str = ""
    """The stamp of the file that needs no check, if the last one is recent."""
    checked_at: float = 0.0
    """When the whole journal was last checked, in Unix seconds."""
    long: bool = False


def of(db: sqlite3.Connection) -> Mark:
    """What the journal contains now."""
    rows = db.execute(
        "SELECT account, unit, tasks, counted, steps,"
        " (SELECT task_id FROM tasks ORDER BY rowid DESC LIMIT 1),"
        f" EXISTS (SELECT 1 FROM rescues WHERE {UNACCEPTED}) FROM totals"
    ).fetchall()
    return Mark(
        steps=sum(row[4] for row in rows),
        newest=(rows[0][5] if rows else "") or "",
        totals={f"{row[0]} {row[1]}": [row[2], row[3]] for row in rows if row[2]},
        locked=bool(rows and rows[0][6]),
    )


def path_of(journal: Path) -> Path:
    """Its name differs from the journal's: restoring journal.sqlite3* does not replace it."""
    return journal.with_name("mark")


def read(journal: Path, *, tail: bool = False) -> Remembered:
    """The most advanced mark, in whatever order several processes appended theirs.

    `tail`: only from the last lines, which is fast and enough to see others' progress.
    """
    try:
        with path_of(journal).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES) if tail else 0)
            lines = file.read().splitlines()
    except OSError:
        return Remembered()
    found = Remembered(long=size > _COMPACT_BYTES)
    for line in lines:
        told = _parsed(line)
        if "checked" in told:
            found = replace(found, checked=str(told["checked"]), checked_at=float(told["at"]))
        elif told and (found.mark is None or told["steps"] >= found.mark.steps):
            known = {name: told[name] for name in ("steps", "newest", "totals", "locked")}
            found = replace(found, mark=Mark(**known))
    return found


def append(journal: Path, told: Mark | Mapping[str, object]) -> None:
    """Append a line, durable when this returns.

    Raises:
        OSError: it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    descriptor = private_opener(str(path_of(journal)), flags)
    try:
        os.write(descriptor, b"\n" + _line(told))  # the previous line may be torn
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def note_checked(journal: Path, stamp: str, at: float) -> None:
    """Record that the file with this stamp was checked at this time."""
    with suppress(OSError):  # then it is checked
        append(journal, {"checked": stamp, "at": at})


def write(journal: Path, mark: Mark) -> None:
    """Rewrite the file with this mark only.

    Raises:
        OSError: it cannot be written.
    """
    target = path_of(journal)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb", opener=private_opener) as file:  # takes an opener
            file.write(_line(mark))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _line(told: Mark | Mapping[str, object]) -> bytes:
    facts = asdict(told) if isinstance(told, Mark) else told
    text = json.dumps(facts, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> dict[str, Any]:
    """Empty if the line is torn or damaged: another line may suffice."""
    checksum, _, text = line.partition(b" ")
    try:
        if int(checksum, 16) == zlib.crc32(text):
            return cast("dict[str, Any]", json.loads(text))
    except ValueError:
        pass
    return {}
