"""Whatever happens to the journal's file: nothing that was recorded is bought again unasked."""

# ruff: noqa: ASYNC240  # nothing else runs in this loop

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import Capacity, Limits, Losses, Recorded
from hailuo_mcp.journal.sqlite.mark import path_of
from hailuo_mcp.journal.sqlite.store import SqliteStore

from .damage import NAME, NOW, TASKS, Damage, buy, damages, draft, make, suffer
from .processes import answer, start

ALL = list(damages())


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journals")
    asyncio.run(make(folder))
    return folder


def test_there_are_fifty_ways() -> None:
    assert len(ALL) >= 50


@pytest.mark.parametrize("damage", ALL, ids=lambda one: f"{one.name} {one.seed}")
def test_what_was_recorded_is_known_or_refused_and_intact_rows_are_carried_over(
    folders: Path, damage: Damage
) -> None:
    outcome = asyncio.run(suffer(folders, damage))
    assert not outcome.bought_again
    assert not outcome.budget_short
    assert outcome.refused or outcome.carried == TASKS
    if outcome.intact is not None:
        assert outcome.kept_of_intact >= 0.99 * outcome.intact


@pytest.mark.anyio
class TestAfterwards:
    @pytest.fixture
    async def lost(self, folders: Path, tmp_path: Path) -> Path:
        """A state folder whose journal was deleted."""
        state = tmp_path / "state"
        shutil.copytree(folders / "closed", state)
        (state / NAME).unlink()
        return state / NAME

    async def _opened(self, path: Path) -> SqliteStore:
        journal = SqliteStore(path)
        await journal.open()
        return journal

    async def test_the_refusal_stays_until_a_person_accepts_and_then_purchases_go_on(
        self, lost: Path
    ) -> None:
        for _ in range(2):
            journal = await self._opened(lost)
            assert isinstance(await buy(journal, TASKS + 1), Losses)
            await journal.close()
        other, journal = await self._opened(lost), await self._opened(lost)
        assert journal.losses
        assert journal.losses.expected == TASKS
        assert journal.losses.many == "180 of 300 tasks"
        await other.accept_losses(now=1.0)
        assert isinstance(await buy(journal, TASKS + 1), Recorded)
        await journal.newest()
        assert journal.losses is None
        await other.close()
        await journal.close()
        journal = await self._opened(lost)
        assert journal.rescued is None
        assert isinstance(await buy(journal, TASKS + 2), Recorded)
        await journal.close()

    async def test_what_was_waiting_or_being_sent_in_a_backup_is_unconfirmed_and_stays_reserved(
        self, lost: Path
    ) -> None:
        journal = await self._opened(lost)
        tasks = {task.task_id: task for task in await journal.newest(limit=TASKS)}
        sending = tasks[draft(0).task_id]
        assert (sending.status, sending.money) == (Status.UNCONFIRMED, "reserved")
        assert tasks[draft(1).task_id].status is Status.SUCCEEDED
        assert (
            await journal.claim(
                [draft(0).account],
                "me",
                Capacity(rpm=None, sends=9, steps=9, submit_lease=9, lease=9),
                now=2e9,
            )
        ).sends == ()
        await journal.close()

    async def test_a_journal_deleted_again_before_it_was_accepted_is_still_refused(
        self, lost: Path
    ) -> None:
        await (await self._opened(lost)).close()
        lost.unlink()
        shutil.rmtree(lost.parent / "backups")
        journal = await self._opened(lost)
        assert isinstance(await buy(journal, 0), Losses)
        await journal.close()

    @pytest.mark.parametrize("spoil", [Path.unlink, lambda mark: mark.write_bytes(b"\xff" * 99)])
    async def test_a_journal_without_its_mark_may_be_an_older_one_and_asks_to_be_accepted(
        self, folders: Path, tmp_path: Path, spoil: Any
    ) -> None:
        state = tmp_path / "state"
        shutil.copytree(folders / "killed", state)
        spoil(path_of(state / NAME))
        journal = await self._opened(state / NAME)
        assert len(await journal.newest(limit=10 * TASKS)) == TASKS
        assert isinstance(await buy(journal, TASKS + 1), Losses)
        await journal.accept_losses(now=1.0)
        assert isinstance(await buy(journal, TASKS + 1), Recorded)
        await journal.close()

    async def test_damage_under_an_open_journal_is_noticed_and_the_next_purchase_opens_it_again(
        self, folders: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        shutil.copytree(folders / "closed", state)
        journal = await self._opened(state / NAME)
        await journal.write(_spoil_a_row)
        with pytest.raises(JournalError, match="could not be used"):
            await journal.newest(limit=TASKS)
        assert isinstance(await buy(journal, TASKS + 1), Losses)
        assert len(await journal.newest(limit=10 * TASKS)) == TASKS
        await journal.close()

    async def test_a_flipped_bit_that_leaves_the_time_of_the_file_is_found_all_the_same(
        self, folders: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        shutil.copytree(folders / "closed", state)
        await (await self._opened(state / NAME)).close()
        before = (state / NAME).stat()
        _spoil_an_index(state / NAME)
        os.utime(state / NAME, ns=(before.st_atime_ns, before.st_mtime_ns))
        journal = await self._opened(state / NAME)
        assert journal.rescued
        assert journal.rescued.complete
        await journal.close()

    async def test_an_old_page_in_a_whole_journal_sends_nothing_again(self, tmp_path: Path) -> None:
        """As a disk leaves it that has lost a write."""
        path = tmp_path / NAME
        journal = await self._opened(path)
        await buy(journal, 0)
        waits = {"status": Status.PENDING, "due_at": 1.0}
        await journal.change(draft(0).task_id, waits, now=NOW)
        await journal.read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        old = path.read_bytes()
        sent = {"status": Status.QUEUED, "remote_id": "7", "attempt": 2}
        await journal.change(draft(0).task_id, sent, now=NOW + 1)
        await journal.close()
        data = bytearray(path.read_bytes())
        (page,) = (
            at
            for at in range(0, len(old), 4096)
            if old[at] == 0x0D and draft(0).task_id.encode() in old[at : at + 4096]
        )
        data[page : page + 4096] = old[page : page + 4096]
        path.write_bytes(data)
        journal = await self._opened(path)
        (task,) = await journal.newest()
        assert task.status is Status.UNCONFIRMED
        await journal.close()

    async def test_a_schema_that_cannot_even_be_read_is_damage_and_not_the_end(
        self, folders: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        shutil.copytree(folders / "closed", state)
        data = (state / NAME).read_bytes()
        at = data.index(b"CREATE INDEX tasks_due")
        (state / NAME).write_bytes(data[:at] + b"\xa5\xff CREATE" + data[at + 9 :])
        journal = await self._opened(state / NAME)
        assert len(await journal.newest(limit=10 * TASKS)) == TASKS
        await journal.close()

    async def test_a_row_with_nothing_where_something_belongs_keeps_no_other_from_being_saved(
        self, folders: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        shutil.copytree(folders / "closed", state)
        with closing(sqlite3.connect(state / NAME)) as db:
            db.execute("PRAGMA writable_schema = ON")
            db.execute(
                "UPDATE sqlite_master SET sql = replace(sql, 'tries INTEGER NOT NULL',"
                " 'tries INTEGER') WHERE name = 'tasks'"
            )
            db.commit()
        with closing(sqlite3.connect(state / NAME)) as db:
            db.execute("UPDATE tasks SET tries = NULL WHERE task_id = ?", (draft(3).task_id,))
            db.commit()
        _spoil_an_index(state / NAME)
        journal = await self._opened(state / NAME)
        assert len(await journal.newest(limit=10 * TASKS)) >= TASKS - 1
        await journal.close()

    async def test_a_rescue_keeps_the_rate_limit(self, tmp_path: Path) -> None:
        path, now = tmp_path / NAME, time.time()
        journal = await self._opened(path)
        limits = Limits(rpm=1, budget=None, since=0.0, lease=90.0)
        first = await journal.record(draft(0), Decimal(2), limits, now=now)
        assert isinstance(first, Recorded)
        sent = {"status": Status.QUEUED, "remote_id": "7"}
        await journal.change(first.task.task_id, sent, now=now, attempt=1)
        await journal.close()
        _spoil_an_index(path)
        journal = await self._opened(path)
        assert journal.losses is None
        second = await journal.record(draft(1), Decimal(2), limits, now=now + 1)
        assert isinstance(second, Recorded)
        assert second.task.status is Status.PENDING
        await journal.close()

    @pytest.mark.skipif(sys.platform == "win32", reason="there nobody deletes a file that is open")
    async def test_two_that_cannot_see_each_other_notice_it_before_they_buy_the_same(
        self, tmp_path: Path
    ) -> None:
        """Whoever deletes the -shm file under a process splits it from all that come later."""
        path = tmp_path / NAME
        assert answer(start(path, "before")) == "bought"
        one = start(path, "same", stdin=subprocess.PIPE, before=_BUY_WHEN_TOLD)
        assert one.stdout
        assert one.stdout.readline() == "open\n"
        path.with_name(f"{NAME}-shm").unlink()
        said = [answer(start(path, "same"))]
        out, _ = one.communicate("go\n", timeout=60)
        said.append(out.strip())
        assert said.count("bought") == 1, said


_BUY_WHEN_TOLD = """
opened = SqliteStore.open
async def wait_after(self):
    await opened(self)
    await self.newest()
    print("open", flush=True)
    sys.stdin.readline()
SqliteStore.open = wait_after
"""


def _spoil_an_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'tasks_created'"
        ).fetchone()
    data = bytearray(path.read_bytes())
    data[root * 4096 - 3] ^= 4
    path.write_bytes(data)


def _spoil_a_row(db: Any) -> None:
    """A word that no version writes, where a status stands."""
    db.execute("UPDATE tasks SET status = 'q\x7fe' WHERE task_id = ?", (draft(5).task_id,))
