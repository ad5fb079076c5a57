"""What processes share: changes, secrets, the schema, and rows that both want."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from until import until

from hailuo_mcp.domain.task import Money, Status
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import Capacity
from hailuo_mcp.journal.postgres import schema
from hailuo_mcp.journal.postgres.connection import PostgresConnection
from hailuo_mcp.journal.postgres.examine import check, examine
from hailuo_mcp.journal.postgres.store import PostgresStore
from hailuo_mcp.journal.postgres.unfinished import has_unfinished_work
from tests.journal.conftest import Shop
from tests.journal.films import make, plan, save

from .drafts import buy

pytestmark = pytest.mark.anyio


async def test_a_process_hears_of_what_others_change_and_not_of_its_own(
    url: str, opened: Any
) -> None:
    here, there = await opened(url, "here"), await opened(url, "there")
    heard = list[str]()
    async with anyio.create_task_group() as jobs:
        jobs.start_soon(here.watch, heard.append, lambda: False)
        await until(lambda: heard == [""])
        await buy(here, "mine")
        await buy(there, "theirs")
        await until(lambda: len(heard) > 1)
        await there.change("mine", {"file": "/clip.mp4"}, now=there.clock())
        await there.renew("there", ["theirs"], until=there.clock() + 30)
        await there.change("theirs", {"status": Status.FAILED}, now=there.clock())
        await until(lambda: len(heard) > 3)
        jobs.cancel_scope.cancel()
    assert heard == ["", "theirs", "mine", "theirs"]


async def test_a_process_hears_of_films_that_others_make_and_join(url: str, opened: Any) -> None:
    here, there = await opened(url), Shop(await opened(url, "there"), "there")
    heard = list[str]()
    told = ({"file": "/film.mp4"}, {"save_error": "no"}, {"redo": (1,)}, {"cancelled": True})
    async with anyio.create_task_group() as jobs:
        jobs.start_soon(here.watch, heard.append, lambda: False)
        await until(lambda: heard == [""])
        film = await plan(there, shots=1)  # nobody waits for a plan
        made = await make(there, film)
        await until(lambda: len(heard) == 3)
        assert set(heard) == {"", "f1", made.tasks[0].task_id}
        await there.claim(sends=0)
        for number, values in enumerate(told, 4):
            await there.journal.change_film("f1", {"tries": number, "due_at": 0.0}, now=there.now)
            await there.journal.change_film("f1", values, now=there.now)
            await until(lambda number=number: len(heard) == number)
        jobs.cancel_scope.cancel()
    assert heard[3:] == ["f1"] * 4


async def test_no_statement_of_a_film_reads_all_rows(
    url: str, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(await opened(url, "me"))
    plans = list[str]()
    execute = PostgresConnection.execute

    def explain(db: PostgresConnection, statement: str, values: Sequence[Any] = ()) -> Any:
        if "films" in statement or "film_id" in statement:
            execute(db, "SET enable_seqscan = off")  # so that one is used only where no index is
            told = execute(db, f"EXPLAIN {statement}", values).fetchall()
            plans.append("\n".join([statement, *(line for (line,) in told)]))
        return execute(db, statement, values)

    monkeypatch.setattr(PostgresConnection, "execute", explain)
    film = await plan(shop, account="a", request_key="k")
    made = await make(shop, film)
    await plan(shop, "f2", account="a", identity="another", request_key="l")
    for caller in (None, "", "c"):
        await shop.journal.newest_films(caller=caller, now=shop.now)
    await shop.journal.find_existing_film(film, now=shop.now)
    await shop.journal.film_tasks("f1")
    await shop.journal.find_film("f1", caller="c")
    room = Capacity(rpm=None, sends=9, steps=9, submit_lease=90, lease=30)
    await shop.journal.claim(["a"], "me", room, now=shop.now)
    await save(shop, made.tasks[0])
    await shop.journal.change_film("f1", {"due_at": 0.0}, now=shop.now, held_by="me")
    await shop.journal.pictures_in_use(now=shop.now)
    await shop.journal.owners()
    await shop.journal.recover(["me"], now=shop.now)
    await shop.journal.unattended_accounts("x", "p", "b", [])
    read = [one for one in plans if re.search("Seq Scan on (tasks|films)", one)]
    assert len(plans) > 20
    assert read == []


async def test_a_database_of_the_first_version_is_brought_up_to_date(
    url: str, opened: Any, database: Any
) -> None:
    database.execute(Path(schema.__file__).with_name("schema_1.sql").read_bytes(), prepare=False)
    database.execute("INSERT INTO shape VALUES (1, 1)")
    assert not has_unfinished_work(url)
    assert check(url) == (0, "")
    assert examine(url).contents.version == 1
    shop = Shop(await opened(url, "me"), "me")
    bought = await buy(shop.journal, "v1")
    made = await make(shop, await plan(shop, account="a"))
    await shop.becomes(made.tasks[0], Status.FAILED)
    assert (await shop.journal.find_film("f1")).due_at == shop.now
    assert (await shop.journal.find("v1")) == bought.task
    assert examine(url).contents.films_due == 1
    assert check(url) == (4, "")
    database.execute("UPDATE films SET shots = replace(shots, '1.10', '1.01')")
    assert check(url) == (4, "a row of the films table is damaged")


async def test_a_secret_is_made_once_for_all(url: str, opened: Any) -> None:
    stores = [await opened(url) for _ in range(4)]
    found = list[bytes]()

    async def ask(store: Any) -> None:
        found.append(await store.secret("links"))

    async with anyio.create_task_group() as all_at_once:
        for store in stores:
            all_at_once.start_soon(ask, store)
    assert len(set(found)) == 1
    assert len(found[0]) == 32
    assert await stores[0].secret("state") != found[0]


async def test_processes_that_start_at_once_make_the_tables_once(url: str) -> None:
    stores = [PostgresStore(url) for _ in range(4)]
    async with anyio.create_task_group() as all_at_once:
        for store in stores:
            all_at_once.start_soon(store.open)
    for store in stores:
        assert await store.newest() == []
        await store.close()


async def test_a_newer_schema_that_fits_is_used_side_by_side(
    url: str, opened: Any, database: Any
) -> None:
    old = await opened(url, "old")
    database.execute("UPDATE shape SET version = version + 1")
    database.execute("ALTER TABLE tasks ADD COLUMN film TEXT NOT NULL DEFAULT ''")
    database.execute("ALTER TABLE owners ADD COLUMN region TEXT NOT NULL DEFAULT ''")
    new = await opened(url, "new")
    assert (await buy(old, "v1", owner="old")).task.task_id == (await new.find("v1")).task_id
    assert set(await new.owners()) == {"old", "new"}


async def test_a_newer_schema_that_does_not_fit_is_refused(
    url: str, opened: Any, database: Any
) -> None:
    await opened(url)
    database.execute(
        "UPDATE shape SET version = %(v)s, readable_since = %(v)s", {"v": schema.VERSION + 1}
    )
    with pytest.raises(JournalError, match="newer"):
        await PostgresStore(url).open()


async def test_a_task_that_is_cancelled_meanwhile_is_not_claimed(
    url: str, opened: Any, database: Any
) -> None:
    store = await opened(url, "me")
    await store.pause("a", 30, now=store.clock())
    task = (await buy(store, "v1")).task
    assert task.status is Status.PENDING
    with database.transaction():
        database.execute("UPDATE tasks SET status = 'cancelled', due_at = 0 WHERE task_id = 'v1'")
        room = Capacity(rpm=None, sends=9, steps=9, submit_lease=90, lease=30)
        claimed = await store.claim(["a"], "me", room, now=store.clock() + 60)
        assert claimed.sends == ()
    assert (await store.find("v1")).status is Status.CANCELLED


async def test_transactions_that_lock_each_other_out_are_repeated(
    url: str, opened: Any, database: Any
) -> None:
    """An operator's transaction takes the locks in another order than ours."""
    store = await opened(url, "me")
    task = (await buy(store, "v1")).task
    settled = list[Any]()

    async def settle() -> None:
        settled.append(
            await store.change(task.task_id, {"status": Status.FAILED}, now=store.clock())
        )

    database.execute("SET deadlock_timeout = '10s'")  # so that it is ours that gives in
    async with anyio.create_task_group() as jobs:
        with database.transaction():
            database.execute("SELECT 1 FROM tasks WHERE task_id = 'v1' FOR UPDATE")
            jobs.start_soon(settle)
            await until(
                lambda: database.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone()
            )
            database.execute("SELECT 1 FROM accounts WHERE account = 'a' FOR UPDATE")
    assert settled[0].money is Money.RELEASED


