"""A database of the test's own, a server that may be restarted, and a cable that may be cut."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from postgres import Server, database_url, own_server
from relay import Relay

from hailuo_mcp.journal.postgres.store import PostgresStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database_url(tmp_path)


@pytest.fixture
def database(url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """For what only an operator does."""
    with psycopg.connect(url, autocommit=True) as db:
        yield db


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with own_server() as own:
        own.start()
        yield own


@pytest.fixture
def relay(url: str) -> Iterator[Relay]:
    parts = urlsplit(url)
    with Relay((parts.hostname or "", parts.port or 5432)).running() as running:
        yield running


@pytest.fixture
def far_url(url: str, relay: Relay) -> str:
    """The same database, through the cable."""
    parts = urlsplit(url)
    return url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{relay.port}")


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., object]]:
    """Opens stores, which are closed in the end."""
    stores = list[PostgresStore]()

    async def begin(url: str, owner: str = "", *, grace: float = 15.0) -> PostgresStore:
        store = PostgresStore(url, grace=grace)
        stores.append(store)
        await store.open()
        if owner:
            await register(store, owner)
        return store

    yield begin
    for store in stores:
        await store.close()


async def register(store: PostgresStore, owner: str) -> None:
    facts = {"account": "a", "provider": "p", "base_url": "b", "pid": 1}
    await store.register(owner, **facts, now=store.clock())
