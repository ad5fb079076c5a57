"""The answer to a paid request outlives an outage, and what the others made of it meanwhile."""

from types import SimpleNamespace
from typing import Any

import pytest
from relay import Relay

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.journal.postgres import database
from hailuo_mcp.worker.submitting import _record

from .drafts import buy

pytestmark = pytest.mark.anyio
ANSWER = {"status": Status.QUEUED, "remote_id": "77", "submitted_at": 1.0, "due_at": 0.0}


@pytest.mark.parametrize("lapsed", [False, True], ids=["soon back", "lease lapsed"])
async def test_it_is_recorded_when_the_database_is_back(
    url: str,
    far_url: str,
    relay: Relay,
    opened: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    lapsed: bool,
) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.3)
    store, elsewhere = await opened(far_url, "me"), await opened(url, "other")
    task = (await buy(store, "v1")).task
    relay.manner = "refuse"
    relay.cut()
    paused = list[float]()

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:
            if lapsed:
                assert await elsewhere.recover([], now=store.clock() + 91) == ("v1",)
                assert (await elsewhere.find("v1")).status is Status.UNCONFIRMED
            relay.manner = "open"

    context: Any = SimpleNamespace(
        store=store, account="a", clock=store.clock, report=lambda *_, **__: None
    )
    await _record(context, task, ANSWER, pause)
    assert len(paused) >= 3
    found = await elsewhere.find("v1")
    assert (found.status, found.remote_id, found.money) == (Status.QUEUED, "77", Money.RESERVED)
