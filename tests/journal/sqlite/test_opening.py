"""Opening: new, newer, damaged, locked, read-only and full; several processes at once."""

# ruff: noqa: ASYNC221, ASYNC240  # nothing else runs in this loop

import gc
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from hailuo_mcp.domain.film import Film
from hailuo_mcp.domain.task import Money, Status, Unit
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.sql.connection import Connection
from hailuo_mcp.journal.sqlite import database
from hailuo_mcp.journal.sqlite.schema import KEEPS_FILMS, VERSION
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work
from hailuo_mcp.wording.person import error_text
from tests.journal.conftest import Shop

from . import earlier
from .processes import answer, everything, first, half, header, middle, start, together

pytestmark = pytest.mark.anyio


async def _refusal(path: Path) -> str:
    journal = SqliteStore(path)
    try:
        with pytest.raises(JournalError) as caught:
            await journal.open()
    finally:
        await journal.close()
    return error_text(caught.value)


async def test_eight_processes_that_open_a_new_journal_at_once_share_it(path: Path) -> None:
    assert together(path, 8) == ["bought"] * 8
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*) FROM tasks").fetchone() == (24,)
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_eight_processes_that_find_it_damaged_agree_on_one_new_journal(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)
    assert sorted(together(path, 8)) == ["refused, bought"] * 7 + ["refused, set aside"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*) FROM tasks").fetchone() == (0,)
        assert db.execute("SELECT COUNT(*) FROM rescues").fetchone() == (1,)
    assert len(list(path.parent.glob("journal-unreadable-*.sqlite3"))) == 1


_SAY_WHEN_IT_WAITS = """
from filelock import FileLock
acquire = FileLock._acquire
def say(lock):
    acquire(lock)
    if not lock.is_locked and not said:
        said.append(print("it waits", flush=True))
FileLock._acquire, said = say, []
"""


async def test_who_opens_it_waits_for_whoever_is_opening_it(path: Path) -> None:
    """Else the second of two that find it damaged would put the first one's new one aside."""
    with FileLock(path.with_name(path.name + ".opening")):
        process = start(path, "second", before=_SAY_WHEN_IT_WAITS)
        assert process.stdout is not None
        assert process.stdout.readline() == "it waits\n"
        assert not path.exists()
    assert answer(process) == "bought"


async def test_a_newer_journal_that_says_it_suits_us_is_used(shop: Any, path: Path) -> None:
    await shop.buy()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
        db.execute(f"PRAGMA user_version = {VERSION + 3}")
    assert answer(start(path, "older")) == "bought"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION + 3,)


@pytest.mark.parametrize("version", range(1, VERSION))
async def test_a_journal_of_an_earlier_version_is_brought_up_to_date_and_loses_nothing(
    path: Path, arrive: Any, version: int
) -> None:
    task = Shop(SqliteStore(path)).draft(status=Status.UNCONFIRMED, due_at=0.0, owner="")
    earlier.write(path, version, [task])
    # Who opens it brings it up to date; before films nobody can tell whether one is due.
    assert has_unfinished_work(path.parent) == (version < KEEPS_FILMS)
    new = await arrive("new")
    assert new.journal.rescued is None
    assert await new.read(task) == task
    assert not has_unfinished_work(path.parent)
    settled = await new.journal.settle(task.task_id, {"status": Status.FAILED}, now=new.now)
    assert settled.settled_at == new.now
    film = Film(
        **dict.fromkeys(("film_id", "account", "provider", "caller", "identity"), "f"),
        created_at=new.now,
        updated_at=new.now,
    )
    assert (await new.journal.plan_film(film, now=new.now)).film == film
    await new.journal.close()


@pytest.mark.parametrize("version", [2, 4])
async def test_rows_of_an_earlier_version_are_carried_over_when_it_is_damaged(
    path: Path, arrive: Any, version: int
) -> None:
    """They are shorter than those of today."""
    tasks = [Shop(SqliteStore(path), f"p{number}").draft(prompt="x" * 900) for number in range(20)]
    earlier.write(path, version, [replace(task, status=Status.FAILED) for task in tasks])
    new = await arrive("new")
    await new.journal.close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 64)
    new = await arrive("newer")
    assert new.journal.rescued
    found = await new.journal.newest(limit=100)
    assert {task.task_id for task in found} == {task.task_id for task in tasks}
    assert {(task.film_id, task.shot, task.after) for task in found} == {("", 0, "")}
    await new.journal.close()


async def test_a_newer_journal_that_does_not_suit_us_is_left_alone(shop: Any, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 3}")
        db.execute(f"UPDATE shape SET readable_since = {VERSION + 1}")
    said = await _refusal(path)
    assert "newer hailuo-mcp" in said
    assert "Nothing was sent or charged" in said
    assert path.exists()
    assert not list(path.parent.glob("*unreadable*"))


@pytest.mark.parametrize("damage", [header, middle, half, everything])
@pytest.mark.parametrize("wal", [b"", b"garbage" * 5000], ids=["no wal", "garbage wal"])
async def test_a_damaged_journal_is_kept_aside_whole_and_a_new_one_begun(
    path: Path, damage: Callable[[Path], None], wal: bytes
) -> None:
    first(path, 40)
    damage(path)
    if wal:
        path.with_name(path.name + "-wal").write_bytes(wal)
    damaged = path.read_bytes()
    journal = SqliteStore(path)
    await journal.open()
    try:
        assert journal.rescued is not None
        assert journal.rescued.aside.read_bytes() == damaged
        if wal and damage in (header, everything):
            # Of a file that it takes for a database SQLite drops a -wal that is none.
            beside = journal.rescued.aside.with_name(journal.rescued.aside.name + "-wal")
            assert beside.read_bytes() == wal
        await journal.newest()
        await journal.accept_losses(now=1.0)
    finally:
        await journal.close()
    assert answer(start(path, "second")) == "bought"


