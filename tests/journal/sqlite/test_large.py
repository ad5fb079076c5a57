"""A large journal opens without being read from end to end; its check follows in the background."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.journal.facts import Recorded
from hailuo_mcp.journal.sqlite import backup, check, database, mark
from hailuo_mcp.journal.sqlite.background import Background, StoppedError
from hailuo_mcp.journal.sqlite.store import SqliteStore
from tests.until import until

from .damage import NAME, TASKS, Damage, buy, damages, draft, make, suffer

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journals")
    asyncio.run(make(folder))
    return folder


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ALWAYS_BYTES", 0)
    monkeypatch.setattr(database, "CHECK_AFTER", 0.0)


@pytest.fixture
def killed(folders: Path, tmp_path: Path) -> Path:
    """The journal of a process that was killed."""
    shutil.copytree(folders / "killed", tmp_path / "state")
    return tmp_path / "state" / NAME


@pytest.fixture
def journal(killed: Path) -> Iterator[SqliteStore]:
    journal = SqliteStore(killed)
    yield journal
    asyncio.run(journal.close())


def _spoil(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(statement)


HEADERS = ("header, byte 0", "header, byte 60")
KINDS = [
    one
    for one in damages()
    if one.seed == 0 and (one.name in HEADERS or not one.name.startswith("header"))
]
"""Each kind once; test_damage has all of them, and the same look and rescue follow."""


@pytest.mark.parametrize("damage", KINDS, ids=lambda one: f"{one.name} {one.seed}")
def test_once_it_is_checked_nothing_is_bought_again_and_intact_rows_are_carried_over(
    folders: Path, damage: Damage
) -> None:
    outcome = asyncio.run(suffer(folders, damage, checked_later=True))
    assert not outcome.bought_again
    assert not outcome.budget_short
    assert outcome.refused or outcome.carried == TASKS
    if outcome.intact is not None:
        assert outcome.kept_of_intact >= 0.99 * outcome.intact


async def test_damage_of_an_old_row_is_found_after_opening_and_rescued_by_the_next_write(
    journal: SqliteStore, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "NEWEST", 10)
    _spoil(killed, f"UPDATE tasks SET prompt = 'another' WHERE task_id = '{draft(7).task_id}'")
    await journal.open()
    assert journal.rescued is None
    await until(lambda: journal._suspect)
    await buy(journal, TASKS + 1)
    assert journal.rescued is not None
    assert len(await journal.newest(limit=10 * TASKS)) >= TASKS


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE tasks SET prompt = 'another' WHERE task_id = '{draft(TASKS - 1).task_id}'",
        # an entry of the index that is missing, as a flipped bit hides it
        "UPDATE sqlite_master SET sql = sql || ' WHERE take > 1' WHERE name = 'tasks_identity'",
    ],
    ids=["a row", "the index of identities"],
)
async def test_damage_of_what_the_next_purchase_may_repeat_is_found_when_it_is_opened(
    journal: SqliteStore, killed: Path, statement: str
) -> None:
    _spoil(killed, statement)
    await journal.open()
    assert journal.rescued is not None
    found = await buy(journal, TASKS - 1)
    assert not isinstance(found, Recorded) or found.reused


async def test_a_sound_one_is_checked_once_and_not_again_by_the_next_that_finds_it_as_left(
    killed: Path,
) -> None:
    for number, unchecked in enumerate((True, False, False)):
        journal = SqliteStore(killed)
        await journal.open()
        assert journal._unchecked is unchecked, number
        journal.background.wait()
        assert journal._checked_at
        await journal.close()


async def test_one_that_is_closed_before_its_check_has_ended_is_checked_by_the_next(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests = 0

    def rest(self: Background) -> None:
        nonlocal rests
        rests += 1
        self._stopped.wait()
        raise StoppedError

    monkeypatch.setattr(Background, "rest", rest)
    before = mark.read(killed)
    for number in (1, 2):
        journal = SqliteStore(killed)
        await journal.open()
        await until(lambda number=number: rests == number)
        await journal.close()
        assert not journal._checked_at
        assert mark.read(killed).checked == before.checked


async def test_a_backup_that_is_stopped_leaves_nothing_behind(killed: Path) -> None:
    background = Background()
    background.stop()
    with pytest.raises(StoppedError):
        backup.copy(killed, killed.with_name("copy"), background)
    assert not [path for path in killed.parent.iterdir() if path.name.startswith("copy")]


async def test_closing_stops_a_backup_on_its_way(
    journal: SqliteStore, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    shutil.rmtree(killed.parent / "backups", ignore_errors=True)

    def rest(self: Background) -> None:
        loop.call_soon_threadsafe(begun.set)
        self._stopped.wait()
        raise StoppedError

    await journal.open()
    journal.background.wait()
    monkeypatch.setattr(Background, "rest", rest)
    backing_up = asyncio.ensure_future(journal.back_up(2e9))
    await begun.wait()
    await journal.close()
    await backing_up
    assert backup.newest_first(killed) == []
    await until(lambda: not list((killed.parent / "backups").iterdir()))


async def test_the_mark_stays_short_however_long_a_process_runs(
    shop: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "COMPACT_AFTER", 5)
    monkeypatch.setattr(mark, "_COMPACT_BYTES", 1000)
    sizes = []
    for _ in range(60):
        await shop.buy()
        sizes.append(mark.path_of(path).stat().st_size)
    assert max(sizes) < 2500
    known = mark.read(path).mark
    assert known
    assert known.tasks == 60
