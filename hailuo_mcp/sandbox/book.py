"""The account book, in SQLite: every create, accepted task, read and download.

Several processes may write it at once and it survives their restarts; it is the truth that tests
and benchmarks compare the client's own records with.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hailuo_mcp.sandbox.job import Ends, Job
from hailuo_mcp.sandbox.refusal import RATE_CODES, Refusal

# Append only: a newer sandbox may add tables and columns, an older one must still read its own.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS creates (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, dialect TEXT NOT NULL,
        path TEXT NOT NULL, fingerprint TEXT NOT NULL, outcome TEXT NOT NULL, code INTEGER NOT NULL,
        note TEXT NOT NULL, task_id TEXT NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS creates_by_key ON creates (key, at)",
    "CREATE INDEX IF NOT EXISTS creates_by_body ON creates (fingerprint)",
    """CREATE TABLE IF NOT EXISTS tasks (
        task_id TEXT PRIMARY KEY, platform_id TEXT NOT NULL, file_id TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL, fingerprint TEXT NOT NULL, facts TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS tasks_by_platform_id ON tasks (platform_id)",
    """CREATE TABLE IF NOT EXISTS events (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, task_id TEXT NOT NULL,
        key TEXT NOT NULL, amount INTEGER NOT NULL, note TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS events_by_task ON events (task_id, kind)",
    "CREATE INDEX IF NOT EXISTS tasks_by_key ON tasks (key)",
    """CREATE TABLE IF NOT EXISTS uploads (
        file_id TEXT PRIMARY KEY, key TEXT NOT NULL, sha256 TEXT NOT NULL, at REAL NOT NULL)""",
)
CANCEL, DELETE = "cancel", "delete"
_ENDS = f"""SELECT
    (SELECT min(at) FROM events WHERE task_id=tasks.task_id AND kind='{CANCEL}') AS cancelled_at,
    (SELECT min(at) FROM events WHERE task_id=tasks.task_id AND kind='{DELETE}') AS deleted_at,
    facts FROM tasks"""  # noqa: S608  # only constants are put in
_MINUTE = 60.0
_OPEN_SECONDS = 30.0
_MARKS = ", ".join(["?"] * len(RATE_CODES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One create as it came in."""

    at: float
    key: str
    dialect: str
    path: str
    fingerprint: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a decision about a create may depend on, read in the transaction that writes it."""

    occasion: int
    """1 if no create with exactly this body came from this key before."""
    last_minute: int
    """Creates of this key within the last minute that were not refused for their rate."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the book; writers wait for each other for up to ten seconds."""
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    # NORMAL loses nothing when a process is killed; only a power cut could take the last second.
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


class Book:
    """Writes; one method is one short transaction."""

    def __init__(self, path: Path) -> None:
        """Open the book, creating it when this is the first process to need it."""
        from filelock import FileLock

        for folder in (path.parent.parent, path.parent):  # the mode is the last one's only
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._connection = connect(path)
        # SQLite does not wait its turn when several processes switch a new file to WAL at once.
        with FileLock(path.with_suffix(".lock"), timeout=_OPEN_SECONDS, mode=0o600):
            self._connection.execute("PRAGMA journal_mode=WAL")
            with self._transaction() as sql:
                for statement in _SCHEMA:
                    sql.execute(statement)
                sql.execute(
                    "INSERT OR IGNORE INTO meta VALUES ('link_secret', ?)", (secrets.token_hex(16),)
                )
        row = self._connection.execute("SELECT value FROM meta WHERE name='link_secret'").fetchone()
        self.link_secret: bytes = str(row["value"]).encode()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def submit(
        self, attempt: Attempt, decide: Callable[[Past], Job | Refusal], note: str = ""
    ) -> Job | Refusal:
        """Write down one create and what became of it, at once, so that no two processes differ."""
        with self._transaction() as sql:
            verdict = decide(self._past(sql, attempt))
            row = asdict(attempt)
            if isinstance(verdict, Job):
                job = asdict(verdict)
                sql.execute(
                    "INSERT INTO tasks VALUES"
                    " (:task_id, :platform_id, :file_id, :key, :fingerprint, :facts)",
                    {**row, **job, "facts": json.dumps(job)},
                )
                row |= {"outcome": "accepted", "code": 0, "note": note, "task_id": verdict.task_id}
            else:
                row |= {"outcome": "refused", "code": verdict.code, "note": verdict.note}
                row["task_id"] = ""
            sql.execute(
                "INSERT INTO creates (at, key, dialect, path, fingerprint, outcome, code, note,"
                " task_id, body) VALUES (:at, :key, :dialect, :path, :fingerprint, :outcome, :code,"
                " :note, :task_id, :body)",
                row,
            )
        return verdict

    @staticmethod
    def _past(sql: sqlite3.Connection, attempt: Attempt) -> Past:
        earlier = sql.execute(
            "SELECT count(*) FROM creates WHERE fingerprint=? AND key=?",
            (attempt.fingerprint, attempt.key),
        ).fetchone()[0]
        # Refusals for the rate itself do not count, or a client that retries could never get out.
        recent = sql.execute(
            f"SELECT count(*) FROM creates WHERE key=? AND at>? AND code NOT IN ({_MARKS})",  # noqa: S608  # only question marks are put in
            (attempt.key, attempt.at - _MINUTE, *RATE_CODES),
        ).fetchone()[0]
        return Past(occasion=earlier + 1, last_minute=recent)

    def record(
        self, kind: str, *, at: float, task_id: str = "", key: str = "", note: str = ""
    ) -> tuple[int, int]:
        """Write down one event; return its row and which of its kind it is for the task, from 1."""
        with self._transaction() as sql:
            row = sql.execute(
                "INSERT INTO events (at, kind, task_id, key, amount, note)"
                " VALUES (?, ?, ?, ?, 0, ?)",
                (at, kind, task_id, key, note),
            ).lastrowid
            number = sql.execute(
                "SELECT count(*) FROM events WHERE task_id=? AND kind=?", (task_id, kind)
            ).fetchone()[0]
        return int(row or 0), int(number)

    def amount(self, row: int, amount: int) -> None:
        """Write down how much an event came to, such as the bytes of a download."""
        with self._transaction() as sql:
            sql.execute("UPDATE events SET amount=? WHERE id=?", (amount, row))

    def ends(self, task_id: str) -> Ends:
        """Return whether and when a task was cancelled and its record deleted."""
        with self._lock:
            row = self._connection.execute(f"{_ENDS} WHERE task_id=?", (task_id,)).fetchone()
        return _ends(row) if row else Ends()

    def end(self, task: Job, at: float, decide: Callable[[Ends], str]) -> None:
        """Cancel or delete a task: what `decide` says, in one transaction; it may raise."""
        with self._transaction() as sql:
            row = sql.execute(f"{_ENDS} WHERE task_id=?", (task.task_id,)).fetchone()
            sql.execute(
                "INSERT INTO events (at, kind, task_id, key, amount, note)"
                " VALUES (?, ?, ?, ?, 0, '')",
                (at, decide(_ends(row)), task.task_id, task.key),
            )

    def tasks_since(self, key: str, family: str, since: float) -> list[tuple[Job, Ends]]:
        """Return an account's tasks of one API, newest first."""
        with self._lock:
            rows = self._connection.execute(
                f"{_ENDS} WHERE key=? AND json_extract(facts, '$.family')=?"
                " AND json_extract(facts, '$.created_at')>? ORDER BY rowid DESC",
                (key, family, since),
            ).fetchall()
        return [(job_from(row["facts"]), _ends(row)) for row in rows]

    def keep_upload(self, file_id: str, key: str, sha256: str, at: float) -> None:
        """Write down an uploaded file."""
        with self._transaction() as sql:
            sql.execute("INSERT INTO uploads VALUES (?, ?, ?, ?)", (file_id, key, sha256, at))

    def upload(self, file_id: str, key: str) -> str:
        """Return the hash of a file that this account uploaded; empty: there is none."""
        with self._lock:
            row = self._connection.execute(
                "SELECT sha256 FROM uploads WHERE file_id=? AND key=?", (file_id, key)
            ).fetchone()
        return str(row["sha256"]) if row else ""

    def happened(self, kind: str, task_id: str) -> bool:
        """Tell whether an event of this kind is written down for a task."""
        with self._lock:
            row = self._connection.execute(
                "SELECT 1 FROM events WHERE task_id=? AND kind=?", (task_id, kind)
            ).fetchone()
        return row is not None

    def task(self, any_id: str) -> Job | None:
        """Find a task by its own id or the relay's."""
        return self._find("task_id=? OR (platform_id<>'' AND platform_id=?)", (any_id, any_id))

    def job_of_file(self, file_id: str) -> Job | None:
        """Find the task that made a file."""
        return self._find("file_id=?", (file_id,))

    def _find(self, where: str, values: tuple[str, ...]) -> Job | None:
        with self._lock:
            row = self._connection.execute(
                f"SELECT facts FROM tasks WHERE {where}",  # noqa: S608  # two constants, above
                values,
            ).fetchone()
        return job_from(row["facts"]) if row else None


def _ends(row: sqlite3.Row) -> Ends:
    return Ends(cancelled_at=row["cancelled_at"], deleted_at=row["deleted_at"])


def job_from(facts: str) -> Job:
    """Read a task as the book keeps it; what a newer sandbox added is ignored."""
    raw: dict[str, Any] = json.loads(facts)
    known = Job.__dataclass_fields__
    return Job(**{name: value for name, value in raw.items() if name in known})
