"""Times the journal's own questions from the event loop, as a tool call meets them."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from fill_journal import ACCOUNT, fill, tasks

from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.journal.facts import Limits
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.studio.request_record import new_task_id

TIMES = 400


async def main(folder: Path, count: int) -> dict[str, float]:
    journal = SqliteStore(fill(folder, count))
    await journal.open()
    known = await journal.newest(limit=count)
    ids = random.Random(2).choices([task.task_id for task in known], k=TIMES)
    since = time.time() - count * 60
    limits = Limits(rpm=100_000, budget=Decimal(10**9), since=since, lease=90)
    draft = tasks(1, time.time())[0]

    async def check(number: int) -> None:
        # The whole transaction of a purchase but its end: the part that grows with the journal.
        new = replace(draft, task_id=new_task_id(time.time()), identity=f"new {number}")
        await journal.find_existing(new, now=time.time())
        await journal.sums(ACCOUNT, Unit.CNY, limits.since)

    async def listed(_: int) -> None:
        await journal.newest(limit=20)
        await journal.sums(ACCOUNT, Unit.CNY, since)

    async def found(number: int) -> None:
        await journal.find(ids[number])

    timed = {
        "list": await p99(listed),
        "query": await p99(found),
        "budget": await p99(check),
    }
    bought = replace(
        draft,
        task_id=new_task_id(time.time()),
        status=Status.PENDING,
        money=Money.RESERVED,
        identity="bought",
        remote_id="",
        file="",
    )
    assert await journal.record(bought, Decimal(2), limits, now=time.time())
    await journal.close()
    return timed


async def p99(ask: Callable[[int], Awaitable[None]]) -> float:
    spent = []
    for number in range(TIMES):
        begun = time.perf_counter()
        await ask(number)
        spent.append((time.perf_counter() - begun) * 1000)
    return sorted(spent)[int(0.99 * TIMES)]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))))
