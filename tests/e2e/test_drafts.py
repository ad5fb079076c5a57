"""Drafts, then the keeper, over stdio: three takes, one sheet, one upgrade, and the bill."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.sandbox.report import read_book

from .test_stdio import STATE, environ, sandbox, shop

__all__ = ["environ", "sandbox"]
pytestmark = pytest.mark.anyio


def _amount(task: dict[str, Any]) -> Decimal:
    return Decimal(task["cost"]["amount"])


async def test_three_takes_one_sheet_one_upgrade_and_a_bill_to_the_cent(
    environ: dict[str, str], tmp_path: Path
) -> None:
    import av

    async with shop(environ, "auto") as call:
        drafts = [
            await call("generate_video", prompt="a cat", model="h3", duration=4, take=take)
            for take in (1, 2, 3)
        ]
        takes = [
            await call("query_task", task_id=draft["task_id"], wait_seconds=20) for draft in drafts
        ]
        assert {(it["status"], it["resolution"]) for it in takes} == {("succeeded", "768P")}
        ids = [it["task_id"] for it in takes]
        sheet = await call.raw("preview_video", task_id=ids[0], compare_with=ids[1:])
        assert [it.type for it in sheet.content] == ["image", "text"]

        keeper = await call("upgrade_video", task_id=ids[1], wait_seconds=20)
        while not keeper.get("file"):
            keeper = await call("query_task", task_id=keeper["task_id"], wait_seconds=20)
        again = await call("upgrade_video", task_id=takes[1]["remote_id"])
        assert (again["task_id"], again["reused"]) == (keeper["task_id"], True)
        assert (keeper["mode"], keeper["resolution"]) == ("upgrade", "2K")
        assert "cannot be upgraded" in await call.refused(
            "upgrade_video", task_id=keeper["task_id"]
        )
        spending = (await call("list_tasks"))["spending"]

    with av.open(keeper["file"]) as clip:
        video, sound = clip.streams.video[0], clip.streams.audio[0]
        assert (video.width, video.height, sound.codec_context.name) == (2560, 1440, "aac")
    bill = sum(map(_amount, [*takes, keeper]))
    assert bill == 3 * Decimal("2.00") + Decimal("1.20")
    assert (Decimal(spending["spent"]), Decimal(spending["reserved"])) == (bill, 0)
    (account,) = read_book(tmp_path / STATE)["accounts"].values()
    assert account["creates_accepted"] == 4
    assert Decimal(account["charged"]["cny"]) == bill
