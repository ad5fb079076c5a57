"""The journal: tasks, money, rate limit and leases. This module chooses the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hailuo_mcp.journal.store import Store


def make_store(state_dir: Path) -> Store:
    """The store of this installation, not opened yet."""
    from hailuo_mcp.journal.sqlite.store import SqliteStore
    from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME

    return SqliteStore(state_dir / FILE_NAME)


def has_unfinished_work(state_dir: Path) -> bool:
    """Whether a process must send, poll or save something, or repair the store."""
    from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work

    return has_unfinished_work(state_dir)
