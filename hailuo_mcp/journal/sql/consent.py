"""One-use codes and approvals: a person's consent, and whether it was used."""

from __future__ import annotations

from decimal import Decimal

from hailuo_mcp.journal.facts import CLOCK_SKEW, CONSENT_SECONDS
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.rows import exists


def issue_code(
    db: Connection,
    code: str,
    *,
    caller: str,
    identity: str,
    amount: Decimal | None,
    now: float,
) -> None:
    db.execute(
        "DELETE FROM codes WHERE issued_at < ? OR issued_at > ?",
        (now - CONSENT_SECONDS, now + CLOCK_SKEW),
    )
    db.execute(
        "INSERT INTO codes VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (code) DO UPDATE SET"
        " caller = excluded.caller, identity = excluded.identity, amount = excluded.amount,"
        " issued_at = excluded.issued_at, used_at = NULL",
        (code, caller, identity, str(amount), now),
    )


def use_code(
    db: Connection,
    code: str,
    *,
    caller: str,
    identity: str,
    amount: Decimal | None,
    now: float,
) -> bool:
    used = db.execute(
        "UPDATE codes SET used_at = ? WHERE code = ? AND caller = ? AND identity = ?"
        " AND amount = ? AND used_at IS NULL AND issued_at > ? AND issued_at <= ?",
        (now, code, caller, identity, str(amount), now - CONSENT_SECONDS, now + CLOCK_SKEW),
    )
    return used.rowcount == 1


def use_approval(db: Connection, *, caller: str, identity: str, now: float) -> bool:
    db.execute(
        "DELETE FROM approvals WHERE at < ? OR at > ?", (now - CONSENT_SECONDS, now + CLOCK_SKEW)
    )
    if exists(db, "SELECT 1 FROM approvals WHERE caller = ? AND identity = ?", caller, identity):
        return False
    # Of two transactions at once, one inserts nothing, where the engine has such.
    used = db.execute(
        "INSERT INTO approvals VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (caller, identity, now)
    )
    return used.rowcount == 1
