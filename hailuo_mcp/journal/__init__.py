"""The journal: tasks, money, rate limit and leases. This module chooses the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hailuo_mcp.journal.store import Store
    from hailuo_mcp.text import SecretText


class StoreSettings(Protocol):
    """The settings that decide which store it is, and where it is."""

    @property
    def state_dir(self) -> Path: ...

    @property
    def database_url(self) -> SecretText | None: ...


def make_store(settings: StoreSettings) -> Store:
    """The store of this installation, not opened yet.

    Raises:
        ConfigError: the extra that it needs is not installed.
    """
    if settings.database_url:
        require_postgres()
        from hailuo_mcp.journal.postgres.store import PostgresStore

        return PostgresStore(settings.database_url.get_secret_value())
    from hailuo_mcp.journal.sqlite.store import SqliteStore

    return SqliteStore(journal_file(settings))


def has_unfinished_work(settings: StoreSettings) -> bool:
    """Whether a process must send, poll or save something, or repair the store."""
    if settings.database_url:
        require_postgres()
        from hailuo_mcp.journal.postgres.unfinished import has_unfinished_work as is_left

        return is_left(settings.database_url.get_secret_value())
    from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work

    return has_unfinished_work(settings.state_dir)


def journal_file(settings: StoreSettings) -> Path:
    """The store's file, for what reads or copies it without opening the store.

    Raises:
        ConfigError: this store has no file.
    """
    if settings.database_url:
        from hailuo_mcp.errors import ConfigError, Do, Step

        raise ConfigError(
            "The journal is in a PostgreSQL database, which has backups and checks of its own.",
            Step(Do.ARRANGE, "back it up with pg_dump, or with what its host offers"),
        )
    from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME

    return settings.state_dir / FILE_NAME


def require_postgres() -> None:
    """Check that the extra is installed.

    Raises:
        ConfigError: it is not.
    """
    from importlib.util import find_spec

    if find_spec("psycopg") is None or find_spec("psycopg_pool") is None:
        from hailuo_mcp.errors import ConfigError, Do, Step

        raise ConfigError(
            "The journal's database cannot be used: the extra for PostgreSQL is not installed.",
            Step(Do.ARRANGE, 'install it with pip install "hailuo-mcp[postgres]"'),
        )
