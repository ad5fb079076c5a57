"""An account book goes from a file to a database and back, or nothing of it does."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import InvalidRequestError, JournalError
from hailuo_mcp.journal import copy as copying
from hailuo_mcp.journal.copy import Sum, book, copy
from hailuo_mcp.journal.postgres.examine import check
from hailuo_mcp.journal.sqlite.store import SqliteStore
from tests.journal.conftest import Shop
from tests.journal.films import make, plan

from .conftest import register
from .drafts import buy

COUNTS = ("account_counts", "caller_counts")
pytestmark = pytest.mark.anyio


async def _fill(store: Any) -> bytes:
    await register(store, "me")
    for number in range(7):
        await buy(store, f"v{number}", caller=f"c{number % 2}", prompt="一只猫 \x00 \ue000 '?%s")
    counted = {"amount": Decimal("2.5"), "quoted": Decimal(2)}
    done = {"status": Status.SUCCEEDED, "file": "/c.mp4", **counted}
    await store.change("v0", done, now=store.clock())
    await store.change("v1", {"status": Status.FAILED}, now=store.clock())
    lost = {"status": Status.UNCONFIRMED, "candidates": ("7", "8"), "due_at": 9.0}
    await store.change("v2", lost, now=store.clock())
    for number in range(3, 7):
        await store.change(
            f"v{number}", {"status": Status.QUEUED, "remote_id": f"r{number}"}, now=store.clock()
        )
    await store.pause("a", 30, now=store.clock())
    await store.issue_code("d", caller="c", identity="i", amount=Decimal("1.5"), now=store.clock())
    await _make_film(store)
    return bytes(await store.secret("links"))


async def _make_film(store: Any) -> None:
    """Two shots of which nothing was sent, and a plan."""
    at = Shop(store, "me")
    at.now = store.clock()
    film = await plan(at, account="a", shots=2, caller="c1")
    await make(at, film)
    await store.change_film("f1", {"redo": (1, 2), "due_at": 5.0, "cancelled": True}, now=at.now)
    await plan(at, "f2", identity="another", account="a", request_key="k")


async def _content(store: Any) -> dict[str, Any]:
    query = "SELECT * FROM {} ORDER BY 1, 2"
    found = {
        table: await store.read(
            lambda db, table=table: [tuple(row) for row in db.execute(query.format(table))]
        )
        for table in (*copying.TABLES, *COUNTS, "account_spending", "caller_spending")
    }
    # Triggers leave a count of 0 where a copy has none.
    return found | {table: sorted(row for row in found[table] if row[-1]) for table in COUNTS}


async def test_there_and_back_nothing_has_changed(url: str, tmp_path: Path, opened: Any) -> None:
    first = SqliteStore(tmp_path / "first" / "journal.sqlite3")
    await first.open()
    secret = await _fill(first)
    await first.close("me")
    first = SqliteStore(tmp_path / "first" / "journal.sqlite3")
    await first.open()
    tasks, content = await first.newest(limit=100), await _content(first)
    films = await first.newest_films()
    assert [film.film_id for film in films] == ["f2", "f1"]
    await first.close()

    copied = await copy(book(str(tmp_path / "first")), book(url))
    assert copied.rows == {
        "accounts": 1,
        "tasks": 9,
        "films": 2,
        "slots": 7,
        "tenant_slots": 0,
        "codes": 1,
        "approvals": 0,
    }
    one = {"account": "a", "unit": "CNY"}
    assert copied.sums == [
        Sum(**one, money="released", tasks=1, amount=Decimal(1)),
        Sum(**one, money="reserved", tasks=7, amount=Decimal("7.2")),
        Sum(**one, money="spent", tasks=1, amount=Decimal("2.5")),
    ]
    there = await opened(url)
    assert await there.newest(limit=100) == tasks
    assert await there.newest_films() == films
    assert await there.film_tasks("f1") == [task for task in reversed(tasks) if task.film_id]
    assert check(url) == (9, "")
    assert await there.secret("links") == secret
    await there.close()

    await copy(book(url), book(str(tmp_path / "second" / "journal.sqlite3")))
    back = SqliteStore(tmp_path / "second" / "journal.sqlite3")
    await back.open()
    assert await back.newest(limit=100) == tasks
    assert await back.newest_films() == films
    assert await _content(back) == content
    moved = await back.change_film("f2", {"redo": (1,)}, now=1.0)
    assert moved.redo == (1,)
    assert await back.secret("links") == secret
    await back.close()


async def test_a_journal_in_use_or_with_a_submit_in_flight_is_not_copied(
    url: str, tmp_path: Path, opened: Any
) -> None:
    store = SqliteStore(tmp_path / "journal.sqlite3")
    await store.open()
    await register(store, "me")
    await buy(store, "v1")
    with pytest.raises(InvalidRequestError, match="in use"):
        await copy(book(str(tmp_path)), book(url))
    await store.close("me")
    with pytest.raises(InvalidRequestError, match="on its way"):
        await copy(book(str(tmp_path)), book(url))
    assert await (await opened(url)).newest() == []


async def test_a_target_with_tasks_or_processes_is_not_written(
    url: str, tmp_path: Path, opened: Any
) -> None:
    source = SqliteStore(tmp_path / "journal.sqlite3")
    await source.open()
    await source.close()
    target = await opened(url, "me")
    with pytest.raises(InvalidRequestError, match="target is in use"):
        await copy(book(str(tmp_path)), book(url))
    await buy(target, "v1")
    await target.close("me")
    with pytest.raises(InvalidRequestError, match="not empty"):
        await copy(book(str(tmp_path)), book(url))


async def test_a_target_with_a_plan_is_not_empty(url: str, tmp_path: Path, opened: Any) -> None:
    source = SqliteStore(tmp_path / "journal.sqlite3")
    await source.open()
    await source.close()
    await plan(Shop(await opened(url)))
    with pytest.raises(InvalidRequestError, match="not empty"):
        await copy(book(str(tmp_path)), book(url))


async def test_a_copy_that_differs_leaves_the_target_as_it_was(
    url: str, tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SqliteStore(tmp_path / "journal.sqlite3")
    await source.open()
    await _fill(source)
    await source.close("me")
    monkeypatch.setattr(copying, "TABLES", ("accounts", "slots", "tasks"))
    with psycopg.connect(url, autocommit=True) as db:
        await opened(url)
        db.execute(
            "CREATE FUNCTION dearer() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.counted := NEW.counted + 1; RETURN NEW; END'"
        )
        db.execute(
            "CREATE TRIGGER wrong BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION dearer()"
        )
    with pytest.raises(JournalError, match="differs"):
        await copy(book(str(tmp_path)), book(url))
    store = await opened(url)
    assert await store.newest() == []
    assert await store.secret("links")


async def test_there_is_nothing_to_copy_from_an_empty_place(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="no journal"):
        await copy(book(str(tmp_path / "none")), book(url))
