"""What is asked often costs the same however much was bought before, and no plan reads all tasks."""

import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import UNFINISHED, Money, Status, Task, Unit
from hailuo_mcp.journal.sql import film_rows, recount
from hailuo_mcp.journal.sql.rows import INSERT, row_of
from hailuo_mcp.journal.sqlite import check, unfinished
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work
from tests.journal.conftest import Shop
from tests.journal.films import draft, make, plan, save, undue

from . import earlier

pytestmark = pytest.mark.anyio

ACCOUNT, OTHER = "sandbox a 1", "sandbox a 2"
DAYS, CALLERS = 40, 10
ENDED = {
    Status.SUCCEEDED: Money.SPENT,
    Status.FAILED: Money.RELEASED,
    Status.CANCELLED: Money.RELEASED,
    Status.UNCONFIRMED: Money.RESERVED,
}
OPEN = (Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING)


def history(shop: Any, many: int) -> Iterator[Task]:
    """Ended tasks over forty days, then eight that are not."""
    for number in range(many + 8):
        ended = number < many
        at = shop.now - (many + 8 - number) / many * DAYS * 86_400
        status = [*ENDED][number // CALLERS % 4] if ended else OPEN[number % 4]
        known = status in (Status.SUCCEEDED, Status.QUEUED, Status.RUNNING)
        yield shop.draft(
            task_id=f"h{number:06}",
            account=OTHER if number % 9 == 0 else ACCOUNT,
            caller=f"caller {number % CALLERS}",
            status=status,
            created_at=at,
            updated_at=at + 90,
            identity=f"old {number}",
            money=ENDED.get(status, Money.RESERVED),
            owner="gone" if status in (Status.PENDING, Status.SUBMITTING) else "",
            lease_until=shop.now + 60 if status is Status.SUBMITTING else 0.0,
            due_at=0.0 if ended else shop.now + 9,
            remote_id=f"remote {number}" if known else "",
            submitted_at=at,
            finished_at=at + 60 if status is Status.SUCCEEDED else None,
            file="clip" if number > 8 and status is Status.SUCCEEDED else "",
            resolution="768P",
            duration=6,
            film_id=f"f{number // 20:05}" if ended and number % 4 == 0 else "",
            shot=number % 20 // 4 + 1,
        )


def films(shop: Any, many: int) -> Iterator[Film]:
    """One for every twenty tasks, and lately two plans beside it; the newest is due."""
    for number in range(many // 20):
        at = shop.now - (many // 20 - number) / (many // 20) * DAYS * 86_400
        made = draft(
            shop,
            f"f{number:05}",
            shots=1,
            account=OTHER if number % 9 == 0 else ACCOUNT,
            caller=f"caller {number % CALLERS}",
            created_at=at,
            updated_at=at,
            identity=f"film {number}",
            made_at=at,
            revision=1,
            due_at=shop.now - 1 if number == many // 20 - 1 else 0.0,
            file="film",
        )
        yield made
        for which in "ab" if at > shop.now - 7 * 86_400 else "":  # older ones are deleted
            yield replace(
                made,
                film_id=f"p{number:05}{which}",
                identity=f"plan {number}",
                made_at=None,
                revision=0,
                file="",
                due_at=0,
            )


async def _fill(shop: Any, many: int) -> None:
    rows = [row_of(task, Decimal(2)) for task in history(shop, many)]
    of_films = [tuple(film_rows.row_of(film).values()) for film in films(shop, many)]
    await shop.journal.write(lambda db: db.executemany(INSERT, rows))
    await shop.journal.write(lambda db: db.executemany(film_rows.INSERT, of_films))


Ask = Callable[[Any], Awaitable[object]]
MINE, CNY = "caller 3", Unit.CNY
QUESTIONS: dict[str, Ask] = {
    "the newest": lambda shop: shop.journal.newest(),
    "the newest of a caller": lambda shop: shop.journal.newest(caller=MINE),
    "the newest of nobody": lambda shop: shop.journal.newest(caller="nobody"),
    **{
        f"the newest {status} of {caller}": lambda shop, one=status, caller=caller: (
            shop.journal.newest(caller=caller, statuses=(one,))
        )
        for status in Status
        for caller in (None, MINE)
    },
    "unfinished": lambda shop: shop.journal.newest(statuses=UNFINISHED),
    "unfinished of a caller": lambda shop: shop.journal.newest(caller=MINE, statuses=UNFINISHED),
    "unsaved": lambda shop: shop.journal.newest(statuses=(Status.SUCCEEDED,), saved=False),
    "unsaved of a caller": lambda shop: shop.journal.newest(
        caller=MINE, statuses=(Status.SUCCEEDED,), saved=False
    ),
    "saved": lambda shop: shop.journal.newest(statuses=(Status.SUCCEEDED,), saved=True),
    "by task id": lambda shop: shop.journal.find("h000123"),
    "by remote id": lambda shop: shop.journal.find("remote 40", caller="caller 0"),
    "by no known id": lambda shop: shop.journal.find("what"),
    "by a callback": lambda shop: shop.journal.by_callback("what"),
    "the same remote id": lambda shop: shop.journal.other_with_remote_id("h1", ACCOUNT, "remote 4"),
    "the same request": lambda shop: shop.journal.find_existing(
        replace(shop.draft(), identity="old 50"), now=shop.now
    ),
    **{
        f"sum of {days} days of {caller}": lambda shop, days=days, caller=caller: shop.journal.sums(
            ACCOUNT, CNY, shop.now - days * 86_400, caller=caller
        )
        for days in (1, 30)
        for caller in (None, MINE)
    },
    "sum of all time": lambda shop: shop.journal.sums(ACCOUNT, CNY, 0.0),
    "sum of all time of a caller": lambda shop: shop.journal.sums(ACCOUNT, CNY, 0.0, caller=MINE),
    "counts": lambda shop: shop.journal.counts(),
    "counts of a caller": lambda shop: shop.journal.counts(caller=MINE),
    "a claim without work": lambda shop: shop.claim(rpm=5),
    "a claim in ten seconds": lambda shop: _later(shop).claim(rpm=5),
    "owners": lambda shop: shop.journal.owners(),
    "submitting": lambda shop: shop.journal.submitting("gone"),
    "recover": lambda shop: shop.journal.recover(["gone"], now=shop.now),
    "unattended accounts": lambda shop: shop.journal.unattended_accounts("x", "sandbox", "a", []),
    "render times": lambda shop: shop.journal.render_times("sandbox", "m", "768P", 6),
    "render times without a size": lambda shop: shop.journal.render_times("sandbox", "m", None, 6),
    "others await ids": lambda shop: shop.journal.others_await_ids(ACCOUNT, MINE),
    "pictures in use": lambda shop: shop.journal.pictures_in_use(now=shop.now + 86_400),
    "in flight": lambda shop: shop.journal.in_flight(ACCOUNT),
    "a film": lambda shop: shop.journal.find_film("f00001", caller="caller 1"),
    "a film's tasks": lambda shop: shop.journal.film_tasks("f00001"),
    "the same film": lambda shop: shop.journal.find_existing_film(
        draft(shop, identity="film 7", request_key="k"), now=shop.now
    ),
    "the newest films": lambda shop: shop.journal.newest_films(limit=5, now=shop.now),
    "the newest films of a caller": lambda shop: shop.journal.newest_films(caller=MINE, limit=1),
    "the newest films of nobody": lambda shop: shop.journal.newest_films(
        caller="nobody", now=shop.now
    ),
    "a purchase": lambda shop: shop.try_to_buy(budget="1000000", rpm=5, since=shop.now - 86_400),
}


TOTALS = {name for name in QUESTIONS if name.startswith("sum")} | {"a purchase"}
ALL_QUARTERS_AND_DAYS = 4000
"""Steps: a sum reads at most 95 totals of quarters of an hour and 31 of days, in each unit."""


async def _live(shop: Any) -> None:
    """A purchase is sent, accepted, polled and ends."""
    task = await shop.buy(remote_id="")
    number = task.task_id
    await shop.becomes(task, Status.QUEUED, attempt=1, remote_id=number, remote_alias=f"{number}a")
    await shop.journal.renew("me", [number], until=shop.now + 30)
    await shop.becomes(task, Status.RUNNING, due_at=shop.now + 5)
    await shop.becomes(task, Status.SUCCEEDED, finished_at=shop.now + 5)
    await shop.becomes(task, Status.SUCCEEDED, file="clip")


async def _settle(shop: Any) -> None:
    task = await shop.becomes(await shop.buy(), Status.UNCONFIRMED)
    bought = {"status": Status.QUEUED, "remote_id": f"settled {task.task_id}"}
    assert await shop.journal.settle(task.task_id, bought, now=shop.now)


async def _adopt(shop: Any) -> None:
    draft = shop.draft(status=Status.QUEUED, money=Money.UNKNOWN, amount=None)
    assert await shop.journal.adopt(replace(draft, remote_id=f"adopted {draft.task_id}"))


async def _come_and_go(shop: Any) -> None:
    facts = {"account": ACCOUNT, "provider": "sandbox", "base_url": "a", "pid": 1}
    await shop.journal.register("another", **facts, now=shop.now)
    await shop.journal.recover(["another"], now=shop.now)


async def _film(shop: Any) -> None:
    """A film is made, claimed, redone, and its shots end."""
    film = await plan(shop, shop.draft().task_id.replace("v", "f"), identity=shop.draft().task_id)
    made = await make(shop, film)
    await undue(shop)
    await save(shop, made.tasks[0])
    redo = await shop.journal.change_film(film.film_id, {"redo": (1,)}, now=shop.now)
    await make(shop, redo, (1,))
    await shop.journal.renew("me", [film.film_id], until=shop.now + 30)


QUESTIONS |= {
    "a film's life": _film,
    "a task's life": _live,
    "a settlement": _settle,
    "an adoption": _adopt,
    "a process that comes and goes": _come_and_go,
}


SHORT = "created|leased|due|pending|submitting|made|planned"


def _later(shop: Any) -> Any:
    shop.now += 10
    return shop


async def _steps(shop: Any, ask: Ask) -> int:
    """How many instructions of SQLite's machine it takes."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    await shop.journal.read(lambda db: db.set_progress_handler(step, 1))
    await ask(shop)
    await shop.journal.read(lambda db: db.set_progress_handler(None, 0))
    return count


async def test_no_question_costs_more_after_eight_times_as_many_purchases(
    tmp_path: Path,
) -> None:
    steps: dict[int, dict[str, int]] = {}
    for many in (1000, 8000):
        shop = Shop(SqliteStore(tmp_path / f"{many}" / "journal.sqlite3"))
        await shop.journal.open()
        await shop.journal.register(
            "me", account=ACCOUNT, provider="sandbox", base_url="a", pid=1, now=shop.now
        )
        await _fill(shop, many)
        steps[many] = {name: await _steps(shop, ask) for name, ask in QUESTIONS.items()}
        await shop.journal.close("me")
    grown = {
        name: (few, many)
        for (name, few), many in zip(steps[1000].items(), steps[8000].values(), strict=True)
        if many > 1.3 * few + 50 and not (name in TOTALS and many < ALL_QUARTERS_AND_DAYS)
    }
    assert not grown


async def test_no_plan_reads_all_tasks(shop: Any) -> None:
    await _fill(shop, 40)
    told = set[str]()
    await shop.journal.read(lambda db: db.set_trace_callback(told.add))
    for ask in QUESTIONS.values():
        await ask(shop)
    await shop.journal.read(lambda db: db.set_trace_callback(None))
    asked = [one for one in told if re.match("(SELECT|UPDATE|DELETE|INSERT)", one)]
    assert len(asked) > len(QUESTIONS)
    read = [
        (statement, detail)
        for statement in asked
        for *_, detail in await shop.journal.read(
            lambda db, one=statement: db.execute(f"EXPLAIN QUERY PLAN {one}").fetchall()
        )
        if detail.startswith(("SCAN tasks", "SCAN films"))
        and "ORDER BY rowid DESC LIMIT 1" not in statement
    ]
    # The newest of all are at the end of an index; the others are indexes of what is unfinished.
    short = re.compile(rf"USING (COVERING )?INDEX (tasks|films)_({SHORT})$")
    assert [one for one in read if not short.search(one[1])] == []


async def test_the_look_for_unfinished_work_reads_one_entry_of_an_index(
    shop: Any, path: Path
) -> None:
    await _fill(shop, 40)
    assert has_unfinished_work(path.parent)
    with closing(sqlite3.connect(path)) as db:
        read = [detail for *_, detail in db.execute(f"EXPLAIN QUERY PLAN {unfinished.QUESTION}")]
        assert [one.rpartition(" ")[2] for one in read if "SCAN" in one] == [
            *("tasks_due", "films_due")
        ]


# ── the running totals ────────────────────────────────────────────────────────────────────────


async def test_a_journal_of_the_second_version_is_added_up_when_it_is_opened(
    shop: Any, tmp_path: Path
) -> None:
    old = tmp_path / "old" / "journal.sqlite3"
    earlier.write(old, 2, history(shop, 200))
    journal = SqliteStore(old)
    await journal.open()
    assert journal.rescued is None
    await _fill(shop, 200)
    for since in (0.0, shop.now - 86_400 * 3.3, shop.now - 86_400 * 20):
        for caller in (None, MINE):
            both = [
                await one.sums(ACCOUNT, CNY, since, caller=caller)
                for one in (journal, shop.journal)
            ]
            assert both[0] == both[1]
    assert both[0].spent > 0
    assert await journal.counts(caller=MINE) == await shop.journal.counts(caller=MINE)
    await journal.close()


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE account_counts SET tasks = tasks + 1",
        "UPDATE caller_counts SET tasks = tasks + 1",
        "DELETE FROM caller_counts WHERE status = 'succeeded' AND caller = 'caller 3'",
        "UPDATE account_spending SET spent = spent - 1 WHERE span > 86400",
        "UPDATE account_spending SET uncertain = 0 WHERE span = 900",
        "UPDATE caller_spending SET reserved = reserved + 1 WHERE span = 86400",
        "UPDATE caller_spending SET start = start + 900 WHERE span = 900",
        "DELETE FROM caller_spending WHERE span > 86400",
        "INSERT INTO account_spending VALUES ('a', 900, 0, 'CNY', 1, 0, 0)",
    ],
)
async def test_a_total_that_differs_from_the_rows_is_found_and_made_anew(
    shop: Any, path: Path, spoil: str
) -> None:
    await _fill(shop, 100)
    right = await shop.journal.sums(ACCOUNT, CNY, 0.0), await shop.journal.counts()
    await shop.journal.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        check.rows(db)
        db.execute(spoil)
        assert recount.differs(db, seconds=check.SECONDS)
        with pytest.raises(check.DamagedJournalError, match="running totals"):
            check.rows(db)
    journal = SqliteStore(path)
    await journal.open()
    assert journal.rescued
    assert journal.losses is None or journal.losses.many
    assert await journal.sums(ACCOUNT, CNY, 0.0) == replace(
        right[0],
        reserved=right[0].reserved,
        uncertain=right[0].uncertain + (await _unsure_since(journal, right[1])),
    )
    assert sum((await journal.counts()).values()) == 108
    await journal.close()


async def _unsure_since(journal: SqliteStore, before: dict[Status, int]) -> Decimal:
    """What waited or was being sent is unconfirmed after a rescue."""
    now = await journal.newest(statuses=(Status.UNCONFIRMED,), limit=1000)
    new = [task for task in now if task.account == ACCOUNT and task.task_id >= "h000100"]
    assert (
        len(now) == before[Status.UNCONFIRMED] + before[Status.PENDING] + before[Status.SUBMITTING]
    )
    return Decimal(2 * len(new))


async def test_rows_that_an_older_program_changes_or_deletes_are_counted_too(shop: Any) -> None:
    await _fill(shop, 60)

    def as_it_does(db: Any) -> None:
        for statement in (
            "UPDATE tasks SET status = 'succeeded', money = 'spent' WHERE status = 'running'",
            "UPDATE tasks SET caller = 'another', account = 'another' WHERE caller = 'caller 3'",
            "UPDATE tasks SET counted = counted * 3, unit = 'USD' WHERE caller = 'caller 4'",
            "UPDATE tasks SET created_at = created_at - 100000 WHERE caller = 'caller 5'",
            "UPDATE tasks SET money = 'released' WHERE caller = 'caller 6'",
            "DELETE FROM tasks WHERE caller = 'caller 7'",
        ):
            db.execute(statement)
            assert not recount.differs(db, seconds=check.SECONDS), statement

    await shop.journal.write(as_it_does)
    assert (await shop.journal.sums("another", CNY, 0.0)).spent > 0
    assert not await shop.journal.counts(caller="caller 7")
