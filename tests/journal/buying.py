"""Processes that buy at one moment: the arguments are WHAT HOW-MANY ARGUMENT….

They are forked from one that has imported what they need, and wait for each other before they buy.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import queue
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import warm

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import BudgetExceededError
from hailuo_mcp.journal.facts import Limits, Recorded
from hailuo_mcp.settings import Settings
from hailuo_mcp.tenants import Tenants
from hailuo_mcp.views import Terms

from .stores import STORES

SECONDS = 120
Wait = Callable[[], object]


def together(what: str, many: int, *arguments: str) -> list[list[int]]:
    """What each of them found."""
    root = Path(__file__).parents[2]
    code = f"import sys; sys.path[:0] = {str(root), str(root / 'tests')}\n"
    code += "from tests.journal.buying import main; main()"
    done = subprocess.run(
        [*warm.python(), "-c", code, what, str(many), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=2 * SECONDS,
    )
    found: list[list[int]] = json.loads(done.stdout)
    return found


def _settings(url: str, folder: str, **more: str) -> Settings:
    return Settings.from_env(
        {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_BASE_URL": url,
            "HAILUO_RPM": "100000",
            "HAILUO_STATE_DIR": f"{folder}/state",
            "HAILUO_OUTPUT_DIR": f"{folder}/clips",
            "HAILUO_BUDGET": "20",
            "HAILUO_BUDGET_PERIOD": "total",
            **more,
        }
    )


async def calls(wait: Wait, number: int, url: str, folder: str) -> list[int]:
    """25 purchases at once: how many were bought and refused, and what the budget has held."""
    found = {"bought": 0, "refused": 0}
    async with open_studio(_settings(url, folder)) as studio:

        async def buy(take: int) -> None:
            try:
                await studio.generate(VideoRequest(prompt=f"buyer {number} {take}"), Terms())
                found["bought"] += 1
            except BudgetExceededError as no:
                found["refused"] += "HAILUO_BUDGET" in [step.about for step in no.then]

        wait()
        async with anyio.create_task_group() as all_at_once:
            for take in range(25):
                all_at_once.start_soon(buy, take)
        spending = await studio.spending()
    return [*found.values(), int(spending.spent + spending.reserved)]


async def transactions(wait: Wait, number: int, store: str, folder: str) -> list[int]:
    """25 purchases, one by one, at the journal alone: how many were bought, and all there are."""
    journal = STORES[store](Path(folder))
    await journal.open()
    limits = Limits(rpm=None, budget=Decimal(10), since=0.0, lease=90.0)
    wait()
    bought = 0
    for take in range(25):
        task = Task(
            task_id=f"p{number}-{take}",
            account="a",
            provider="p",
            caller="",
            status=Status.PENDING,
            created_at=1.0,
            updated_at=1.0,
            mode=Mode.T2V,
            model="m",
            identity=f"p{number} {take}",
        )
        found = await journal.record(task, Decimal(1), limits, now=1.0)
        bought += isinstance(found, Recorded)
    known = len(await journal.newest(limit=100))
    await journal.close()
    return [bought, known]


async def tenants(wait: Wait, number: int, url: str, folder: str, database: str) -> list[int]:
    """25 purchases of each of two at once: how many each bought, and what bird has left."""
    settings = _settings(
        url, folder, HAILUO_TENANTS=f"{folder}/tenants.toml", HAILUO_DATABASE_URL=database
    )
    tenants = Tenants(settings.tenants, settings, {})
    found = {"acme": 0, "bird": 0}
    async with open_studio(settings, own=tenants.own) as main, tenants.running(main):

        async def buy(name: str, take: int) -> None:
            caller = f"tenant:{name}"
            try:
                await tenants.studio(caller).generate(
                    VideoRequest(prompt=f"{number} {take}"), Terms(), caller=caller
                )
                found[name] += 1
            except BudgetExceededError:
                pass

        wait()
        async with anyio.create_task_group() as all_at_once:
            for take in range(25):
                for name in found:
                    all_at_once.start_soon(buy, name, take)
        left = (await tenants.studio("tenant:bird").spending()).left
    return [*found.values(), int(left)]


def _one(what: str, number: int, arguments: list[str], barrier: Any, found: Any) -> None:
    work: Any = {"calls": calls, "transactions": transactions, "tenants": tenants}[what]
    found.put(asyncio.run(work(lambda: barrier.wait(SECONDS), number, *arguments)))


def main() -> None:
    what, many, *arguments = sys.argv[1:]
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "fork")
    barrier, found = context.Barrier(int(many)), context.Queue()
    buyers = [
        context.Process(target=_one, args=(what, number, arguments, barrier, found), daemon=True)
        for number in range(int(many))
    ]
    for buyer in buyers:
        buyer.start()
    results: list[list[int]] = []
    while len(results) < len(buyers):
        assert not any(buyer.exitcode for buyer in buyers)
        with suppress(queue.Empty):
            results.append(found.get(timeout=1))
    for buyer in buyers:
        buyer.join()
    assert [buyer.exitcode for buyer in buyers] == [0] * len(buyers)
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
