"""The journal's tables, as a list of steps that is only ever added to."""

from __future__ import annotations

import sqlite3

from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.sqlite.rows import SEALED, seal_of


def _held(row: str) -> str:
    """What a task counts as in its account's sums: nothing once its money is released."""
    return f"({row}.counted * ({row}.money IN ('spent', 'reserved')))"


STEPS: tuple[tuple[str, ...], ...] = (
    (
        # 1: tasks are the ledger, the queue and the history at once
        """CREATE TABLE tasks (
            task_id TEXT PRIMARY KEY,
            account TEXT NOT NULL,
            provider TEXT NOT NULL,
            caller TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            mode TEXT NOT NULL,
            model TEXT NOT NULL,
            duration INTEGER,
            resolution TEXT,
            prompt TEXT NOT NULL,
            request TEXT NOT NULL,
            identity TEXT NOT NULL,
            take INTEGER NOT NULL,
            request_key TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            remote_id TEXT NOT NULL,
            remote_alias TEXT NOT NULL,
            remote_status TEXT NOT NULL,
            file_id TEXT NOT NULL,
            url TEXT NOT NULL,
            url_expires_at REAL,
            error_code TEXT NOT NULL,
            error TEXT NOT NULL,
            error_kind TEXT NOT NULL,
            detail TEXT NOT NULL DEFAULT '',
            trace_id TEXT NOT NULL,
            amount TEXT,
            counted INTEGER NOT NULL,
            unit TEXT NOT NULL,
            money TEXT NOT NULL,
            owner TEXT NOT NULL,
            lease_until REAL NOT NULL,
            due_at REAL NOT NULL,
            polls INTEGER NOT NULL,
            tries INTEGER NOT NULL,
            refused_at REAL,
            submitted_at REAL,
            polled_at REAL,
            unfinished_at REAL,
            finished_at REAL,
            file TEXT NOT NULL,
            bytes INTEGER,
            sha256 TEXT NOT NULL,
            width INTEGER,
            height INTEGER,
            seconds REAL,
            save_error TEXT NOT NULL,
            warnings TEXT NOT NULL,
            callback_token TEXT NOT NULL
        )""",
        "CREATE INDEX tasks_identity ON tasks (account, identity, created_at)",
        """CREATE INDEX tasks_request_key ON tasks (account, caller, request_key, created_at)
            WHERE request_key != ''""",
        "CREATE INDEX tasks_money ON tasks (account, unit, money, created_at, status, counted)",
        # due_at 0 means that nothing is left to do: those rows are not in the index
        "CREATE INDEX tasks_due ON tasks (account, due_at) WHERE due_at > 0",
        "CREATE INDEX tasks_leased ON tasks (owner) WHERE owner != ''",
        "CREATE INDEX tasks_created ON tasks (created_at)",
        "CREATE INDEX tasks_status ON tasks (status, created_at)",
        "CREATE INDEX tasks_remote ON tasks (remote_id) WHERE remote_id != ''",
        "CREATE INDEX tasks_alias ON tasks (remote_alias) WHERE remote_alias != ''",
        "CREATE INDEX tasks_callback ON tasks (callback_token) WHERE callback_token != ''",
        """CREATE INDEX tasks_history ON tasks (provider, model, resolution, duration, finished_at)
            WHERE finished_at IS NOT NULL""",
        "CREATE TABLE slots (account TEXT NOT NULL, at REAL NOT NULL)",
        "CREATE INDEX slots_at ON slots (account, at)",
        """CREATE TABLE accounts (
            account TEXT PRIMARY KEY,
            provider TEXT NOT NULL,
            base_url TEXT NOT NULL,
            paused_until REAL NOT NULL DEFAULT 0,
            refusals INTEGER NOT NULL DEFAULT 0
        )""",
        """CREATE TABLE owners (
            owner TEXT PRIMARY KEY,
            account TEXT NOT NULL,
            pid INTEGER NOT NULL,
            started_at REAL NOT NULL
        )""",
        """CREATE TABLE codes (
            code TEXT PRIMARY KEY,
            caller TEXT NOT NULL,
            identity TEXT NOT NULL,
            amount TEXT NOT NULL,
            issued_at REAL NOT NULL,
            used_at REAL
        )""",
        """CREATE TABLE approvals (
            caller TEXT NOT NULL,
            identity TEXT NOT NULL,
            at REAL NOT NULL
        )""",
    ),
    (
        # 2: a journal that lost something can be told from one that never had it
        "ALTER TABLE tasks ADD COLUMN seal TEXT NOT NULL DEFAULT ''",
        f"UPDATE tasks SET seal = seal_of({', '.join(SEALED)})",
        # Kept by triggers, so that an older program that still has the file open keeps it as well.
        """CREATE TABLE totals (
            account TEXT NOT NULL,
            unit TEXT NOT NULL,
            tasks INTEGER NOT NULL,
            counted INTEGER NOT NULL,
            steps INTEGER NOT NULL
        )""",
        "CREATE UNIQUE INDEX totals_of ON totals (account, unit)",
        f"""INSERT INTO totals SELECT account, unit, COUNT(*), SUM({_held("tasks")}), COUNT(*)
            FROM tasks GROUP BY account, unit""",
        f"""CREATE TRIGGER tasks_added AFTER INSERT ON tasks BEGIN
            INSERT INTO totals SELECT NEW.account, NEW.unit, 0, 0, 0 WHERE NOT EXISTS
                (SELECT 1 FROM totals WHERE account = NEW.account AND unit = NEW.unit);
            UPDATE totals
                SET tasks = tasks + 1, counted = counted + {_held("NEW")}, steps = steps + 1
                WHERE account = NEW.account AND unit = NEW.unit;
        END""",
        f"""CREATE TRIGGER tasks_moved AFTER UPDATE OF status, money, counted ON tasks
            WHEN NEW.status IS NOT OLD.status OR {_held("NEW")} IS NOT {_held("OLD")} BEGIN
            UPDATE totals SET counted = counted + {_held("NEW")} - {_held("OLD")}, steps = steps + 1
                WHERE account = NEW.account AND unit = NEW.unit;
        END""",
        f"""CREATE TRIGGER tasks_removed AFTER DELETE ON tasks BEGIN
            UPDATE totals
                SET tasks = tasks - 1, counted = counted - {_held("OLD")}, steps = steps + 1
                WHERE account = OLD.account AND unit = OLD.unit;
        END""",
        # An older program knows of no seal: what it gave an id to has none from then on.
        """CREATE TRIGGER tasks_unsealed AFTER UPDATE OF remote_id ON tasks
            WHEN NEW.remote_id IS NOT OLD.remote_id AND OLD.seal != '' BEGIN
            UPDATE tasks SET seal = '' WHERE task_id = NEW.task_id;
        END""",
        """CREATE TABLE rescues (
            at REAL NOT NULL,
            kept TEXT NOT NULL,
            flaw TEXT NOT NULL,
            expected INTEGER,
            carried INTEGER NOT NULL,
            missing TEXT NOT NULL,
            complete INTEGER NOT NULL,
            accepted_at REAL
        )""",
        # What a person has settled can be settled again.
        "ALTER TABLE tasks ADD COLUMN settled_at REAL",
    ),
)

