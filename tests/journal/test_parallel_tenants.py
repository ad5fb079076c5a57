"""Purchases of two tenants at once, from two processes: their walls, and the operator's above."""

import subprocess
import sys
from pathlib import Path

import pytest
from postgres import database_url

BUY = """
import sys
from pathlib import Path
import anyio
from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import BudgetExceededError
from hailuo_mcp.settings import Settings
from hailuo_mcp.tenants import Tenants
from hailuo_mcp.views import Terms

async def main():
    url, folder, number, database = sys.argv[1:]
    settings = Settings.from_env({
        "HAILUO_PROVIDER": "sandbox", "HAILUO_BASE_URL": url, "HAILUO_RPM": "100000",
        "HAILUO_STATE_DIR": folder + "/state", "HAILUO_OUTPUT_DIR": folder + "/clips",
        "HAILUO_BUDGET": "20", "HAILUO_BUDGET_PERIOD": "total",
        "HAILUO_TENANTS": folder + "/tenants.toml", "HAILUO_DATABASE_URL": database,
    })
    tenants = Tenants(settings.tenants, settings, {})
    found = {"acme": 0, "bird": 0}
    async with open_studio(settings, own=tenants.own) as main, tenants.running(main):
        async def buy(name, take):
            studio = tenants.studio(f"tenant:{name}")
            try:
                await studio.generate(
                    VideoRequest(prompt=f"{number} {take}"), Terms(), caller=f"tenant:{name}"
                )
                found[name] += 1
            except BudgetExceededError:
                pass
        print("ready", flush=True)
        sys.stdin.readline()
        async with anyio.create_task_group() as all_at_once:
            for take in range(25):
                for name in found:
                    all_at_once.start_soon(buy, name, take)
        left = (await tenants.studio("tenant:bird").spending()).left
    print(found["acme"], found["bird"], left, flush=True)

anyio.run(main)
"""


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_hundred_calls_of_two_tenants_buy_what_both_walls_allow(
    tmp_path: Path, store: str
) -> None:
    from hailuo_mcp.sandbox.options import SandboxOptions
    from hailuo_mcp.sandbox.report import read_book
    from hailuo_mcp.sandbox.serve import serve_in_thread

    (tmp_path / "tenants.toml").write_text(
        "[tenants.acme]\nbudget = 6\nbudget_period = 'total'\n[tenants.bird]\n"
    )
    database = database_url(tmp_path) if store == "postgres" else ""
    options = SandboxOptions(state_dir=tmp_path / "sandbox", fast_clips=True, seconds_to_ready=60)
    with serve_in_thread(options) as sandbox:
        buyers = [
            subprocess.Popen(
                [sys.executable, "-c", BUY, sandbox.base_url, str(tmp_path), str(number), database],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(2)
        ]
        for buyer in buyers:
            assert buyer.stdout is not None
            assert buyer.stdout.readline() == "ready\n"
        for buyer in buyers:
            assert buyer.stdin is not None
            buyer.stdin.write("\n")
            buyer.stdin.flush()
        results = []
        for buyer in buyers:
            out, _ = buyer.communicate(timeout=120)
            assert buyer.returncode == 0
            results.append([int(float(word)) for word in out.split()])
        book = read_book(tmp_path / "sandbox")
    acmes, birds = (sum(one[at] for one in results) for at in (0, 1))
    # Each clip counts as 2: never more than 3 of acme's, and 10 of both together.
    assert acmes <= 3
    assert acmes + birds == 10
    assert min(left for _, _, left in results) == 0
    assert sum(len(account["tasks"]) for account in book["accounts"].values()) == 10
