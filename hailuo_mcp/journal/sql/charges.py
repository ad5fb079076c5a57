"""The account book: what each task costs."""

from __future__ import annotations

from decimal import Decimal

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import EVERYTHING, Charge, Filter
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sql.rows import amount_of, from_micro
from hailuo_mcp.journal.sql.tasks import wanted

_COLUMNS = (
    "task_id, remote_id, provider, created_at, status, money, counted, amount, quoted, unit, mode,"
    " model, duration, resolution, prompt"
)


def charges(db: Connection, only: Filter = EVERYTHING) -> list[Charge]:
    more, values = wanted(None, only)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM tasks WHERE created_at IS NOT NULL{more}"
        " ORDER BY created_at, task_id",
        values,
    ).fetchall()
    known = dict[int, Decimal]()  # few amounts occur, and each often
    found = list[Charge]()
    for row in rows:
        task_id, remote_id, provider, created_at, status, money, counted, amount, *rest = row
        quoted, unit, mode, model, duration, resolution, prompt = rest
        if counted not in known:
            known[counted] = from_micro(counted)
        found.append(
            Charge(
                task_id=task_id,
                remote_id=remote_id,
                provider=provider,
                created_at=created_at,
                status=Status(status),
                money=Money(money),
                counted=known[counted],
                amount=amount_of(amount),
                quoted=amount_of(quoted),
                unit=Unit(unit),
                mode=Mode(mode),
                model=model,
                duration=duration,
                resolution=resolution,
                prompt=prompt,
            )
        )
    return found
