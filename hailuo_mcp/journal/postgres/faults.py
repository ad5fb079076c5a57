"""What the server's errors mean for who wanted to read or write the journal."""

from __future__ import annotations

import re
from contextlib import suppress

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import PoolTimeout

from hailuo_mcp.errors import ConfigError, Do, JournalError, Step

URL = "HAILUO_DATABASE_URL"
ReadOnly = errors.ReadOnlySqlTransaction
REPEATABLE = (errors.SerializationFailure, errors.DeadlockDetected)
"""The transaction had no effect, and the same one may succeed."""
_BUSY = (errors.LockNotAvailable, errors.QueryCanceled)
_FULL = (errors.DiskFull, errors.OutOfMemory)


def journal_error(exc: Exception, url: str) -> JournalError:
    """The error for a database that does not do what it should, with the next steps."""
    what, *steps = _said(exc)
    return JournalError(
        f"The journal's database {what}, and nothing is bought without it.",
        *steps,
        detail=without_secret(str(exc), url),
    )


def _said(exc: Exception) -> tuple[str, *tuple[Step, ...]]:
    if isinstance(exc, _BUSY):
        return "is busy", Step(Do.REPEAT, "10")
    if isinstance(exc, _FULL):
        return "has no space left", Step(Do.ARRANGE, "free some space on its server")
    if isinstance(exc, ReadOnly):
        return "cannot be written at present", Step(Do.REPEAT, "10"), Step(Do.CHECK, URL)
    if isinstance(exc, psycopg.OperationalError | PoolTimeout):
        return "cannot be reached", Step(Do.REPEAT, "10"), Step(Do.CHECK, URL)
    if isinstance(exc, psycopg.ProgrammingError) and exc.sqlstate is None:
        return "has an address that cannot be read", Step(Do.CHECK, URL)
    return "could not be used", Step(Do.DOCTOR)


def unknown_outcome(exc: Exception, url: str) -> JournalError:
    """The connection ended during COMMIT, and the server cannot be asked what became of it."""
    return JournalError(
        "The connection to the journal's database ended while a change was being recorded, so it "
        "is not known whether it was. The same request again is the same task: it is not bought "
        "twice.",
        Step(Do.REPEAT, "10"),
        detail=without_secret(str(exc), url),
        charged="maybe",
    )


def too_old(version: int, oldest: int) -> ConfigError:
    return ConfigError(
        f"The journal's database is PostgreSQL {version}, and it must be {oldest} or newer.",
        Step(Do.SET, URL),
    )


def wrong_encoding(encoding: str) -> ConfigError:
    return ConfigError(
        f"The journal's database stores text as {encoding}, and it must be UTF8.",
        Step(Do.ARRANGE, "create a database with the encoding UTF8"),
        Step(Do.SET, URL),
    )


def pooled() -> ConfigError:
    return ConfigError(
        "The journal's database is reached through a pooler in transaction mode, which gives each "
        "transaction another session. The journal needs sessions: their locks say which processes "
        "are alive.",
        Step(Do.ARRANGE, "let the pooler use session mode, or name the server's own address"),
        Step(Do.SET, URL),
    )


def without_secret(text: str, url: str) -> str:
    """An error's text without the password, which libpq quotes from a URL it cannot read."""
    secrets = {match for match in re.findall(r"://[^/@\s]*?:([^@\s]+)@", url) if match}
    with suppress(psycopg.ProgrammingError):
        secrets.add(str(conninfo_to_dict(url).get("password") or ""))
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
