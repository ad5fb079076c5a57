"""Opening: new, newer, damaged, locked, read-only and full; several processes at once."""

# ruff: noqa: ASYNC221, ASYNC240  # nothing else runs in this loop

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from hailuo_mcp.domain import Money, Status, Unit
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal import SqliteJournal
from hailuo_mcp.journal.schema import STEPS

pytestmark = pytest.mark.anyio

OPEN_AND_BUY = """
import asyncio, sys
from decimal import Decimal
from pathlib import Path
from hailuo_mcp.domain import Mode, Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal import Limits, SqliteJournal, Written

BEFORE
async def main(path, name):
    journal = SqliteJournal(Path(path))
    try:
        await journal.open()
        await journal.sign_in(name, account="a", provider="p", base_url="b", pid=1, now=1.0)
        for number in range(int(sys.argv[3])):
            task = Task(task_id=f"{name}-{number}", account="a", provider="p", caller="",
                        status=Status.PENDING, created_at=1.0, updated_at=1.0, mode=Mode.T2V,
                        model="m", identity=f"{name} {number}", request="x" * 2000)
            limits = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
            found = await journal.write_down(task, Decimal(1), limits, now=1.0)
            assert isinstance(found, Written)
        print("set aside" if journal.set_aside else "bought")
    except JournalError as no:
        print(no)
    finally:
        await journal.close()

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def _process(
    path: Path, name: str, purchases: int = 3, *, before: str = "", **more: Any
) -> subprocess.Popen[str]:
    script = OPEN_AND_BUY.replace("BEFORE\n", before)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(path), name, str(purchases)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def _said(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


async def _refusal(path: Path) -> str:
    journal = SqliteJournal(path)
    try:
        with pytest.raises(JournalError) as caught:
            await journal.open()
    finally:
        await journal.close()
    return str(caught.value)


async def test_eight_processes_that_open_a_new_journal_at_once_share_it(path: Path) -> None:
    processes = [_process(path, f"p{number}") for number in range(8)]
    assert [_said(process) for process in processes] == ["bought"] * 8
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*) FROM tasks").fetchone() == (24,)
        assert db.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_eight_processes_that_find_it_damaged_agree_on_one_new_journal(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)
    processes = [_process(path, f"p{number}") for number in range(8)]
    said = sorted(_said(process) for process in processes)
    assert said == ["bought"] * 7 + ["set aside"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*) FROM tasks").fetchone() == (24,)
    assert len(list(path.parent.glob("journal-unreadable-*.sqlite3"))) == 1


async def test_who_opens_it_waits_for_whoever_is_opening_it(path: Path) -> None:
    """Else the second of two that find it damaged would put the first one's new one aside."""
    with FileLock(path.with_name(path.name + ".opening")):
        process = _process(path, "second")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        assert not path.exists()
    assert _said(process) == "bought"


async def test_a_newer_journal_that_says_it_suits_us_is_used(shop: Any, path: Path) -> None:
    await shop.buy()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("ALTER TABLE tasks ADD COLUMN mood TEXT NOT NULL DEFAULT ''")
        db.execute(f"PRAGMA user_version = {len(STEPS) + 3}")
    assert _said(_process(path, "older")) == "bought"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(STEPS) + 3,)


async def test_a_newer_journal_that_does_not_suit_us_is_left_alone(shop: Any, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA user_version = {len(STEPS) + 3}")
        db.execute(f"UPDATE shape SET readable_since = {len(STEPS) + 1}")
    said = await _refusal(path)
    assert "newer hailuo-mcp" in said
    assert "Nothing was sent or charged" in said
    assert path.exists()
    assert not list(path.parent.glob("*unreadable*"))


def _header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:100] = b"\xff" * 100
    path.write_bytes(data)


