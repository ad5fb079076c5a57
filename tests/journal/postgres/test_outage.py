"""The server restarts, sessions are killed, the cable is cut: nothing is lost or said wrongly."""

import logging
import time
from typing import Any

import anyio
import pytest
from postgres import Server
from relay import Relay
from until import until

from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import Recorded
from hailuo_mcp.journal.postgres import connection

from .drafts import buy

pytestmark = pytest.mark.anyio
REFUSES_WITHIN = 45.0
"""Seconds: 20 are promised to a caller whose database is away, and a busy machine takes longer."""


async def _bought(store: Any, name: str) -> bool:
    try:
        return isinstance(await buy(store, name), Recorded)
    except JournalError:
        return False


@pytest.mark.slow
async def test_while_the_server_is_away_purchases_are_refused_and_go_on_by_themselves_later(
    server: Server, opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = await opened(server.url, "me")
    assert isinstance(await buy(store, "before"), Recorded)
    heard = list[str]()
    async with anyio.create_task_group() as jobs:
        jobs.start_soon(store.watch, heard.append, lambda: True)
        await until(lambda: heard == [""])
        await anyio.to_thread.run_sync(server.stop)
        try:
            began = time.monotonic()
            refused = list[JournalError]()

            async def refuse(number: int) -> None:
                with pytest.raises(JournalError) as error:
                    await buy(store, f"away {number}")
                refused.append(error.value)

            async with anyio.create_task_group() as all_at_once:
                for number in range(40):
                    all_at_once.start_soon(refuse, number)
            assert time.monotonic() - began < REFUSES_WITHIN
            assert {error.charged for error in refused} == {"no"}
            password = server.url.split(":")[2].split("@")[0]
            for error in refused:
                assert password not in f"{error!r} {error.what} {error.detail} {error.then}"
            with pytest.raises(JournalError):
                await store.ping()
        finally:
            await anyio.to_thread.run_sync(server.start)
        await until(lambda: _bought(store, "after"), seconds=60)
        await until(lambda: heard.count("") == 2)
        jobs.cancel_scope.cancel()
    assert {task.task_id for task in await store.newest()} == {"before", "after"}
    assert password not in caplog.text
    await until(lambda: store._session._locked == {"me"})


async def test_a_killed_session_is_replaced_without_an_error(
    url: str, database: Any, opened: Any
) -> None:
    store = await opened(url, "me")
    for name in ("one", "two", "three"):
        assert isinstance(await buy(store, name), Recorded)
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'hailuo-mcp' AND pid != pg_backend_pid()"
            " AND pid = ANY(%s)",
            ([*store._backends],),
        )
    assert len(await store.newest()) == 3


@pytest.mark.parametrize("manner", ["lose the request", "lose the answer"])
async def test_a_purchase_whose_commit_was_cut_is_recorded_once(
    far_url: str, relay: Relay, opened: Any, manner: str
) -> None:
    store = await opened(far_url, "me")
    relay.manner = manner
    found = await buy(store, "v1")
    assert relay.lost == 1
    assert isinstance(found, Recorded)
    assert not found.reused
    (task,) = await store.newest()
    assert (task.task_id, task.status) == ("v1", Status.SUBMITTING)
    assert await store.counts() == {Status.SUBMITTING: 1}


async def test_a_change_whose_answer_was_lost_returns_what_it_wrote(
    far_url: str, relay: Relay, opened: Any
) -> None:
    store = await opened(far_url, "me")
    task = (await buy(store, "v1")).task
    relay.manner = "lose the answer"
    changed = await store.change(
        "v1", {"status": Status.QUEUED, "remote_id": "r"}, now=store.clock(), attempt=task.attempt
    )
    assert relay.lost == 1
    assert (changed.status, changed.remote_id) == (Status.QUEUED, "r")
    assert (await store.find("v1")).remote_id == "r"


async def test_an_outcome_that_nobody_can_tell_is_called_unknown_and_repeating_it_is_safe(
    far_url: str, relay: Relay, opened: Any
) -> None:
    store = await opened(far_url, "me")
    relay.manner, relay.then = "lose the answer", "refuse"
    with pytest.raises(JournalError, match="not known") as error:
        await buy(store, "v1")
    assert (error.value.charged, error.value.retry) == ("maybe", True)
    relay.manner = "open"
    await until(lambda: _bought(store, "v1"))
    assert await store.counts() == {Status.SUBMITTING: 1}


async def test_a_server_that_swallows_everything_is_given_up_in_time(
    far_url: str, relay: Relay, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_SECONDS", 0.2)
    store = await opened(far_url, "me")
    relay.manner = "swallow"
    began = time.monotonic()
    with pytest.raises(JournalError):
        await buy(store, "v1")
    assert time.monotonic() - began < REFUSES_WITHIN
    relay.manner = "open"
    relay.cut()
    await until(lambda: _bought(store, "v1"))


async def test_a_caller_that_is_cancelled_does_not_interrupt_its_transaction(
    url: str, database: Any, opened: Any
) -> None:
    store = await opened(url, "me")
    await buy(store, "first")
    with database.transaction():
        database.execute("SELECT 1 FROM accounts WHERE account = 'a' FOR UPDATE")
        async with anyio.create_task_group() as jobs:
            jobs.start_soon(buy, store, "v1")
            await until(
                lambda: database.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone()
            )
            jobs.cancel_scope.cancel()
            database.execute("COMMIT")
    assert (await store.find("v1")).status is Status.SUBMITTING


def test_the_pool_does_not_fill_the_log() -> None:
    assert not logging.getLogger("psycopg.pool").isEnabledFor(logging.WARNING)