async def test_what_is_still_legible_of_a_damaged_journal_is_carried_over(path: Path) -> None:
    """Forgetting it would lose paid clips and open the budget again."""
    first(path, 40)
    middle(path)
    journal = SqliteStore(path)
    await journal.open()
    try:
        tasks = await journal.newest(limit=100)
        assert 30 <= len(tasks) < 40
        assert {(task.status, task.money) for task in tasks} == {
            (Status.UNCONFIRMED, Money.RESERVED)  # they were being sent when it was damaged
        }
        sums = await journal.sums("a", Unit.CNY, 0.0)
        assert sums.reserved == Decimal(len(tasks))
    finally:
        await journal.close()


async def test_a_second_damaged_journal_does_not_replace_the_first(path: Path) -> None:
    for number in (1, 2, 3):
        path.write_bytes(b"%d is no database" % number * 100)
        journal = SqliteStore(path)
        await journal.open()
        await journal.close()
        assert journal.rescued.aside == path.with_name(f"journal-unreadable-{number}.sqlite3")
        assert journal.rescued.aside.read_bytes().startswith(b"%d is" % number)


async def test_a_garbage_wal_beside_a_sound_journal_harms_nothing(path: Path) -> None:
    first(path)
    path.with_name(path.name + "-wal").write_bytes(b"garbage" * 5000)
    assert answer(start(path, "second")) == "bought"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*) FROM tasks").fetchone() == (6,)


async def test_a_process_killed_in_the_middle_of_a_transaction_leaves_no_half_of_it(
    shop: Any, path: Path
) -> None:
    script = (
        "import sqlite3, os, signal, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('BEGIN IMMEDIATE')\n"
        "db.execute('UPDATE tasks SET money = ?', ('spent',))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    task = await shop.buy()
    killed = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(path)], check=False, timeout=30
    )
    assert killed.returncode == -signal.SIGKILL
    assert (await shop.read(task)).money is Money.RESERVED
    await shop.buy()


async def test_a_journal_that_another_program_locks_is_a_refusal_and_works_again_after(
    shop: Any, path: Path
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await shop.journal._in_thread(
            lambda: shop.journal._opened().execute("PRAGMA busy_timeout = 50")
        )
        with pytest.raises(JournalError, match="locked by another program"):
            await shop.try_to_buy()
        assert await shop.journal.newest() == []  # reading goes on
        other.execute("ROLLBACK")
    await shop.buy()
    gc.collect()  # what nobody has asked a future for is told when it is thrown away


async def test_a_folder_that_cannot_be_made_is_a_refusal_that_names_the_setting(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("in the way")
    said = await _refusal(tmp_path / "file" / "state" / "journal.sqlite3")
    assert "HAILUO_STATE_DIR" in said
    assert "Nothing was sent or charged" in said


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("existing", [True, False])
async def test_a_read_only_folder_is_a_refusal_that_names_the_setting(existing: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite3"
        if existing:
            first(path)
        Path(folder).chmod(0o555)
        # Root may write anywhere, so the process becomes somebody else once it has its modules.
        become_nobody = (
            "import anyio, filelock, os\n"
            "anyio.run(anyio.lowlevel.checkpoint)\n"
            "if os.getuid() == 0: os.setuid(65534)\n"
        )
        said = answer(start(path, "second", before=become_nobody))
        Path(folder).chmod(0o755)
    assert "HAILUO_STATE_DIR" in said
    assert "Nothing was sent or charged" in said


def _at_most_a_megabyte() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
async def test_a_full_disk_refuses_and_what_was_written_before_stays(path: Path) -> None:
    process = start(path, "first", 1000, preexec_fn=_at_most_a_megabyte)
    said = answer(process)
    assert "Nothing was sent or charged" in said
    journal = SqliteStore(path)
    await journal.open()
    try:
        kept = await journal.newest(limit=1000)
    finally:
        await journal.close()
    assert 0 < len(kept) < 1000
    # Each that was answered for is there, from the first on without a gap.
    numbers = sorted(int(task.task_id.partition("-")[2]) for task in kept)
    assert numbers == list(range(len(kept)))
    assert answer(start(path, "second")) == "bought"


async def test_a_journal_that_is_not_open_or_closed_again_says_so(path: Path) -> None:
    journal = SqliteStore(path)
    with pytest.raises(JournalError, match="is closed"):
        await journal.newest()
    await journal.open()
    await journal.close()
    with pytest.raises(JournalError, match="is closed"):
        await journal.newest()
    with pytest.raises(JournalError, match="is closed"):
        await journal.reset_backoff("a")


async def test_what_a_long_reader_made_of_the_wal_is_cut_down_when_it_has_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 100_000
    monkeypatch.setattr(database, "WAL_BYTES", limit)
    journal = SqliteStore(path)
    await journal.open()
    wal = path.with_name(path.name + "-wal")

    async def write(size: int) -> None:
        def filled(db: Connection) -> None:
            db.execute("CREATE TABLE IF NOT EXISTS filler (a)")
            db.execute("INSERT INTO filler VALUES (zeroblob(?))", (size,))

        await journal.write(filled)

    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM tasks").fetchone()
        await write(5_000_000)
        assert wal.stat().st_size > limit
    await write(1)  # the first commit after it copies everything into the journal
    await write(1)  # the next begins from the top
    assert wal.stat().st_size <= limit
    await journal.close()
