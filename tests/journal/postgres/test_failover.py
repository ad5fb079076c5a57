"""The server dies and its synchronous standby takes over: no purchase is lost or bought again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import anyio
import psycopg
import pytest
from ports import free_port
from postgres import Server, own_server
from until import until, until_now

from hailuo_mcp.errors import JournalError

from .drafts import buy

pytestmark = pytest.mark.anyio


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server, str]]:
    """A server, its synchronous standby, and the URL that names both."""
    with own_server() as primary, own_server() as standby:
        url = primary.start()
        standby.copy(primary, port := free_port())
        standby.start()
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            db.execute("SELECT pg_reload_conf()")

            def in_step() -> bool:
                rows = db.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
                return rows == [("sync",)]

            until_now(in_step)
        first = urlsplit(url).port
        both = url.replace(f":{first}/", f":{first},127.0.0.1:{port}/")
        yield primary, standby, f"{both}?target_session_attrs=read-write"


@pytest.mark.slow
async def test_what_was_bought_is_known_to_the_standby_and_buying_goes_on(
    pair: tuple[Server, Server, str], opened: Any
) -> None:
    primary, standby, url = pair
    store = await opened(url, "me")
    bought, refused, promoted, over = set[str](), set[str](), False, False

    async def go_on_buying(buyer: int) -> None:
        number = 0
        while not over:
            number += 1
            name = f"{buyer}-{number}"
            try:
                await buy(store, name)
            except JournalError as error:
                if error.charged == "no":
                    refused.add(name)
                await until(lambda: promoted or over, between=0.05)
            else:
                bought.add(name)

    async with anyio.create_task_group() as buyers:
        for buyer in range(3):
            buyers.start_soon(go_on_buying, buyer)
        await until(lambda: len(bought) > 20)
        await anyio.to_thread.run_sync(primary.stop, "immediate")
        await anyio.to_thread.run_sync(standby.promote)
        promoted = True
        before = len(bought)
        await until(lambda: len(bought) > before + 20, seconds=60)
        over = True

    kept = {task.task_id for task in await store.newest(limit=10_000)}
    assert bought <= kept
    assert not refused & kept
    assert sum((await store.counts()).values()) == len(kept)
    await until(lambda: store._session._locked == {"me"})
