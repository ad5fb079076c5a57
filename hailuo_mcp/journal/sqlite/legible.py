"""What can be read of a damaged journal: each task and film in its best version."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import cast

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.journal.sql import film_rows
from hailuo_mcp.journal.sql.film_rows import FILMS
from hailuo_mcp.journal.sql.rows import HELD, SEALED, TASKS, DamagedRowError, seal_of
from hailuo_mcp.journal.sqlite import backup, salvage, schema
from hailuo_mcp.journal.sqlite.mark import Mark

_UNSURE = "The journal was damaged, so it is unknown whether this request was sent before."
_ABSENT: dict[str | None, salvage.Value] = {"''": "", "0": 0, "'[]'": "[]"}
"""A column's default in the schema, and as it is read."""
_KINDS: dict[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float)}

FoundRow = dict[str, salvage.Value]
"""Column by column."""


@dataclass(kw_only=True)
class Found:
    """What could be read from a journal and its backups."""

    tasks: dict[str, FoundRow]
    """By task_id."""
    films: dict[str, FoundRow]
    """By film_id."""
    steps: int = 0
    """The damaged file's own step count."""
    doubtful: bool = False
    """Whether the row of a task, or of a film that was made, is damaged, missing or perhaps not its
    latest."""

    def totals(self) -> dict[str, list[int]]:
        sums = defaultdict[str, list[int]](lambda: [0, 0])
        for task in self.tasks.values():
            both = sums[f"{task['account']!s} {task['unit']!s}"]
            both[0] += 1
            both[1] += cast("int", task["counted"]) if task["money"] in HELD else 0
        return dict(sums)

    def holds(self, known: Mark | None) -> bool:
        """Whether the journal's known content is here, in its latest state."""
        if known is None or known.locked or self.steps < known.steps or self.doubtful:
            return False
        totals = self.totals()
        return all(totals.get(name) == both for name, both in known.totals.items())


def read(path: Path, log: bytes, lost_log: bytes) -> Found:
    """Read all tasks and films: as they stand, else from an older page or a backup.

    `log` is the write-ahead log beside the file; `lost_log` is what it was before SQLite, which
    reads one up to the first flaw, discarded the rest of it.
    """
    steps = defaultdict[tuple[salvage.Value, salvage.Value], int](int)
    pages = salvage.opened(path.read_bytes() if path.exists() else b"", log)
    lost = salvage.opened(b"", lost_log)
    layouts = _Layout("tasks"), _Layout("films")
    tasks, films = bests = [_Best(*one) for one in _sorted(pages.rows(), layouts, steps)]
    for best, (sound, _) in zip(bests, _sorted(lost.rows(), layouts), strict=True):
        best.take_newer(sound)
    for rows in (pages.old_rows(), lost.old_rows(), *_backups(path)):
        for best, (sound, _) in zip(bests, _sorted(rows, layouts), strict=True):
            best.take_missing(sound)
    made = {str(task["film_id"]) for task in tasks.rows.values()} - {""}
    found = Found(
        tasks=tasks.rows,
        # Nobody may make a plan that says something else than it did.
        films={
            name: row for name, row in films.rows.items() if name in made or films.is_sound(name)
        },
        steps=sum(steps.values()),
        doubtful=any(map(tasks.is_doubtful, tasks.rows)) or any(map(films.is_doubtful, made)),
    )
    for task in found.tasks.values():  # rows may be outdated, and nothing must be sent twice
        if film := found.films.get(str(task["film_id"])):
            _catch_up(film, task)
        if task["status"] in (Status.PENDING, Status.SUBMITTING):
            task |= {"status": Status.UNCONFIRMED, "error": _UNSURE, "error_kind": "unconfirmed"}
            task |= {"owner": "", "lease_until": 0.0, "due_at": 0.0, "money": Money.RESERVED}
    return found


def _backups(path: Path) -> Iterator[Iterator[salvage.Row]]:
    for copy in backup.newest_first(path):
        with suppress(OSError):
            yield salvage.opened(copy.read_bytes()).rows()