READABLE_SINCE = 1
"""The oldest program version of the schema that can still work on what STEPS makes now."""
KEEPS_TOTALS = KNOWS_RESCUES = 2
"""The one that a journal asks for whose losses nobody has accepted: older ones would buy on it."""


def _seal_of(*row: object) -> str:
    try:
        return seal_of(row)
    except (TypeError, ValueError):  # a damaged row, which a check of all rows finds
        return ""


def version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file up to date, or accept a newer one that says it suits us.

    The lock is taken before the version is read: of several processes that start at once,
    one migrates and the others find it done.
    """
    db.create_function("seal_of", len(SEALED), _seal_of)
    db.execute("BEGIN IMMEDIATE")
    try:
        found = version(db)
        if found > len(STEPS):
            (needs,) = db.execute("SELECT readable_since FROM shape").fetchone()
            if int(needs) > len(STEPS):
                raise JournalError(
                    "The journal was written by a newer hailuo-mcp than this one can follow. "
                    "Nothing was sent or charged. Update this installation, or stop the older one."
                )
        elif found < len(STEPS):
            for step in STEPS[found:]:
                for statement in step:
                    db.execute(statement)
            db.execute("CREATE TABLE IF NOT EXISTS shape (readable_since INTEGER NOT NULL)")
            db.execute("DELETE FROM shape")
            db.execute("INSERT INTO shape VALUES (?)", (READABLE_SINCE,))
            db.execute(f"PRAGMA user_version = {len(STEPS)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
