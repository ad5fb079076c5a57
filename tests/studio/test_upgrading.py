"""Upgrading: a chosen draft bought again at 2K, once; what cannot be upgraded is refused free."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from until import until

from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Money, Status, Task
from hailuo_mcp.errors import BudgetExceededError, InvalidRequestError, TaskNotFoundError
from hailuo_mcp.journal.facts import Limits, Recorded
from hailuo_mcp.studio.upgrading import upgrade_request
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio
DRAFT = VideoRequest(prompt="a cat", model="h3", duration=4)
DAY = 86_400.0


async def _draft(studio: Any, prompt: str = "a cat") -> Task:
    request = replace(DRAFT, prompt=prompt)
    return (await studio.generate(request, Terms(), wait_seconds=30)).task


async def test_a_draft_becomes_2k_once_and_both_know_of_each_other(
    opened: Any, sandbox: Any
) -> None:
    async with opened(budget="10") as studio:
        draft = await _draft(studio)
        assert (draft.resolution, draft.amount) == ("768P", Decimal(2))
        with pytest.raises(BudgetExceededError):
            await studio.upgrade(draft.task_id, "2K", Terms(max_cost=Decimal("1.19")))
        keeper = (await studio.upgrade(draft.task_id, "2K", Terms(), wait_seconds=30)).task
        again = await studio.upgrade(draft.remote_id, "2k", Terms())
        assert again.reused
        assert again.task.task_id == keeper.task_id
        assert (keeper.mode, keeper.model, keeper.resolution) == (
            Mode.UPGRADE,
            "MiniMax-H3",
            "2K",
        )
        assert (keeper.duration, keeper.prompt, keeper.amount) == (4, "a cat", Decimal("1.2"))
        assert (keeper.width, keeper.height, keeper.money) == (2560, 1440, Money.SPENT)
        spending = await studio.spending()
        assert (spending.spent, spending.reserved) == (Decimal("3.2"), 0)
        with pytest.raises(InvalidRequestError, match=f"an upgrade of task {draft.task_id}"):
            await studio.upgrade(keeper.task_id, "2K", Terms())

        async def sidecar() -> Any:
            with suppress(OSError):  # a moment after the clip
                return json.loads(Path(keeper.file).with_suffix(".json").read_text("utf-8"))
            return None

        facts = await until(sidecar)
    assert (facts["upgrade_of"], facts["mode"]) == (draft.task_id, "upgrade")
    assert sandbox.accepted == 2


@pytest.mark.parametrize("kept_in", ["folder", "bucket"])
async def test_an_account_that_may_not_name_clips_by_their_id_sends_the_clip(
    opened: Any, sandbox: Any, kept_in: str, request: pytest.FixtureRequest
) -> None:
    files = {"files": request.getfixturevalue("s3").url} if kept_in == "bucket" else {}
    async with opened(**files) as studio:
        draft = await _draft(studio, "a cat [sandbox:not-enabled]")
        view = await studio.upgrade(draft.task_id, "2K", Terms(), wait_seconds=30)
        while not view.settled:  # back in the queue, it is a new attempt
            view = await studio.query(view.task.task_id, wait_seconds=30)
        keeper = view.task
        assert (keeper.status, keeper.attempt) == (Status.SUCCEEDED, 2)
        assert (keeper.width, keeper.height) == (2560, 1440)
        assert (await studio.spending()).spent == draft.amount + keeper.amount
    assert (sandbox.accepted, sandbox.received) == (2, 3)


ENDED = {"status": Status.FAILED, "money": Money.RELEASED}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"status": Status.RUNNING}, ("it is running", "query_task")),
        (ENDED, ("it failed and has no clip",)),
        ({"status": Status.CANCELLED}, ("it was cancelled and has no clip",)),
        ({"status": Status.UNCONFIRMED}, ("may not have been bought", "settle")),
        (
            {"status": Status.FAILED, "money": Money.SPENT, "remote_id": ""},
            ("settled as bought, without the provider's id",),
        ),
        ({"model": "MiniMax-Hailuo-2.3"}, ("made by MiniMax-Hailuo-2.3", "MiniMax-H3 can")),
        ({"resolution": "2K"}, ("it is already 2K",)),
        ({"mode": Mode.UPGRADE, "resolution": "2K"}, ("is itself an upgrade",)),
        ({"account": "minimax-cn https://api.minimaxi.com other"}, ("another account",)),
        ({"submitted_at": -7 * DAY}, ("older than 7 days", "Make the draft again")),
    ],
)
async def test_what_cannot_be_upgraded_is_refused_free_with_the_reason(
    scripted: Any, provider: Any, facts: dict[str, Any], said: tuple[str, ...]
) -> None:
    now = 1_800_000_000.0
    async with scripted(clock=lambda: now, works=False) as studio:
        await _kept(studio, now, **facts)
        with pytest.raises(InvalidRequestError) as caught:
            await studio.upgrade("vdraft", "2K", Terms())
    told = error_text(caught.value)
    for words in (*said, "Nothing was"):
        assert words in told
    assert (provider.creates, caught.value.charged) == ([], "no")


async def test_a_clip_of_six_days_can_still_be_upgraded_and_only_by_its_caller(
    scripted: Any,
) -> None:
    now = 1_800_000_000.0
    async with scripted(clock=lambda: now, works=False) as studio:
        await _kept(studio, now, submitted_at=-6.9 * DAY, caller="ann")
        request = await upgrade_request(studio, "77", "2K", caller="ann")
        assert (request.source_id, request.remote_id) == ("vdraft", "77")
        with pytest.raises(TaskNotFoundError):
            await upgrade_request(studio, "vdraft", "2K", caller="bob")


async def _kept(studio: Any, now: float, **facts: Any) -> None:
    """A finished draft in the journal, with other facts."""
    age = facts.pop("submitted_at", -60.0)
    values = {"status": Status.SUCCEEDED, "remote_id": "77", "submitted_at": now + age, **facts}
    made_of = {name: values.pop(name) for name in ("account", "caller") if name in values}
    task = Task(
        task_id="vdraft",
        account=studio.account,
        provider="minimax-cn",
        caller="",
        status=Status.PENDING,
        created_at=now + age,
        updated_at=now,
        mode=Mode.T2V,
        model="MiniMax-H3",
        duration=6,
        resolution="768P",
        request='{"model": "MiniMax-H3", "prompt": "a cat"}',
        identity="draft",
        amount=Decimal(3),
    )
    limits = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
    found = await studio.store.record(replace(task, **made_of), Decimal(3), limits, now=now)
    assert isinstance(found, Recorded)
    assert await studio.store.change("vdraft", values, now=now)