def _middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(data)


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _all(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


@pytest.mark.parametrize("damage", [_header, _middle, _half, _all])
@pytest.mark.parametrize("wal", [b"", b"garbage" * 5000], ids=["no wal", "garbage wal"])
async def test_a_damaged_journal_is_kept_aside_whole_and_a_new_one_begun(
    path: Path, damage: Callable[[Path], None], wal: bytes
) -> None:
    assert _said(_process(path, "first", 40)) == "bought"
    damage(path)
    if wal:
        path.with_name(path.name + "-wal").write_bytes(wal)
    damaged = path.read_bytes()
    journal = SqliteJournal(path)
    await journal.open()
    try:
        assert journal.set_aside is not None
        assert journal.set_aside.read_bytes() == damaged
        if wal and damage in (_header, _all):
            # Of a file that it takes for a database SQLite drops a -wal that is none.
            beside = journal.set_aside.with_name(journal.set_aside.name + "-wal")
            assert beside.read_bytes() == wal
        await journal.newest()
    finally:
        await journal.close()
    assert _said(_process(path, "second")) == "bought"


async def test_what_is_still_legible_of_a_damaged_journal_is_carried_over(path: Path) -> None:
    """Forgetting it would lose paid clips and open the budget again."""
    assert _said(_process(path, "first", 40)) == "bought"
    _middle(path)
    journal = SqliteJournal(path)
    await journal.open()
    try:
        tasks = await journal.newest(limit=100)
        assert 5 <= len(tasks) < 40
        assert {(task.status, task.money) for task in tasks} == {
            (Status.SUBMITTING, Money.RESERVED)
        }
        sums = await journal.money("a", Unit.CNY, 0.0)
        assert sums.reserved == Decimal(len(tasks))
    finally:
        await journal.close()


async def test_a_second_damaged_journal_does_not_replace_the_first(path: Path) -> None:
    for number in (1, 2, 3):
        path.write_bytes(b"%d is no database" % number * 100)
        journal = SqliteJournal(path)
        await journal.open()
        await journal.close()
        assert journal.set_aside == path.with_name(f"journal-unreadable-{number}.sqlite3")
        assert journal.set_aside.read_bytes().startswith(b"%d is" % number)


async def test_a_garbage_wal_beside_a_sound_journal_harms_nothing(path: Path) -> None:
    assert _said(_process(path, "first")) == "bought"
    path.with_name(path.name + "-wal").write_bytes(b"garbage" * 5000)
    assert _said(_process(path, "second")) == "bought"
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
    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=30)
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
        with pytest.raises(JournalError, match="locked: close it"):
            await shop.try_to_buy()
        assert await shop.journal.newest() == []  # reading goes on
        other.execute("ROLLBACK")
    await shop.buy()


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
            assert _said(_process(path, "first")) == "bought"
        Path(folder).chmod(0o555)
        # Root may write anywhere, so the process becomes somebody else once it has its modules.
        become_nobody = (
            "import anyio, filelock, os\n"
            "anyio.run(anyio.lowlevel.checkpoint)\n"
            "if os.getuid() == 0: os.setuid(65534)\n"
        )
        said = _said(_process(path, "second", before=become_nobody))
        Path(folder).chmod(0o755)
    assert "HAILUO_STATE_DIR" in said
    assert "Nothing was sent or charged" in said


def _at_most_a_megabyte() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
async def test_a_full_disk_refuses_and_what_was_written_before_stays(path: Path) -> None:
    process = _process(path, "first", 1000, preexec_fn=_at_most_a_megabyte)
    said = _said(process)
    assert "Nothing was sent or charged" in said
    journal = SqliteJournal(path)
    await journal.open()
    try:
        kept = await journal.newest(limit=1000)
    finally:
        await journal.close()
    assert 0 < len(kept) < 1000
    # Each that was answered for is there, from the first on without a gap.
    numbers = sorted(int(task.task_id.partition("-")[2]) for task in kept)
    assert numbers == list(range(len(kept)))
    assert _said(_process(path, "second")) == "bought"


async def test_a_closed_journal_says_so(path: Path) -> None:
    journal = SqliteJournal(path)
    with pytest.raises(JournalError, match="is closed"):
        await journal.newest()
    await journal.close()
