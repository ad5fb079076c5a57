"""Whatever happens to the journal's file: nothing that was recorded is bought again unasked."""

# ruff: noqa: ASYNC240  # nothing else runs in this loop

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain import Status
from hailuo_mcp.journal import Losses, SqliteJournal, Written
from hailuo_mcp.journal.mark import path_of

from .damage import NAME, TASKS, Damage, buy, damages, draft, make, suffer

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

    async def _opened(self, path: Path) -> SqliteJournal:
        journal = SqliteJournal(path)
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
        assert isinstance(await buy(journal, TASKS + 1), Written)
        await journal.newest()
        assert journal.losses is None
        await other.close()
        await journal.close()
        journal = await self._opened(lost)
        assert journal.rescued is None
        assert isinstance(await buy(journal, TASKS + 2), Written)
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
                rpm=None,
                sends=9,
                steps=9,
                submit_lease=9,
                lease=9,
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

    async def test_a_journal_whose_mark_is_lost_or_spoilt_is_a_journal_all_the_same(
        self, folders: Path, tmp_path: Path
    ) -> None:
        for number, spoil in enumerate((Path.unlink, lambda mark: mark.write_bytes(b"\xff" * 99))):
            state = tmp_path / str(number)
            shutil.copytree(folders / "killed", state)
            spoil(path_of(state / NAME))
            journal = await self._opened(state / NAME)
            assert journal.rescued is None
            assert not isinstance(await buy(journal, TASKS + 1), Losses)
            await journal.close()

    async def test_damage_under_an_open_journal_is_noticed_and_the_next_purchase_opens_it_again(
        self, folders: Path, tmp_path: Path
    ) -> None:
        state = tmp_path / "state"
        shutil.copytree(folders / "closed", state)
        journal = await self._opened(state / NAME)
        await journal.write(_spoil_a_row)
        with pytest.raises(Exception, match="doctor"):
            await journal.newest(limit=TASKS)
        assert isinstance(await buy(journal, TASKS + 1), Losses)
        assert len(await journal.newest(limit=10 * TASKS)) == TASKS
        await journal.close()


def _spoil_a_row(db: Any) -> None:
    """A word that no version writes, where a status stands."""
    db.execute("UPDATE tasks SET status = 'q\x7fe' WHERE task_id = ?", (draft(5).task_id,))