def _catch_up(film: FoundRow, shot: FoundRow) -> None:
    """If the film's row is older than its shot, it was made since: it must not be made again."""
    film |= {"owner": "", "lease_until": 0.0, "due_at": film["updated_at"]}
    take = int(shot["take"] or 0)
    if take > int(film["revision"] or 0):
        film |= {"revision": take, "made_at": shot["created_at"], "redo": "[]"}


class _Best:
    """The best version of each row of a table."""

    def __init__(self, current: dict[str, FoundRow], broken: dict[str, FoundRow]) -> None:
        """`current`: as the rows stand. `broken`: those that do not fit their checksum."""
        self._current = current
        self._broken = broken
        self._sound = dict(current)

    def take_newer(self, rows: dict[str, FoundRow]) -> None:
        for name, row in rows.items():
            if name not in self._current or _age(self._current[name]) < _age(row):
                self._sound[name] = row

    def take_missing(self, rows: dict[str, FoundRow]) -> None:
        self._sound = rows | self._sound

    @property
    def rows(self) -> dict[str, FoundRow]:
        return self._broken | self._sound  # better than forgetting that it was bought

    def is_sound(self, name: str) -> bool:
        return name in self._sound

    def is_doubtful(self, name: str) -> bool:
        """Whether it is missing, or not as the current pages have it."""
        return name not in self._current or self._sound[name] is not self._current[name]


def _sorted(
    rows: Iterable[salvage.Row],
    layouts: Sequence[_Layout],
    steps: dict[tuple[salvage.Value, salvage.Value], int] | None = None,
) -> list[tuple[dict[str, FoundRow], dict[str, FoundRow]]]:
    """For each table, the newest valid version of each row, and rows that fit no checksum.

    `steps` are filled with those of the totals.
    """
    found = [(dict[str, FoundRow](), dict[str, FoundRow]()) for _ in layouts]
    for row in rows:
        if steps is not None and [type(value) for value in row] == [str, str, int, int, int]:
            steps[row[0], row[1]] = max(steps[row[0], row[1]], int(row[4] or 0))
            continue
        for layout, (sound, broken) in zip(layouts, found, strict=True):
            if (one := layout.row(row)) is None:
                continue
            name = str(one[layout.key])
            if one["seal"] and one["seal"] != layout.seal(one):
                broken[name] = one
            elif name not in sound or _age(sound[name]) <= _age(one):
                sound[name] = one
            break
    return found


def _age(row: FoundRow) -> tuple[float, int]:
    return float(row["updated_at"] or 0), int(row.get("attempt") or 0)


class _Layout:
    """The columns of a table in the order of the file, and how its rows are told from others."""

    def __init__(self, table: str) -> None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            schema.migrate(db)
            columns = db.execute(
                'SELECT name, dflt_value, type, "notnull" OR pk FROM pragma_table_info(?)', (table,)
            ).fetchall()
        self.names = [name for name, *_ in columns]
        self.key = self.names[0]
        self.least = self.names.index("seal")
        """So many columns had the oldest rows; tasks once were not sealed."""
        self.defaults = [_ABSENT.get(default) for _, default, *_ in columns]
        """Columns that rows of earlier versions lack at the end."""
        self.kinds = [_KINDS[kind] + (() if must else (NoneType,)) for _, _, kind, must in columns]
        """What each column may contain."""
        self.table = TASKS if table == TASKS.table else FILMS
        self.sealed = SEALED if table == TASKS.table else film_rows.SEALED

    def row(self, row: salvage.Row) -> FoundRow | None:
        """The row by column, if it is a valid row of the table."""
        if not self.least <= len(row) <= len(self.names):
            return None
        values = (*row, *self.defaults[len(row) :])
        found = dict(zip(self.names, values, strict=True))
        try:
            self.table.read([found[name] for name in self.table.columns])
            self.seal(found)
        except (DamagedRowError, TypeError, ValueError):
            return None
        fits = all(map(isinstance, values, self.kinds))
        return found if fits and found[self.key] else None

    def seal(self, found: FoundRow) -> str:
        return seal_of([found[name] for name in self.sealed], self.sealed)