async def test_an_approval_is_used_once_by_two_at_the_same_moment(url: str, opened: Any) -> None:
    stores = [await opened(url) for _ in range(4)]
    used = list[bool]()

    async def use(store: Any) -> None:
        for number in range(10):
            who = {"caller": "c", "identity": f"{number}"}
            used.append(await store.use_approval(**who, now=store.clock()))

    async with anyio.create_task_group() as all_at_once:
        for store in stores:
            all_at_once.start_soon(use, store)
    assert sum(used) == 10


async def test_no_more_slots_are_taken_than_there_are_by_many_at_once(
    url: str, opened: Any
) -> None:
    """Answers and claims overlap: a request counts while it is sent, and for a minute after."""
    from decimal import Decimal

    from hailuo_mcp.journal.facts import Limits

    from .drafts import draft

    stores = [await opened(url, f"p{number}") for number in range(3)]
    sent = list[str]()
    limits = Limits(rpm=10, budget=None, since=0.0, lease=90.0)

    async def work(store: Any, own: str) -> None:
        for number in range(15):
            found = await store.record(
                draft(f"{own}-{number}", owner=own), Decimal(0), limits, now=store.clock()
            )
            if found.task.status is Status.SUBMITTING:
                sent.append(found.task.task_id)
                values = {"status": Status.QUEUED, "owner": "", "lease_until": 0.0}
                await store.change(found.task.task_id, values, now=store.clock(), attempt=1)

    async with anyio.create_task_group() as all_at_once:
        for number, store in enumerate(stores):
            all_at_once.start_soon(work, store, f"p{number}")
    assert len(sent) == 10
