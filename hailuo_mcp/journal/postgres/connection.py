"""A connection to the journal's database, as the shared operations use it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from functools import lru_cache
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

import psycopg
from psycopg.types.string import TextLoader

if TYPE_CHECKING:
    from psycopg.abc import Buffer, PQGen

RV = TypeVar("RV")

_ESCAPE = "\ue000"
"""PostgreSQL has no text with NUL, which a prompt or a provider's answer may contain."""
_NUL, _MARK = f"{_ESCAPE}0", f"{_ESCAPE}1"

CONNECT_SECONDS = 3
ANSWER_SECONDS = 8.0
"""How long a statement may take. A host that vanished gives no error: this ends the wait for it."""
LOCK_SECONDS = 5.0
"""How long a statement waits for another transaction's lock."""

_PARAMETERS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": int(ANSWER_SECONDS * 1000),
    "client_encoding": "UTF8",
    "fallback_application_name": "hailuo-mcp",
}
_SESSION = {
    "statement_timeout": f"{int(ANSWER_SECONDS * 1000)}ms",
    "lock_timeout": f"{int(LOCK_SECONDS * 1000)}ms",
    # A process that hangs within a transaction must not keep the account from the others.
    "idle_in_transaction_session_timeout": f"{int(ANSWER_SECONDS * 1000)}ms",
    "default_transaction_isolation": "read committed",
    # The index that serves a statement is the same for all values, and planning takes longer than
    # most statements.
    "plan_cache_mode": "force_generic_plan",
    # The server's side: a client's host that vanished frees its locks after 11 s.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": f"{int(ANSWER_SECONDS * 1000)}ms",
}
# Not as the parameter `options` of the connection, which PgBouncer refuses.
_SET_UP = (
    "SELECT pg_backend_pid(), current_schema(), "
    + ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items())
    # What is bought must survive a crash of the database.
    + ", CASE WHEN current_setting('synchronous_commit') = 'off'"
    " THEN set_config('synchronous_commit', 'on', false) END"
)


class ServerConnection(psycopg.Connection[Any]):
    """A session in autocommit mode, whose statements end in time even if the server vanishes."""

    backend = 0
    """The server's process; through a pooler it differs from what the connection was told."""
    schema = ""
    answers_within: float | None = None
    """Seconds, if not the usual ones; for what reads or writes everything, infinity."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        return super().wait(self._in_time(gen), interval)

    def _in_time(self, gen: PQGen[RV]) -> Generator[Any, Any, RV]:
        usual = ANSWER_SECONDS + 1  # the server's own limit comes first
        deadline = monotonic() + (usual if self.answers_within is None else self.answers_within)
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() >= deadline:
                    self.close()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = gen.send(ready)
        except StopIteration as end:
            return cast("RV", end.value)


def connect(url: str) -> ServerConnection:
    """Open a session.

    Raises:
        psycopg.Error: there is no server, or it refuses us.
    """
    db = ServerConnection.connect(url, autocommit=True, **connection_parameters())
    try:
        set_up(db)
    except BaseException:
        db.close()
        raise
    return db


def connection_parameters() -> dict[str, Any]:
    return dict(_PARAMETERS)


def set_up(db: ServerConnection) -> None:
    row = db.execute(_SET_UP.encode(), prepare=False).fetchone()
    db.adapters.register_loader("text", _Text)
    if row:
        db.backend, db.schema = int(row[0]), str(row[1])


class _Text(TextLoader):
    def load(self, data: Buffer) -> str:
        text = str(super().load(data))
        return text.replace(_NUL, "\0").replace(_MARK, _ESCAPE) if _ESCAPE in text else text


class PostgresConnection:
    """See journal.sql.connection.Connection. Other writers work at the same time."""

    for_update = " FOR UPDATE"
    skip_locked = " FOR UPDATE SKIP LOCKED"

    def __init__(self, db: ServerConnection) -> None:
        self._db = db

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[Any]:
        return self._db.execute(_translated(statement), _storable(values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> psycopg.Cursor[Any]:
        cursor = self._db.cursor()
        cursor.executemany(_translated(statement), [_storable(row) for row in rows])
        return cursor

    def be_patient(self) -> None:
        """Let the statements of this transaction take as long as they need."""
        self._db.answers_within = inf
        self.execute("SET LOCAL statement_timeout = 0")

    def lock_account(self, account: str) -> None:
        lock = "SELECT 1 FROM accounts WHERE account = ? FOR UPDATE"
        if self.execute(lock, (account,)).fetchone() is None:
            self.execute(
                "INSERT INTO accounts (account, provider, base_url) VALUES (?, '', '')"
                " ON CONFLICT DO NOTHING",
                (account,),
            )
            self.execute(lock, (account,))

    def losses(self) -> None:
        """The server has its own checksums and backups."""


@lru_cache(maxsize=512)
def _translated(statement: str) -> bytes:
    return statement.replace("%", "%%").replace("?", "%s").encode()


def _storable(values: Sequence[Any]) -> list[Any]:
    return [
        value.replace(_ESCAPE, _MARK).replace("\0", _NUL)
        if isinstance(value, str) and ("\0" in value or _ESCAPE in value)
        else value
        for value in values
    ]
