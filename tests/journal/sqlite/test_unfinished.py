"""Looking at a journal without opening it: cheap when nothing changed, never wrong when it did."""

import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from hailuo_mcp.domain.task import Status
from hailuo_mcp.journal.sqlite.unfinished import FILE_NAME, has_unfinished_work

pytestmark = pytest.mark.anyio

LOOK = (
    "import sys\n"
    "from pathlib import Path\n"
    "from hailuo_mcp.journal.sqlite.unfinished import has_unfinished_work\n"
    "print(has_unfinished_work(Path(sys.argv[1]).parent), 'sqlite3' in sys.modules)"
)


@pytest.fixture
def bought(arrive: Any, path: Path) -> Callable[..., Awaitable[None]]:
    """A process that opens the journal, buys one clip, and leaves."""

    async def bought(owner: str, *, ended: bool) -> None:
        shop = await arrive(owner)
        task = await shop.buy()
        if ended:
            await shop.becomes(task, Status.SUCCEEDED)
        await shop.journal.close()
        os.utime(path, (shop.now - 1e9, shop.now - 1e9 + int(owner, 36)))  # long ago, never alike

    return bought


def test_no_journal_needs_nobody(path: Path) -> None:
    assert not has_unfinished_work(path.parent)


async def test_a_task_that_is_due_needs_a_process(path: Path, bought: Any) -> None:
    await bought("a", ended=False)

    assert has_unfinished_work(path.parent)
    assert has_unfinished_work(path.parent)


async def test_the_second_look_at_the_same_journal_does_without_sqlite(
    path: Path, bought: Any
) -> None:
    await bought("b", ended=True)

    look = [sys.executable, "-c", LOOK, str(path)]
    looks = [(await anyio.run_process(look)).stdout for _ in range(2)]

    assert looks == [b"False True\n", b"False False\n"]


async def test_a_journal_that_was_written_just_now_is_looked_at_again(
    path: Path, bought: Any
) -> None:
    """A disk that rounds to seconds may give the next change the same time."""
    await bought("a", ended=True)
    os.utime(path, (time.time(), time.time()))

    assert not has_unfinished_work(path.parent)

    assert not path.with_name(f"{FILE_NAME}.settled").exists()


async def test_what_is_bought_after_a_look_is_seen_by_the_next(path: Path, bought: Any) -> None:
    await bought("c", ended=True)
    assert not has_unfinished_work(path.parent)

    await bought("d", ended=False)

    assert has_unfinished_work(path.parent)


async def test_what_another_process_has_bought_and_not_left_yet_is_seen(
    path: Path, bought: Any, arrive: Any
) -> None:
    await bought("e", ended=True)
    assert not has_unfinished_work(path.parent)

    other = await arrive("other")
    await other.buy()
    assert has_unfinished_work(path.parent)
    await other.journal.close()


async def test_a_note_that_is_torn_or_of_another_file_is_no_answer(path: Path, bought: Any) -> None:
    await bought("f", ended=False)

    for text in (b"", b"12", b"\xff\xff", b"1 2 3"):
        path.with_name(f"{FILE_NAME}.settled").write_bytes(text)
        assert has_unfinished_work(path.parent)
