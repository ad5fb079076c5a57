"""What was spent and reserved since a moment, from running totals.

A total of one span begins at a multiple of its length. A sum since any moment is the totals of the
days after it, of the quarters of an hour before those, and of single tasks before those.
"""

from __future__ import annotations

from decimal import Decimal

from hailuo_mcp.domain import Money, Unit
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.rows import from_micro, marks
from hailuo_mcp.journal.store import Sums, UnitSpending

QUARTER, DAY, ALL_TIME = 900, 86_400, 100_000_000_000
"""Seconds. Every local midnight begins a quarter of an hour: time zones differ by such."""

_OF_TASKS = (
    "SELECT unit, CASE WHEN money = 'spent' THEN counted ELSE 0 END AS spent,"
    " CASE WHEN money = 'reserved' THEN counted ELSE 0 END AS reserved,"
    " CASE WHEN money = 'reserved' AND status = 'unconfirmed' THEN counted ELSE 0 END AS uncertain"
    " FROM tasks"
)


def sums(
    db: Connection, account: str, unit: Unit, since: float, *, caller: str | None = None
) -> Sums:
    table, own, whose = "account_spending", "account = ?", (account,)
    if caller is not None:
        table, own, whose = "caller_spending", "account = ? AND caller = ?", (account, caller)
    of_span = f"SELECT unit, spent, reserved, uncertain FROM {table} WHERE {own} AND span = ?"
    parts, values = list[str](), list[object]()
    if since <= 0:
        parts.append(of_span)
        values += (*whose, ALL_TIME)
    else:
        quarter = _next(since, QUARTER)
        day = _next(quarter, DAY)
        parts += (f"{of_span} AND start >= ? AND start < ?", f"{of_span} AND start >= ?")
        values += (*whose, QUARTER, quarter, day, *whose, DAY, day)
        if since < quarter:
            # by the index of created_at, or of a caller's statuses
            parts.append(f"{_OF_TASKS} WHERE created_at >= ? AND created_at < ? AND {own}")
            values += (since, float(quarter), *whose)
    rows = db.execute(
        "SELECT unit, SUM(spent), SUM(reserved), SUM(uncertain)"
        f" FROM ({' UNION ALL '.join(parts)}) AS parts WHERE unit IN ({marks(Unit)}) GROUP BY unit",
        (*values, *Unit),
    ).fetchall()
    found = {of: [from_micro(sum_) for sum_ in by_money] for of, *by_money in rows}
    nothing = [Decimal(0)] * 3
    others = [
        UnitSpending(
            unit=other,
            spent=found.get(other, nothing)[0],
            reserved=found.get(other, nothing)[1],
        )
        for other in Unit
        if other is not unit
    ]
    spent, reserved, uncertain = found.get(unit, nothing)
    return Sums(
        spent=spent,
        reserved=reserved,
        uncertain=uncertain,
        others=tuple(other for other in others if other.spent or other.reserved),
    )


def _next(since: float, span: int) -> int:
    """The first start of such a span that is not before."""
    return int(-(-since // span)) * span
