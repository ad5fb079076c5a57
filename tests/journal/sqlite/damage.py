"""Fifty ways to damage a journal, by seed; `python tests/journal/sqlite/damage.py` prints what is left.

The journal has 300 tasks, some with prompts over several pages. It is damaged as it lies on the
disk: closed, with its write-ahead log (as a killed process leaves it), and in a state folder that
has a backup.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import JournalError
from hailuo_mcp.journal.facts import KeyTaken, Limits, Losses, Recorded
from hailuo_mcp.journal.sql import purchases
from hailuo_mcp.journal.sqlite.connection import SqliteConnection
from hailuo_mcp.journal.sqlite.store import SqliteStore

TASKS, OLDER, BACKED_UP = 300, 180, 120
NOW = 1_800_000_000.0
PAGE = 4096
NAME = "journal.sqlite3"
_LIMITS = Limits(rpm=None, budget=None, since=0.0, lease=90.0)
_LEAF, _TREE = {0x0D}, {0x02, 0x0A, 0x05}


def draft(number: int) -> Task:
    return Task(
        task_id=f"v{number:014}",
        account="minimax-cn https://api a1",
        provider="minimax-cn",
        caller=f"caller {number % 7}",
        status=Status.PENDING,
        created_at=NOW + number,
        updated_at=NOW + number,
        mode=Mode.T2V,
        model="MiniMax-Hailuo-2.3",
        prompt=f"clip {number} " * (1 + 90 * (number % 11 == 0)),
        request=f'{{"prompt": "clip {number}"}}',
        identity=f"identity {number}",
        request_key=f"key {number}" if number % 5 == 0 else "",
        amount=Decimal(2),
        owner="gone",
        due_at=NOW,
    )


async def buy(journal: SqliteStore, number: int) -> Recorded | KeyTaken | Losses:
    """KeyTaken where its identity is damaged: its key still keeps it from being bought again."""
    found = await journal.record(draft(number), Decimal(2), _LIMITS, now=NOW + number)
    assert isinstance(found, Recorded | KeyTaken | Losses), found
    return found


def _bought_again(db: SqliteConnection) -> list[int]:
    """Ask for everything once more, in one transaction: one each is what costs most."""
    found = (
        purchases.record(db, draft(number), Decimal(2), _LIMITS, now=NOW + number)
        for number in range(TASKS)
    )
    return [n for n, one in enumerate(found) if isinstance(one, Recorded) and not one.reused]


async def make(folder: Path) -> None:
    """Folders `closed`, `killed` and `older`: one history, caught at three moments."""
    at_work = folder / "at-work"
    journal = SqliteStore(at_work / NAME)
    await journal.open()
    await journal.register("gone", account="a", provider="p", base_url="b", pid=1, now=NOW)
    for number in range(TASKS):
        if number == BACKED_UP:
            await journal.back_up(NOW)
        if number == OLDER:
            await journal.close()
            shutil.copytree(at_work, folder / "older")
            journal = SqliteStore(at_work / NAME)
            await journal.open()
        if number == TASKS - 20:
            await _free_some_pages(journal)
            await journal.read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        await buy(journal, number)
        if number % 3:
            ended = {"status": Status.SUCCEEDED, "remote_id": str(10**9 + number), "due_at": 0.0}
            await journal.change(draft(number).task_id, ended, now=NOW + number)
    shutil.copytree(at_work, folder / "killed")
    await journal.close()
    shutil.copytree(at_work, folder / "closed")


async def _free_some_pages(journal: SqliteStore) -> None:
    """Codes that were issued and have expired."""
    for number in range(200):
        code = {"caller": "c" * 40, "identity": "i" * 200, "amount": Decimal(1)}
        await journal.issue_code(f"{number:064}", **code, now=NOW)
    await journal.issue_code("x", caller="", identity="", amount=None, now=NOW + 10_000)


@dataclass(frozen=True, kw_only=True)
class Damage:
    name: str
    start: str
    """Which folder it begins with."""
    do: Callable[[Path, random.Random], set[int] | None]
    """Changes the file and returns which of its pages; None where that cannot be told."""
    backups: bool = False
    seed: int = 0


def _pages(path: Path, kinds: set[int]) -> list[int]:
    data = path.read_bytes()
    return [
        number
        for number in range(2, len(data) // PAGE + 1)
        if data[(number - 1) * PAGE] in kinds and data[(number - 1) * PAGE + 3 :][:2] != b"\0\0"
    ]


def _write(path: Path, at: int, data: bytes) -> None:
    with path.open("rb+") as file:
        file.seek(at)
        file.write(data)


def _cut(path: Path, chance: random.Random) -> set[int]:
    pages = path.stat().st_size // PAGE
    left = chance.randrange(1, pages - 1)
    with path.open("rb+") as file:
        file.truncate(left * PAGE)
    return set(range(left + 1, pages + 1))


_HEADER = ((0, 5), (16, 4), (18, 0), (31, 1), (35, 2), (47, 3), (59, 1), (60, 7), (63, 1))
"""Byte and bit of what SQLite needs: the magic, sizes, formats, encoding, our own version."""


def _flip_header(at: int, bit: int) -> Callable[[Path, random.Random], set[int]]:
    def do(path: Path, _chance: random.Random) -> set[int]:
        _write(path, at, bytes([path.read_bytes()[at] ^ (1 << bit)]))
        return {1}

    return do


def _one_bit(kinds: set[int]) -> Callable[[Path, random.Random], set[int]]:
    def do(path: Path, chance: random.Random) -> set[int]:
        page = chance.choice(_pages(path, kinds))
        data = path.read_bytes()[(page - 1) * PAGE : page * PAGE]
        first = int.from_bytes(data[5:7])  # where the content of the page begins
        at = chance.randrange(first, PAGE)
        _write(path, (page - 1) * PAGE + at, bytes([data[at] ^ (1 << chance.randrange(8))]))
        return {page}

    return do


def _spoil(kinds: set[int]) -> Callable[[Path, random.Random], set[int]]:
    def do(path: Path, chance: random.Random) -> set[int]:
        page = chance.choice(_pages(path, kinds))
        _write(path, (page - 1) * PAGE + chance.randrange(PAGE - 64), chance.randbytes(64))
        return {page}

    return do


def _spoil_free(path: Path, chance: random.Random) -> set[int]:
    data = path.read_bytes()
    trunk, count = int.from_bytes(data[32:36]), int.from_bytes(data[36:40])
    assert count, "there is a free list"
    _write(path, (trunk - 1) * PAGE + chance.randrange(8), chance.randbytes(16))
    return {trunk}


def _spoil_wal(path: Path, chance: random.Random) -> None:
    wal = path.with_name(path.name + "-wal")
    _write(wal, chance.randrange(wal.stat().st_size - 64), chance.randbytes(64))


def _cut_wal(path: Path, chance: random.Random) -> None:
    wal = path.with_name(path.name + "-wal")
    with wal.open("rb+") as file:
        file.truncate(chance.randrange(wal.stat().st_size))


def _lose(tail: str) -> Callable[[Path, random.Random], None]:
    return lambda path, _chance: path.with_name(path.name + tail).unlink()


def _empty(path: Path, _chance: random.Random) -> None:
    path.write_bytes(b"")


def _zeros(path: Path, _chance: random.Random) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _older(path: Path, _chance: random.Random) -> None:
    shutil.copyfile(path.parent.parent / "older" / NAME, path)


_SEEDED: tuple[tuple[str, str, Callable[[Path, random.Random], set[int] | None], int], ...] = (
    ("cut at a page", "closed", _cut, 4),
    ("cut at a page, its log left", "killed", _cut, 4),
    *((f"header, byte {at}", "closed", _flip_header(at, bit), 1) for at, bit in _HEADER),
    ("one bit of an index", "closed", _one_bit({0x0A}), 4),
    ("one bit of a table", "closed", _one_bit(_LEAF), 4),
    ("64 bytes of an index", "closed", _spoil({0x0A}), 4),
    ("64 bytes of a table", "closed", _spoil(_LEAF), 4),
    ("a branch of a tree", "closed", _spoil(_TREE), 3),
    ("free list", "closed", _spoil_free, 3),
    ("log spoilt", "killed", _spoil_wal, 5),
    ("log cut", "killed", _cut_wal, 3),
    ("log lost", "killed", _lose("-wal"), 1),
    ("emptied", "closed", _empty, 1),
    ("deleted", "closed", _lose(""), 1),
    ("deleted, its log left", "killed", _lose(""), 1),
    ("an older copy", "closed", _older, 1),
    ("an older copy, its log left", "killed", _older, 1),
)
"""Name, the folder it begins with, what is done, and how many times."""
_WITH_BACKUP = (("emptied", _empty), ("deleted", _lose("")), ("all zeros", _zeros), ("cut", _cut))


def damages() -> Iterator[Damage]:
    for name, start, do, times in _SEEDED:
        for seed in range(times):
            yield Damage(name=name, start=start, do=do, seed=seed)
    for name, do in _WITH_BACKUP:
        yield Damage(name=f"{name}, with a backup", start="closed", do=do, backups=True)


@dataclass(kw_only=True)
class Outcome:
    damage: Damage
    carried: int = 0
    intact: int | None = None
    """Tasks none of whose pages were touched; None where that cannot be told."""
    kept_of_intact: int = 0
    refused: bool = False
    bought_again: list[int] = field(default_factory=list)
    budget_short: bool = False
    """The reserved and spent sum is too small, and purchases go on."""


async def suffer(folder: Path, damage: Damage, *, checked_later: bool = False) -> Outcome:
    """Damage a copy of the state folder, start again, and ask for everything once more.

    `checked_later`: as a large journal, when its check in the background has ended.
    """
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    shutil.copytree(folder / damage.start, state)
    if not damage.backups:
        shutil.rmtree(state / "backups")
    pages = _pages_of_tasks(folder) if damage.start == "closed" else {}
    touched = damage.do(state / NAME, random.Random(f"{damage.name} {damage.seed}"))
    outcome = Outcome(damage=damage)
    journal = SqliteStore(state / NAME)
    await journal.open()
    try:
        if checked_later:
            journal.background.wait()
            with suppress(JournalError):  # it cannot even be written
                await journal.reset_backoff("any write")
        there = {task.task_id for task in await journal.newest(limit=10 * TASKS)}
        outcome.carried = len(there)
        outcome.refused = journal.losses is not None
        if touched is not None and pages:
            intact = {task_id for task_id, own in pages.items() if not own & touched}
            outcome.intact, outcome.kept_of_intact = len(intact), len(intact & there)
        sums = await journal.sums(draft(0).account, draft(0).unit, 0.0)
        short = sums.spent + sums.reserved < 2 * TASKS
        outcome.budget_short = short and not outcome.refused
        outcome.bought_again = await journal.write(_bought_again)
    finally:
        await journal.close()
    return outcome


@cache
def _pages_of_tasks(folder: Path) -> dict[str, set[int]]:
    """On which pages of the whole file each task stands, by looking for its own words in them."""
    path = folder / "closed" / NAME
    data = path.read_bytes()
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as db:
        prompts = dict(db.execute("SELECT task_id, prompt FROM tasks").fetchall())
    return {task_id: set(_pages_with(data, task_id, prompt)) for task_id, prompt in prompts.items()}


def _pages_with(data: bytes, task_id: str, prompt: str) -> Iterator[int]:
    for number in range(1, len(data) // PAGE + 1):
        page = data[(number - 1) * PAGE : number * PAGE]
        if page[0] == 0x0D and task_id.encode() in page:
            yield number
        elif page[0] == 0 and prompt[:40].encode() in page:
            yield number  # an overflow page


async def _print_all() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        await make(folder)
        print(f"{'damage':32}{'seed':>5}{'carried':>9}{'of intact':>14}  purchases")
        kept = intact = 0
        for damage in damages():
            outcome = await suffer(folder, damage)
            share = "" if outcome.intact is None else f"{outcome.kept_of_intact}/{outcome.intact}"
            kept, intact = kept + outcome.kept_of_intact, intact + (outcome.intact or 0)
            state = "refused until accepted" if outcome.refused else "go on"
            state += f", {len(outcome.bought_again)} BOUGHT AGAIN" if outcome.bought_again else ""
            state += ", BUDGET SHORT" if outcome.budget_short else ""
            print(f"{damage.name:32}{damage.seed:5}{outcome.carried:9}{share:>14}  {state}")
        print(f"rows on intact pages carried over: {kept}/{intact} = {kept / intact:.2%}")


if __name__ == "__main__":
    sys.exit(asyncio.run(_print_all()))
