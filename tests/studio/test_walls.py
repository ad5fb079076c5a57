"""One key under two plans: two units, two budgets, and that somebody says so."""

from typing import Any

import pytest

from hailuo_mcp.cli.set_up.doctor.journal import check_journal
from hailuo_mcp.cli.set_up.doctor.result import Level
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Unit
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.reader import account_of
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.person import spending_text
from hailuo_mcp.wording.tasks import task_list

pytestmark = pytest.mark.anyio


def _budget_notes(tmp_path: Any, sandbox: Any, account: str, now: float, plan: str) -> list[str]:
    settings = Settings.from_env(
        {**sandbox.variables, "HAILUO_STATE_DIR": str(tmp_path / "state"), "HAILUO_PLAN": plan}
    )
    assert account_of(settings) == account
    return [
        finding.message
        for finding in check_journal(settings, now)
        if finding.check == "budget" and finding.level is Level.NOTE
    ]


async def test_spending_in_two_units_is_said_by_list_tasks_tasks_and_doctor(
    opened: Any, sandbox: Any, tmp_path: Any
) -> None:
    async with opened(budget="10") as studio:
        task = (await studio.generate(VideoRequest(prompt="a cat"), Terms(), wait_seconds=20)).task
        listing = await studio.tasks()
        assert listing.spending.others == ()
        assert "another plan" not in task_list(listing)["message"]
        account = studio.account
    now = task.created_at
    assert _budget_notes(tmp_path, sandbox, account, now, "payg") == []
    async with opened(budget="10", plan="basic") as studio:
        await studio.generate(VideoRequest(prompt="a dog"), Terms(), wait_seconds=20)
        listing = await studio.tasks()
        (wall,) = listing.spending.others
        assert (wall.unit, wall.spent, wall.reserved) == (Unit.CNY, 2, 0)
        for said in (task_list(listing)["message"], spending_text(listing.spending)):
            assert "2 CNY spent under another plan; a budget counts only its own unit" in said
    (note,) = _budget_notes(tmp_path, sandbox, account, now, "basic")
    assert "2 CNY spent or reserved under another plan than basic" in note
    (note,) = _budget_notes(tmp_path, sandbox, account, now, "payg")
    assert "credit" in note
    # The period is over, and with it both walls' sums.
    assert _budget_notes(tmp_path, sandbox, account, now + 40 * 86_400, "payg") == []
