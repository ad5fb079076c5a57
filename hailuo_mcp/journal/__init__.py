"""The journal: tasks, money, rate limit and leases. This module chooses the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hailuo_mcp.journal.store import Store


class StoreSettings(Protocol):
    """The settings that decide which store it is, and where it is."""

    @property
    def state_dir(self) -> Path: ...


def make_store(settings: StoreSettings) -> Store:
    """The store of this installation, not opened yet."""
    from hailuo_mcp.journal.sqlite.store import SqliteStore

    return SqliteStore(journal_file(settings))


def has_unfinished_work(settings: StoreSettings) -> bool:
    """Whether a process must send, poll or save something, or repair the store."""
    from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work

    return has_unfinished_work(settings.state_dir)


def journal_file(settings: StoreSettings) -> Path:
    """The store's file, for what reads or copies it without opening the store.

    Raises:
        ConfigError: this store has no file.
    """
    from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME

    return settings.state_dir / FILE_NAME
