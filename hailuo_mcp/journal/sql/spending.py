"""What was spent and reserved since a moment, from running totals.

A total of one span begins at a multiple of its length. A sum since any moment is the totals of the
days after it, of the quarters of an hour before those, and of single tasks before those.
"""

from __future__ import annotations

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import Sums, UnitSpending
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.rows import from_micro, marks

QUARTER, DAY, ALL_TIME = 900, 86_400, 100_000_000_000
"""Seconds. Every local midnight begins a quarter of an hour: time zones differ by such."""


def sums(
    db: Connection, account: str, unit: Unit, since: float, *, caller: str | None = None
) -> Sums:
    table, own = "account_spending", "account = ?"
    whose: tuple[str, ...] = (account,)
    if caller is not None:
        table, own, whose = "caller_spending", "account = ? AND caller = ?", (account, caller)
    of_span = f"SELECT unit, spent, reserved, uncertain FROM {table} WHERE {own} AND span = ?"
    totals = of_span
    values: tuple[object, ...] = (*whose, ALL_TIME)
    found = {one: [0, 0, 0] for one in Unit}
    if since > 0:
        quarter = _next(since, QUARTER)
        day = _next(quarter, DAY)
        totals = f"{of_span} AND start >= ? AND start < ? UNION ALL {of_span} AND start >= ?"
        values = (*whose, QUARTER, quarter, day, *whose, DAY, day)
        _add_tasks(db, found, account, caller, since, quarter)
    for of, *by_money in db.execute(
        "SELECT unit, SUM(spent), SUM(reserved), SUM(uncertain)"
        f" FROM ({totals}) AS totals WHERE unit IN ({marks(Unit)}) GROUP BY unit",
        (*values, *Unit),
    ).fetchall():
        found[Unit(of)] = [a + int(b) for a, b in zip(found[Unit(of)], by_money, strict=True)]
    others = [
        UnitSpending(unit=other, spent=from_micro(spent), reserved=from_micro(reserved))
        for other, (spent, reserved, _) in found.items()
        if other is not unit and (spent or reserved)
    ]
    spent, reserved, uncertain = map(from_micro, found[unit])
    return Sums(spent=spent, reserved=reserved, uncertain=uncertain, others=tuple(others))


def _add_tasks(
    db: Connection,
    found: dict[Unit, list[int]],
    account: str,
    caller: str | None,
    since: float,
    until: int,
) -> None:
    """Add what was bought in a part of a quarter of an hour; no budget's period begins in one."""
    if since == until:
        return
    # Chosen here, not in SQL: that would take the index of an account, which is as long as all.
    for of, its_account, its_caller, money, status, counted in db.execute(
        "SELECT unit, account, caller, money, status, counted FROM tasks"
        " WHERE created_at >= ? AND created_at < ?",
        (since, float(until)),
    ).fetchall():
        if its_account != account or caller not in (None, its_caller) or of not in found:
            continue
        sums_ = found[Unit(of)]
        if money == Money.SPENT:
            sums_[0] += counted
        elif money == Money.RESERVED:
            sums_[1] += counted
            sums_[2] += counted if status == Status.UNCONFIRMED else 0


def _next(since: float, span: int) -> int:
    """The first start of such a span that is not before."""
    return int(-(-since // span)) * span
