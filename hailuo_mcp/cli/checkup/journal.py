"""Whether the journal opens, what is unfinished in it, and who else works on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from hailuo_mcp.cli.checkup.finding import Finding, note, ok, problem
from hailuo_mcp.domain import Status
from hailuo_mcp.journal.peek import NAME
from hailuo_mcp.journal.schema import STEPS
from hailuo_mcp.settings import Settings
from hailuo_mcp.worker import ProcessLocks

_LONG = 3 * 86_400.0
"""Seconds after which an unfinished task is forgotten rather than slow."""


def check_journal(settings: Settings, now: float) -> list[Finding]:
    """Read it without making, changing or repairing it."""
    path = settings.state_dir / NAME
    findings = _aside(settings.state_dir)
    if not path.exists():
        return [*findings, ok("journal", "none yet: it is made with the first task")]
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as db:
            findings += _read(db, path, settings, now)
    except sqlite3.Error as exc:
        findings.append(_trouble(path, exc))
    return findings


def _read(db: sqlite3.Connection, path: Path, settings: Settings, now: float) -> list[Finding]:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        (needs,) = db.execute("SELECT readable_since FROM shape").fetchone()
        if int(needs) > len(STEPS):
            return [
                problem(
                    "journal",
                    f"{path} was written by a newer hailuo-mcp (format {version}) than this one.",
                    "Update this installation, or remove the older one.",
                )
            ]
    if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        return [_trouble(path, sqlite3.DatabaseError("damaged"))]
    if version == 0:
        return [ok("journal", f"{path} is empty")]
    counts = dict(db.execute("SELECT status, COUNT(*) FROM tasks GROUP BY status").fetchall())
    many = sum(counts.values())
    told = f"{path} (format {version}, {many} {'task' if many == 1 else 'tasks'})"
    return [ok("journal", told), *_tasks(db, counts, now), *_others(db, settings)]


def _tasks(db: sqlite3.Connection, counts: Mapping[str, int], now: float) -> list[Finding]:
    findings = list[Finding]()
    going = [Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING]
    unfinished = sum(counts.get(status, 0) for status in going)
    (unsaved,) = db.execute(
        "SELECT COUNT(*) FROM tasks WHERE status = ? AND file = '' AND due_at > 0",
        (Status.SUCCEEDED,),
    ).fetchone()
    if unfinished or unsaved:
        findings.append(
            note(
                "tasks",
                f"{unfinished} unfinished, {unsaved} finished but not saved yet.",
                "Finish and save them: hailuo-mcp tasks --wait.",
            )
        )
    marks = ", ".join("?" * len(going))
    (old,) = db.execute(
        f"SELECT COUNT(*) FROM tasks WHERE status IN ({marks}) AND created_at < ?",  # noqa: S608  # marks only
        (*going, now - _LONG),
    ).fetchone()
    if old:
        findings.append(
            note(
                "tasks",
                f"{old} of them began more than three days ago.",
                "They wait for their own provider and key: run hailuo-mcp tasks --wait with those.",
            )
        )
    if unconfirmed := counts.get(Status.UNCONFIRMED, 0):
        findings.append(
            note(
                "tasks",
                f"{unconfirmed} unconfirmed: sent, but nobody knows whether they were bought. They "
                "count against the budget.",
                "Look at the provider's bill, then: hailuo-mcp tasks --status unconfirmed, and "
                "hailuo-mcp settle TASK_ID bought|not-bought.",
            )
        )
    return findings


def _others(db: sqlite3.Connection, settings: Settings) -> list[Finding]:
    rows = db.execute("SELECT owner, account, pid, started_at FROM owners").fetchall()
    dead = set(ProcessLocks(settings.state_dir / "processes").dead([row[0] for row in rows]))
    alive = [row for row in rows if row[0] not in dead]
    if not alive:
        return [ok("servers", "no other hailuo-mcp is running")]
    told = ", ".join(
        f"pid {pid} ({account.split(' ')[0]}, since {datetime.fromtimestamp(at):%Y-%m-%d %H:%M})"  # noqa: DTZ006  # local, for a person
        for _owner, account, pid, at in alive
    )
    return [ok("servers", f"{len(alive)} running on this journal: {told}")]


def _aside(folder: Path) -> list[Finding]:
    kept = sorted(folder.glob("journal-unreadable-*.sqlite3")) if folder.is_dir() else []
    return [
        note(
            "journal",
            f"{path} is a damaged journal that was put aside; what could be read was kept.",
            "Compare the provider's bill with hailuo-mcp tasks, then delete it.",
        )
        for path in kept
    ]


def _trouble(path: Path, exc: sqlite3.Error) -> Finding:
    text = str(exc).lower()
    if "locked" in text or "busy" in text:
        return problem(
            "journal", f"Another program keeps {path} locked.", "Close it, then run this again."
        )
    if "unable to open" in text or "readonly" in text:
        return problem(
            "journal",
            f"{path} cannot be opened.",
            "Give yourself the right to read and write it, or set HAILUO_STATE_DIR elsewhere.",
        )
    return problem(
        "journal",
        f"{path} is damaged.",
        "The next hailuo-mcp puts it aside and carries over what can be read. Copy it first if "
        "you want to be careful, then run hailuo-mcp tasks.",
    )
