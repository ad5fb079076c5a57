"""A hundred purchases at once, from four processes, against a budget for ten."""

import subprocess
import sys
from pathlib import Path

import pytest

from .stores import STORES

BUY = """
import sys
from pathlib import Path
import anyio
from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import BudgetExceededError
from hailuo_mcp.settings import Settings
from hailuo_mcp.views import Terms

async def main():
    found = {"bought": 0, "refused": 0}
    async with open_studio(Settings.from_env({
        "HAILUO_PROVIDER": "sandbox", "HAILUO_BASE_URL": sys.argv[1], "HAILUO_RPM": "100000",
        "HAILUO_STATE_DIR": sys.argv[2] + "/state", "HAILUO_OUTPUT_DIR": sys.argv[2] + "/clips",
        "HAILUO_BUDGET": "20", "HAILUO_BUDGET_PERIOD": "total",
    })) as studio:
        async def buy(number):
            try:
                await studio.generate(VideoRequest(prompt=f"{sys.argv[3]} {number}"), Terms())
                found["bought"] += 1
            except BudgetExceededError as no:
                assert "HAILUO_BUDGET" in [step.about for step in no.then]
                found["refused"] += 1
        print("ready", flush=True)
        sys.stdin.readline()
        async with anyio.create_task_group() as all_at_once:
            for number in range(25):
                all_at_once.start_soon(buy, number)
        spending = await studio.spending()
    print(found["bought"], found["refused"], spending.spent + spending.reserved)

anyio.run(main)
"""


@pytest.mark.slow
def test_a_hundred_calls_from_four_processes_buy_exactly_what_the_budget_allows(
    tmp_path: Path,
) -> None:
    from hailuo_mcp.sandbox.options import SandboxOptions
    from hailuo_mcp.sandbox.report import read_book
    from hailuo_mcp.sandbox.serve import serve_in_thread

    options = SandboxOptions(state_dir=tmp_path / "sandbox", fast_clips=True, seconds_to_ready=60)
    with serve_in_thread(options) as sandbox:
        buyers = [
            subprocess.Popen(
                [sys.executable, "-c", BUY, sandbox.base_url, str(tmp_path), f"buyer {number}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(4)
        ]
        for buyer in buyers:
            assert buyer.stdout is not None
            assert buyer.stdout.readline() == "ready\n"
        results = []
        for buyer in buyers:
            assert buyer.stdin is not None
            buyer.stdin.write("\n")
            buyer.stdin.flush()
        for buyer in buyers:
            out, _ = buyer.communicate(timeout=60)
            assert buyer.returncode == 0
            results.append([int(word.partition(".")[0]) for word in out.split()])
    assert sum(bought for bought, _, _ in results) == 10
    assert sum(refused for _, refused, _ in results) == 90
    assert max(held for _, _, held in results) == 20
    book = read_book(tmp_path / "sandbox")
    assert book["totals"]["creates_accepted"] == 10
    (account,) = book["accounts"].values()
    assert account["bill"]["cny"] == "20.00"


@pytest.mark.parametrize("store", STORES)
def test_a_hundred_transactions_from_four_connections_pass_no_budget(
    tmp_path: Path, store: str
) -> None:
    """The same at the journal alone, where nothing else slows them down."""
    script = """
import asyncio, sys
from decimal import Decimal
from pathlib import Path
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.journal.facts import Limits, Recorded
sys.path[:0] = [sys.argv[3], sys.argv[3] + "/.."]
from stores import STORES

async def main():
    journal = STORES[sys.argv[4]](Path(sys.argv[1]))
    await journal.open()
    limits = Limits(rpm=None, budget=Decimal(10), since=0.0, lease=90.0)
    print("ready", flush=True)
    sys.stdin.readline()
    bought = 0
    for number in range(25):
        task = Task(task_id=f"{sys.argv[2]}-{number}", account="a", provider="p", caller="",
                    status=Status.PENDING, created_at=1.0, updated_at=1.0, mode=Mode.T2V,
                    model="m", identity=f"{sys.argv[2]} {number}")
        found = await journal.record(task, Decimal(1), limits, now=1.0)
        bought += isinstance(found, Recorded)
    print(bought, len(await journal.newest(limit=100)))
    await journal.close()

asyncio.run(main())
"""
    here = str(Path(__file__).parent)
    buyers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), f"p{number}", here, store],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for buyer in buyers:
        assert buyer.stdout is not None
        assert buyer.stdout.readline() == "ready\n"
    for buyer in buyers:
        assert buyer.stdin is not None
        buyer.stdin.write("\n")
        buyer.stdin.flush()
    said = [buyer.communicate(timeout=60)[0].split() for buyer in buyers]
    assert sum(int(bought) for bought, _ in said) == 10
    assert max(int(known) for _, known in said) == 10
