"""Who is alive: by session and lock, with time for a connection that comes back."""

import signal
import subprocess
import sys
from typing import Any

import anyio
import pytest
from until import until

from .conftest import register

pytestmark = pytest.mark.anyio


def _cut_off(store: Any) -> None:
    """As if its process had been killed: the server ends its session, and nobody comes back."""
    store._session._stop.set()
    store._session._thread.join()
    store._session._lose()


async def test_a_killed_process_is_dead_after_the_time_of_grace(url: str, opened: Any) -> None:
    here, there = await opened(url, "here", grace=0.5), await opened(url, "there")
    assert await here.dead(["there", "here"]) == []
    _cut_off(there)
    assert await here.dead(["there"]) == []
    assert await until(lambda: here.dead(["there"])) == ["there"]


async def test_a_process_that_only_hangs_is_alive(url: str, opened: Any, database: Any) -> None:
    here = await opened(url, "here", grace=0.1)
    await opened(url, "there")
    await until(lambda: here._session._lock and here.dead(["nobody"]))
    database.execute("UPDATE owners SET seen_at = 1 WHERE owner = 'there'")
    assert await here.dead(["there"]) == []


async def test_who_leaves_properly_is_dead_at_once(url: str, opened: Any) -> None:
    here, there = await opened(url, "here"), await opened(url, "there")
    await there.close("there")
    assert await here.dead(["there"]) == ["there"]


async def test_after_a_restart_nobody_is_called_dead_before_he_could_come_back(
    url: str, opened: Any, database: Any
) -> None:
    there = await opened(url, "there")
    _cut_off(there)
    database.execute("UPDATE owners SET seen_at = 1")  # the server was away for long
    fresh = await opened(url, "here")
    assert await fresh.dead(["there"]) == []
    assert await fresh.dead(["nobody"]) == ["nobody"]


async def test_a_session_that_ends_is_opened_again_in_the_same_name(
    url: str, opened: Any, database: Any
) -> None:
    here, there = await opened(url, "here"), await opened(url, "there")
    first = there._session._db.backend
    database.execute("SELECT pg_terminate_backend(%s)", (first,))
    database.execute("DELETE FROM owners WHERE owner = 'there'")  # somebody called it dead
    await until(lambda: there._session._locked == {"there"} and there._session._db.backend != first)

    async def known_again() -> bool:
        return "there" in await here.owners()

    await until(known_again)
    assert await here.dead(["there"]) == []


async def test_the_clock_is_the_servers(url: str, opened: Any, database: Any) -> None:
    store = await opened(url)
    (now,) = database.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert abs(store.clock() - now) < 1
    store._session._offset += 3600  # this computer's clock was an hour ahead
    await register(store, "me")
    store._session._measure(store._session._db)
    (now,) = database.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert abs(store.clock() - now) < 1


PROCESS = """
import asyncio, sys
from hailuo_mcp.journal.postgres.store import PostgresStore

async def main():
    store = PostgresStore(sys.argv[1])
    await store.open()
    facts = {"account": "a", "provider": "p", "base_url": "b", "pid": 1}
    await store.register("there", **facts, now=store.clock())
    print("ready", flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


def _begun(url: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"ready"
    return process


async def test_a_process_that_is_killed_is_noticed_and_one_that_is_stopped_is_not(
    url: str, opened: Any
) -> None:
    here = await opened(url, "here", grace=1.0)
    there = await anyio.to_thread.run_sync(_begun, url)
    assert await here.dead(["there"]) == []
    if sys.platform != "win32":
        there.send_signal(signal.SIGSTOP)
        assert await until(lambda: here.dead(["there", "nobody"])) == ["nobody"]
    there.kill()
    there.communicate()
    assert await until(lambda: here.dead(["there"])) == ["there"]


async def test_the_server_notices_a_computer_that_vanished(url: str, opened: Any) -> None:
    """Its keepalive begins after 5 s and gives up after three times 2 s more."""
    store = await opened(url)
    found = [
        await store.read(lambda db, name=name: db.execute(f"SHOW {name}").fetchone()[0])
        for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
    ]
    assert found == ["5", "2", "3"]
