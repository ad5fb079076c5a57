"""A copy of the journal a day, three deep, each checked before it counts as one."""

# ruff: noqa: ASYNC240  # nothing else runs in this loop

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.sqlite import backup, check
from hailuo_mcp.journal.sqlite.examine import examine
from hailuo_mcp.journal.sqlite.store import SqliteStore

pytestmark = pytest.mark.anyio

DAY = 86_400.0


def _copies(path: Path) -> list[str]:
    return [copy.name for copy in backup.newest_first(path)]


def _tasks(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        (count,) = db.execute("SELECT COUNT(*) FROM tasks").fetchone()
    return int(count)


async def test_an_empty_journal_is_not_worth_a_copy(shop: Any, path: Path) -> None:
    await shop.journal.back_up(shop.now)
    assert _copies(path) == []


async def test_there_is_one_copy_a_day_and_the_newest_three_are_kept(shop: Any, path: Path) -> None:
    for day in range(5):
        await shop.buy()
        for hour in range(3):
            await shop.journal.back_up(shop.now + day * DAY + hour * 3600)
    assert _copies(path) == [
        "journal-20270119.sqlite3",
        "journal-20270118.sqlite3",
        "journal-20270117.sqlite3",
    ]
    (newest, *_) = backup.newest_first(path)
    assert _tasks(newest) == 5


async def test_a_copy_is_whole_by_itself_while_others_write(
    shop: Any, neighbour: Any, path: Path
) -> None:
    await shop.buy()
    await neighbour.buy()
    target = path.with_name("mine.sqlite3")
    assert backup.copy(path, target)
    assert sorted(p.name for p in path.parent.iterdir() if p.name.startswith("mine")) == [
        "mine.sqlite3"
    ]
    assert _tasks(target) == 2


async def test_a_damaged_journal_replaces_no_good_copy_and_is_opened_again(
    shop: Any, path: Path
) -> None:
    bought = await shop.buy()
    await shop.journal.back_up(shop.now)
    before = backup.newest_first(path)[0].read_bytes()
    await shop.journal.write(
        lambda db: db.execute("UPDATE tasks SET prompt = 'not what was sealed'")
    )
    await shop.journal.back_up(shop.now + DAY)
    assert [copy.read_bytes() for copy in backup.newest_first(path)] == [before]
    assert (await shop.asks_again(identity=bought.identity)).task_id == bought.task_id
    assert shop.journal.rescued is not None


async def test_while_losses_wait_to_be_accepted_older_copies_are_kept(
    shop: Any, path: Path
) -> None:
    await shop.buy()
    await shop.journal.back_up(shop.now)
    await shop.journal.write(
        lambda db: db.execute(
            "INSERT INTO rescues VALUES (1, '', 'a test', 2, 1, '{}', FALSE, NULL)"
        )
    )
    await shop.journal.back_up(shop.now + DAY)
    assert len(_copies(path)) == 1


async def test_the_change_of_what_a_checksum_vouches_for_renews_the_checksum(
    shop: Any, path: Path
) -> None:
    task = await shop.buy()
    await shop.journal.change(task.task_id, {"remote_id": "77"}, now=shop.now)
    await shop.journal.close()
    assert sum(examine(path).counts.values()) == 1
    with closing(sqlite3.connect(path)) as db:  # as a program of the first version does
        db.execute("UPDATE tasks SET remote_id = '78'")
        db.commit()
    assert sum(examine(path).counts.values()) == 1


async def test_a_check_sees_one_moment_while_another_process_writes(shop: Any, path: Path) -> None:
    await shop.buy()
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(path)) as other:

        def write(statement: str) -> None:
            if "FROM totals" in statement:
                other.execute("UPDATE totals SET tasks = tasks + 1")
                other.commit()

        db.set_trace_callback(write)
        check.rows(db)
        db.set_trace_callback(None)
        with pytest.raises(check.DamagedJournalError, match="missing"):
            check.rows(db)


async def test_what_a_loss_is_said_to_have_cost_is_what_counts_and_not_what_was_given_back(
    shop: Any, path: Path
) -> None:
    failed, kept = await shop.buy(cost="3"), await shop.buy(cost="4")
    await shop.becomes(failed, Status.FAILED)
    await shop.becomes(kept, Status.SUCCEEDED)
    await shop.journal.close()
    path.unlink()
    journal = SqliteStore(path)
    await journal.open()
    assert journal.losses
    assert journal.losses.missing == {("sandbox", "CNY"): Decimal(4)}
    await journal.close()


async def test_copies_by_a_clock_that_was_ahead_do_not_push_out_those_of_today(
    shop: Any, path: Path
) -> None:
    await shop.buy()
    for day in (300, 200, 100, 0):
        await shop.journal.back_up(shop.now + day * DAY)
    assert _copies(path) == ["journal-20270115.sqlite3"]
