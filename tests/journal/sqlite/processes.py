"""Other processes that open a journal and buy, and what can happen to a file."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import warm

_OPEN_AND_BUY = """
import asyncio, sys
from decimal import Decimal
from pathlib import Path
from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import Limits, Losses, Recorded
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.wording.person import error_text

BEFORE
async def main(path, name):
    journal = SqliteStore(Path(path))
    try:
        await journal.open()
        await journal.register(name, account="a", provider="p", base_url="b", pid=1, now=1.0)
        for number in range(int(sys.argv[3])):
            task = Task(task_id=f"{name}-{number}", account="a", provider="p", caller="",
                        status=Status.PENDING, created_at=1.0, updated_at=1.0, mode=Mode.T2V,
                        model="m", identity=f"{name} {number}", request="x" * 2000)
            limits = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
            found = await journal.record(task, Decimal(1), limits, now=1.0)
            if isinstance(found, Losses):
                print("refused", end=", ")
                break
            assert isinstance(found, Recorded)
        print("set aside" if journal.rescued else "bought")
    except JournalError as no:
        print(error_text(no))
    finally:
        await journal.close()

RUN
"""
_RUN = "asyncio.run(main(sys.argv[1], sys.argv[2]))"
_RUN_TOGETHER = """
import os
begin, go = os.pipe()
processes = []
for number in range(int(sys.argv[2])):
    processes.append(os.fork())
    if not processes[-1]:
        os.close(go)
        os.read(begin, 1)
        asyncio.run(main(sys.argv[1], f"p{number}"))
        sys.stdout.flush()
        os._exit(0)
os.close(go)
assert not any(os.waitpid(one, 0)[1] for one in processes)
"""
"""A process each, which has imported everything; all begin when the pipe is closed."""


def start(
    path: Path, name: str, purchases: int = 3, *, before: str = "", run: str = _RUN, **more: Any
) -> subprocess.Popen[str]:
    script = _OPEN_AND_BUY.replace("BEFORE\n", before).replace("RUN\n", f"{run}\n")
    # What is set in the process itself, before it becomes the program, is not handed over.
    python = (sys.executable,) if "preexec_fn" in more else warm.python()
    return subprocess.Popen(
        [*python, "-c", script, str(path), name, str(purchases)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def answer(started: subprocess.Popen[str]) -> str:
    out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    return out.strip()


def together(path: Path, many: int) -> list[str]:
    """What so many processes say that open it at one moment."""
    if sys.platform == "win32":
        return [answer(one) for one in [start(path, f"p{number}") for number in range(many)]]
    return answer(start(path, str(many), run=_RUN_TOGETHER)).splitlines()


def first(path: Path, purchases: int = 3) -> None:
    """The journal as a process named `first` left it that bought so many."""
    shutil.copytree(_left_by_the_first(purchases), path.parent, dirs_exist_ok=True)


@cache
def _left_by_the_first(purchases: int) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="hailuo-journal-"))
    atexit.register(shutil.rmtree, folder)
    assert answer(start(folder / "journal.sqlite3", "first", purchases)) == "bought"
    return folder


def header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:100] = b"\xff" * 100
    path.write_bytes(data)


def middle(path: Path) -> None:
    """Two pages of tasks, wherever those are in the file."""
    data = bytearray(path.read_bytes())
    tasks = [
        at for at in range(0, len(data), 4096) if data[at] == 0x0D and b"xxx" in data[at:][:4096]
    ]
    for at in tasks[len(tasks) // 2 :][:2]:
        data[at : at + 4096] = b"\xa5" * 4096
    path.write_bytes(data)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def everything(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))
