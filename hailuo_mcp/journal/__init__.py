"""The memory: tasks, money, rate limit and leases in one transactional store.

`SqliteJournal` is the only store today. Its public methods are the interface: another store
(several machines, one database server) offers the same methods and passes the same tests.
"""

from hailuo_mcp.journal.leases import Claimed
from hailuo_mcp.journal.purchase import KeyTaken, Limits, OverBudget, Written
from hailuo_mcp.journal.reads import Span, Sums
from hailuo_mcp.journal.sqlite import SqliteJournal

__all__ = [
    "Claimed",
    "KeyTaken",
    "Limits",
    "OverBudget",
    "Span",
    "SqliteJournal",
    "Sums",
    "Written",
]
