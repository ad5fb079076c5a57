"""The memory: tasks, money, rate limit and leases in one transactional store.

`SqliteJournal` is the only store today. Its public methods are the interface: another store
(several machines, one database server) offers the same methods and passes the same tests.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hailuo_mcp.journal.change import IdTaken
    from hailuo_mcp.journal.leases import Claimed
    from hailuo_mcp.journal.losses import Losses
    from hailuo_mcp.journal.purchase import KeyTaken, Limits, OverBudget, Written
    from hailuo_mcp.journal.reads import Span, Sums, Wall
    from hailuo_mcp.journal.sqlite import SqliteJournal

__all__ = [
    "Claimed",
    "IdTaken",
    "KeyTaken",
    "Limits",
    "Losses",
    "OverBudget",
    "Span",
    "SqliteJournal",
    "Sums",
    "Wall",
    "Written",
]

# An idle server only peeks, for which it need not load SQLite.
_HOMES = {
    "Claimed": "leases",
    "IdTaken": "change",
    "KeyTaken": "purchase",
    "Limits": "purchase",
    "Losses": "losses",
    "OverBudget": "purchase",
    "Span": "reads",
    "SqliteJournal": "sqlite",
    "Sums": "reads",
    "Wall": "reads",
    "Written": "purchase",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # the module protocol
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
