"""What an operation needs of its engine: statements with `?` marks, and the few differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from hailuo_mcp.journal.facts import Losses


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...

    @property
    def description(self) -> Any: ...  # noqa: ANN401  # a row for each column, its name first

    def fetchone(self) -> Any: ...  # noqa: ANN401  # a row, whose columns the statement names

    def fetchall(self) -> list[Any]: ...


class Statements(Protocol):
    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor: ...


class Connection(Statements, Protocol):
    """An open transaction; values stand for the `?` of a statement."""

    @property
    def for_update(self) -> str:
        """Ends a SELECT of rows to be changed: nobody else changes them until the end."""
        ...

    @property
    def skip_locked(self) -> str:
        """The same, but it leaves out rows that another transaction has locked."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> Cursor: ...

    def lock_account(self, account: str) -> None:
        """Until the end of the transaction, nobody else buys or takes slots for this account."""
        ...

    def losses(self) -> Losses | None:
        """What damage may have lost and nobody has accepted."""
        ...
