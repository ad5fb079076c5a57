"""A damaged journal is replaced by a whole one or not at all, whoever dies or writes meanwhile."""

# ruff: noqa: ASYNC221, ASYNC240  # nothing else runs in this loop

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work

from .processes import answer, first, middle, start

pytestmark = pytest.mark.anyio

TASKS = 60

DIE_AT = """
def hook(event, args, at=[AT]):
    if event == "os.rename":
        at[0] -= 1
        if not at[0]:
            os.kill(os.getpid(), signal.SIGKILL)

import os, signal
sys.addaudithook(hook)
"""

WAIT_AT = """
def hook(event, args, at=[2]):
    if event == "os.rename":
        at[0] -= 1
        if not at[0]:
            print("there", flush=True)
            sys.stdin.readline()

sys.addaudithook(hook)
"""
"""Before the damaged file is moved, when the new one is whole."""


_DAMAGE = """
import sys
with open(sys.argv[1], "r+b") as file:
    page = file.read().index(b"old 030 old 030") // 4096 * 4096
    file.seek(page)
    file.write(bytes([255]) * 64)
"""
"""By another process: one that closes the file loses its locks on it, those of SQLite too."""


@pytest.fixture
def damaged(path: Path) -> Path:
    first(path, TASKS)
    middle(path)
    return path


async def _tasks(path: Path) -> set[str]:
    journal = SqliteStore(path)
    await journal.open()
    try:
        return {task.task_id for task in await journal.newest(limit=10 * TASKS)}
    finally:
        await journal.close()


async def _legible(damaged: Path) -> set[str]:
    """What a rescue that nothing disturbs carries over."""
    copy = damaged.parent / "copy" / damaged.name
    copy.parent.mkdir()
    shutil.copyfile(damaged, copy)
    found = await _tasks(copy)
    assert 5 <= len(found) < TASKS
    return found


def _hardly_any_room() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
async def test_a_rescue_that_finds_no_room_leaves_the_damaged_journal_to_the_next(
    damaged: Path,
) -> None:
    before, legible = damaged.read_bytes(), await _legible(damaged)
    said = answer(start(damaged, "second", preexec_fn=_hardly_any_room))
    assert "Nothing was sent or charged" in said
    assert damaged.read_bytes() == before
    assert not list(damaged.parent.glob("*rescu*"))
    assert await _tasks(damaged) == legible
    assert len(list(damaged.parent.glob("journal-unreadable-*.sqlite3"))) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
async def test_a_rescue_that_is_killed_at_any_step_is_ended_by_the_next(
    damaged: Path, at: int
) -> None:
    before, legible = damaged.read_bytes(), await _legible(damaged)
    killed = start(damaged, "second", before=DIE_AT.replace("AT", str(at)))
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert has_unfinished_work(damaged.parent)
    assert await _tasks(damaged) == legible
    (aside,) = damaged.parent.glob("journal-unreadable-*.sqlite3")
    assert aside.read_bytes() == before
    assert not list(damaged.parent.glob("*rescu*"))
    assert answer(start(damaged, "third")) == "refused, bought"


async def _with_a_damaged_page(shop: Any, path: Path) -> None:
    """One that a process which does not look at old tasks has no need of."""
    for number in range(TASKS):
        old = await shop.buy(prompt=f"old {number:03} " * 200)
        await shop.becomes(old, Status.FAILED)
    await shop.journal.read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    subprocess.run([sys.executable, "-I", "-S", "-c", _DAMAGE, str(path)], check=True, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody moves a file that is open")
async def test_who_has_a_journal_open_that_another_replaces_goes_on_in_the_new_one(
    shop: Any, path: Path, arrive: Callable[[str], Awaitable[Any]]
) -> None:
    bought = await shop.buy()
    await _with_a_damaged_page(shop, path)
    other = await arrive("other")
    assert other.journal.rescued is not None
    await other.journal.accept_losses(now=other.now)
    await shop.becomes(bought, Status.QUEUED, remote_id="paid for")
    assert (await other.read(bought)).remote_id == "paid for"
    new = await shop.buy(identity="new")
    assert (await other.asks_again(identity="new")).task_id == new.task_id
    await shop.journal.close()
    later = await other.buy()
    assert answer(start(path, "third")) == "bought"
    assert later.task_id in {task.task_id for task in await other.journal.newest(limit=9)}
    await other.journal.close()
    assert later.task_id in await _tasks(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody moves a file that is open")
async def test_what_is_written_while_another_process_rescues_comes_after_it_not_before(
    shop: Any, path: Path
) -> None:
    bought = await shop.buy()
    await _with_a_damaged_page(shop, path)
    rescuer = start(path, "other", before=WAIT_AT, stdin=subprocess.PIPE)
    assert rescuer.stdout
    assert rescuer.stdout.readline() == "there\n"
    writing = asyncio.ensure_future(shop.becomes(bought, Status.QUEUED, remote_id="paid for"))
    assert not (await asyncio.wait((writing,), timeout=0.3))[0]
    rescuer.communicate("go on\n", timeout=60)
    await writing
    assert (await shop.read(bought)).remote_id == "paid for"
    journal = SqliteStore(path)
    await journal.open()
    assert await journal.find("paid for")
    await journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody deletes a file that is open")
async def test_a_journal_deleted_under_a_process_is_begun_anew_with_its_name_in_it(
    shop: Any, path: Path
) -> None:
    await shop.buy()
    shutil.rmtree(path.parent)
    task = await shop.buy()
    assert {task.task_id} == await _tasks(path)
    await shop.becomes(task, Status.FAILED)
    assert await shop.journal.owners() == ["me"]


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody deletes a file that is open")
async def test_while_it_cannot_be_opened_again_every_write_says_so(shop: Any, path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")
    for _ in range(2):
        with pytest.raises(JournalError, match="cannot be opened or written"):
            await shop.buy()
    path.parent.unlink()
    await shop.buy()
