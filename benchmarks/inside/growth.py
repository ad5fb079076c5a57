"""Times a store's methods in journals of different sizes and prints how they grow.

`python benchmarks/inside/growth.py PLACE 10000 100000 1000000`: PLACE is a folder for SQLite's
journals, or the URL of a PostgreSQL database, which gets a schema for each size. The journals are
of one shape: 200 callers, two years, all statuses, one task in twenty in the last six hours, 500
unfinished. They are kept for the next run. Each round asks all of them, so that a busy moment of
the machine meets all sizes. The times are those of the awaited call, with the way to the thread.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median

from hailuo_mcp.domain.requests import Mode
from hailuo_mcp.domain.task import Money, Status, Task, Unit
from hailuo_mcp.journal.facts import Capacity, Limits
from hailuo_mcp.journal.sql.rows import COLUMNS, INSERT, marks, row_of
from hailuo_mcp.journal.sqlite import mark, schema
from hailuo_mcp.journal.sqlite.store import SqliteStore
from hailuo_mcp.journal.store import Store

Found = dict[str, dict[int, list[float]]]

CALLERS, YEARS, BUSY_HOURS, UNFINISHED = 200, 2, 6, 500
ACCOUNTS = tuple(f"minimax-cn https://api.minimaxi.com {n:016x}" for n in range(3))
UNITS = (Unit.CNY, Unit.CREDITS, Unit.USD)
FEW, MANY, ROUNDS = "caller 199", "caller 0", 100
LIMITS = Limits(rpm=None, budget=Decimal(10**12), since=0.0, lease=90)
CAPACITY = Capacity(rpm=20, sends=0, steps=0, submit_lease=90, lease=30)

KILLED = """
import asyncio, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from growth import ACCOUNTS, SqliteStore, bought
async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await store.open()
    await store.register("killed", account=ACCOUNTS[0], provider="p", base_url="b", pid=1, now=1.0)
    await bought(store)
    os._exit(9)
asyncio.run(main())
"""


def made(count: int, now: float) -> Iterator[Task]:
    chance = random.Random(1)
    weights = [1 / (number + 1) for number in range(CALLERS - 1)]
    names = [f"caller {number}" for number in range(CALLERS - 1)]
    callers = chance.choices(names, weights, k=count)
    busy = count // 20
    old = sorted(chance.uniform(0, YEARS * 365 * 86_400) for _ in range(count - busy))
    new = sorted(chance.uniform(0, BUSY_HOURS * 3600) for _ in range(busy))
    start, late = now - YEARS * 365 * 86_400 - BUSY_HOURS * 3600, now - BUSY_HOURS * 3600
    for number, at in enumerate([start + one for one in old] + [late + one for one in new]):
        open_ = number >= count - UNFINISHED
        kinds: dict[Status, int] = (
            {Status.PENDING: 10, Status.SUBMITTING: 1, Status.QUEUED: 40, Status.RUNNING: 49}
            if open_
            else {
                Status.SUCCEEDED: 86,
                Status.FAILED: 8,
                Status.CANCELLED: 3,
                Status.UNCONFIRMED: 3,
            }
        )
        status = chance.choices(list(kinds), list(kinds.values()))[0]
        money = {Status.SUCCEEDED: Money.SPENT, Status.FAILED: Money.RELEASED}
        money |= {Status.CANCELLED: Money.RELEASED}
        sent = status in (Status.SUCCEEDED, Status.QUEUED, Status.RUNNING)
        saved = status is Status.SUCCEEDED and number % (count // 40) != 0
        which = chance.choices((0, 1, 2), (90, 7, 3))[0]
        text = f"Shot {number}: a lighthouse at dusk, waves, slow push in, gulls. " * 3
        yield Task(
            task_id=f"v{int(at * 1000):x}{number:06x}",
            account=ACCOUNTS[which],
            provider="minimax-cn",
            caller=FEW if number % max(1, count // 5) == 7 else callers[number],
            status=status,
            created_at=at,
            updated_at=at + 90,
            mode=Mode.T2V,
            model=("MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02", "S2V-01")[number % 3],
            duration=6,
            resolution="768P" if number % 4 else None,
            prompt=text,
            request=json.dumps({"prompt": text, "model": "MiniMax-Hailuo-2.3"}),
            identity=f"{number:064x}",
            request_key=f"key {number}" if number % 10 == 0 else "",
            attempt=1,
            remote_id=f"{number:018d}" if sent else "",
            amount=Decimal(2),
            unit=UNITS[which],
            money=money.get(status, Money.RESERVED),
            owner=f"process {number % 3}" if status in (Status.PENDING, Status.SUBMITTING) else "",
            lease_until=now + 60 if status is Status.SUBMITTING else 0.0,
            due_at=now + chance.uniform(1, 600) if open_ else 0.0,
            submitted_at=at if sent else None,
            unfinished_at=at + 80 if status is Status.SUCCEEDED else None,
            finished_at=at + 90 if status is Status.SUCCEEDED else None,
            file=f"/videos/{number}.mp4" if saved else "",
            bytes=6_000_000,
            sha256=f"{number:064x}" if status is Status.SUCCEEDED else "",
            callback_token=f"token {number}" if open_ else "",
        )


def fill_sqlite(folder: Path, count: int) -> None:
    """As the version before the running totals left it, so that the next opening migrates."""
    with closing(sqlite3.connect(folder / "journal.sqlite3", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        schema.migrate(db, to=2)
        there = [name for (name,) in db.execute("SELECT name FROM pragma_table_info('tasks')")]
        known = [(*COLUMNS, "counted", "seal").index(n) for n in there if n != "detail"]
        statement = f"INSERT INTO tasks ({', '.join(n for n in there if n != 'detail')})"
        rows = (row_of(task, Decimal(2)) for task in made(count, time.time()))
        db.execute("BEGIN")
        db.executemany(
            f"{statement} VALUES ({marks(known)})", ([row[n] for n in known] for row in rows)
        )
        for account in ACCOUNTS:
            db.execute(
                "INSERT INTO accounts (account, provider, base_url) VALUES (?, 'p', 'b')",
                (account,),
            )
        db.execute("COMMIT")
        mark.write(folder / "journal.sqlite3", mark.of(db))


def fill_postgres(url: str, rows: Iterator[tuple[object, ...]]) -> None:
    """Into the empty tables of a store that was opened once: the totals are added up at the end."""
    import psycopg

    with psycopg.connect(url) as db:
        db.execute("ALTER TABLE tasks DISABLE TRIGGER USER")
        columns = INSERT[INSERT.index("(") : INSERT.index(")") + 1]
        with db.cursor().copy(f"COPY tasks {columns} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        db.execute("ALTER TABLE tasks ENABLE TRIGGER USER")
        for account in ACCOUNTS:
            db.execute(
                "INSERT INTO accounts (account, provider, base_url) VALUES (%s, 'p', 'b')"
                " ON CONFLICT DO NOTHING",
                (account,),
            )
        db.execute(_ADDED_UP.encode())
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("VACUUM ANALYZE")


_ADDED_UP = """
    INSERT INTO totals SELECT account, unit, COUNT(*),
        SUM(CASE WHEN money IN ('spent', 'reserved') THEN counted ELSE 0 END), COUNT(*)
        FROM tasks GROUP BY 1, 2;
    INSERT INTO caller_counts
        SELECT caller, account, status, COUNT(*) FROM tasks GROUP BY 1, 2, 3;
    INSERT INTO account_counts SELECT account, status, SUM(tasks) FROM caller_counts GROUP BY 1, 2;
    INSERT INTO caller_spending
        SELECT account, caller, span, floor(created_at / span)::BIGINT * span, unit,
            SUM(CASE WHEN money = 'spent' THEN counted ELSE 0 END),
            SUM(CASE WHEN money = 'reserved' THEN counted ELSE 0 END),
            SUM(CASE WHEN money = 'reserved' AND status = 'unconfirmed' THEN counted ELSE 0 END)
        FROM tasks, unnest(ARRAY[900, 86400, 100000000000]) AS span
        WHERE money IN ('spent', 'reserved') GROUP BY 1, 2, 3, 4, 5;
    INSERT INTO account_spending
        SELECT account, span, start, unit, SUM(spent), SUM(reserved), SUM(uncertain)
        FROM caller_spending GROUP BY 1, 2, 3, 4
"""


def draft() -> Task:
    number = random.randrange(10**12)
    return Task(
        task_id=f"w{number:x}",
        account=ACCOUNTS[0],
        provider="minimax-cn",
        caller=MANY,
        status=Status.PENDING,
        created_at=time.time(),
        updated_at=time.time(),
        mode=Mode.T2V,
        model="MiniMax-Hailuo-2.3",
        prompt="A lighthouse at dusk. " * 9,
        request=json.dumps({"prompt": "A lighthouse at dusk. " * 9}),
        identity=f"new {number}",
        amount=Decimal(2),
        unit=Unit.CNY,
        owner="me",
        due_at=time.time(),
    )


async def bought(store: Store) -> Task:
    found = await store.record(draft(), Decimal(2), LIMITS, now=time.time())
    return found.task  # type: ignore[union-attr]


def asked(store: Store, known: list[Task]) -> dict[str, Callable[[], Awaitable[object]]]:
    now = time.time()
    midnight = now // 86_400 * 86_400 - 5.75 * 3600  # where clocks are 5:45 ahead
    month = midnight - 27 * 86_400
    account, cny = ACCOUNTS[0], Unit.CNY
    chance = random.Random(3)

    def one() -> Task:
        return chance.choice(known)

    return {
        "list, newest of all": store.newest,
        "list, a caller of many": lambda: store.newest(caller=MANY),
        "list, a caller of few": lambda: store.newest(caller=FEW),
        "list, failed": lambda: store.newest(statuses=(Status.FAILED,)),
        "list, unfinished": lambda: store.newest(
            statuses=(Status.PENDING, Status.SUBMITTING, Status.QUEUED, Status.RUNNING)
        ),
        "list, unconfirmed of a caller": lambda: store.newest(
            caller=MANY, statuses=(Status.UNCONFIRMED,)
        ),
        "list, unsaved": lambda: store.newest(statuses=(Status.SUCCEEDED,), saved=False),
        "list, saved of a caller of few": lambda: store.newest(
            caller=FEW, statuses=(Status.SUCCEEDED,), saved=True
        ),
        "find by task id": lambda: store.find(one().task_id),
        "find by remote id": lambda: store.find(one().remote_id),
        "find, unknown": lambda: store.find("unknown", caller=MANY),
        "find the same request": lambda: store.find_existing(
            replace(draft(), identity=one().identity), now=now
        ),
        "sum of a day": lambda: store.sums(account, cny, midnight),
        "sum of a month": lambda: store.sums(account, cny, month),
        "sum of all time": lambda: store.sums(account, cny, 0.0),
        "sum of a caller's day": lambda: store.sums(account, cny, midnight, caller=MANY),
        "sum of a caller's month": lambda: store.sums(account, cny, month, caller=MANY),
        "sum of a caller's all time": lambda: store.sums(account, cny, 0.0, caller=MANY),
        "counts by status": store.counts,
        "counts of a caller": lambda: store.counts(caller=MANY),
        "what is due": lambda: store.claim([account], "me", CAPACITY, now=now - 60),
        "owners": store.owners,
        "recover": lambda: store.recover(["nobody"], now=now),
        "unattended accounts": lambda: store.unattended_accounts(account, "p", "b", ["me"]),
        "submitting": lambda: store.submitting("process 1"),
        "render times": lambda: store.render_times("minimax-cn", "S2V-01", "768P", 6),
        "render times, no size": lambda: store.render_times("minimax-cn", "S2V-01", None, 6),
        "others await ids": lambda: store.others_await_ids(account, MANY),
        "pictures in use": lambda: store.pictures_in_use(now=now),
        "in flight": lambda: store.in_flight(account),
    }


class Writing:
    """A purchase, then a poll of it, then its end."""

    def __init__(self, store: Store) -> None:
        self.store, self.task = store, draft()

    async def buy(self) -> None:
        self.task = await bought(self.store)

    async def start(self) -> None:
        await self._becomes(Status.QUEUED, remote_id=f"r{self.task.task_id}")

    async def poll(self) -> None:
        await self._becomes(Status.RUNNING)

    async def poll_again(self) -> None:
        await self._becomes(Status.RUNNING)

    async def end(self) -> None:
        await self._becomes(Status.SUCCEEDED, finished_at=time.time())

    async def _becomes(self, status: Status, **more: object) -> None:
        now = time.time()
        values = {"status": status, "polled_at": now, "due_at": 0.0, "owner": ""}
        changed = await self.store.change(self.task.task_id, {**values, **more}, now=now)
        assert changed


async def timed(ask: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await ask()
    return (time.perf_counter() - begun) * 1000


def starts(path: Path, *, kill: bool = False, checked: bool = False) -> float:
    """The time to open the file, in a loop of its own; `checked`: until it is checked, too."""
    if kill:
        here = str(Path(__file__).parent)
        subprocess.run([sys.executable, "-c", KILLED, str(path), here], check=False, timeout=600)

    async def main() -> float:
        store = SqliteStore(path)
        begun = time.perf_counter()
        await store.open()
        if checked:
            store.background.wait()
        took = (time.perf_counter() - begun) * 1000
        await store.close()
        return took

    return asyncio.run(main())


async def measured(stores: dict[int, Store]) -> Found:
    found: Found = {}
    questions, writing = {}, {}
    for size, store in stores.items():
        await store.open()
        await store.register(
            "me", account=ACCOUNTS[0], provider="p", base_url="b", pid=1, now=time.time()
        )
        known = await store.newest(statuses=(Status.SUCCEEDED,), limit=1000)
        questions[size] = asked(store, known)
        one = Writing(store)
        writing[size] = {
            "write: a purchase": one.buy,
            "write: accepted": one.start,
            "write: a poll": one.poll,
            "write: the same status": one.poll_again,
            "write: the end": one.end,
        }
    for turn in range(ROUNDS):
        for all_ in (questions, writing):
            for name in next(iter(all_.values())):
                for size in stores if turn % 2 else reversed(stores):
                    took = await timed(all_[size][name])
                    if turn > 2:
                        found.setdefault(name, {}).setdefault(size, []).append(took)
    for store in stores.values():
        await store.close("me")
    return found


def postgres(url: str, size: int, found: Found) -> Store:
    """A store on a schema of this size, which is made where there is none; and its openings."""
    import psycopg

    from hailuo_mcp.journal.postgres.store import PostgresStore

    store = PostgresStore(f"{url}?options=-csearch_path%3Dgrowth{size}")
    with psycopg.connect(url, autocommit=True) as db:
        known = db.execute(f"SELECT to_regclass('growth{size}.tasks')".encode()).fetchone()
        db.execute(f"CREATE SCHEMA IF NOT EXISTS growth{size}".encode())
    if known == (None,):

        async def make() -> None:
            await store.open()
            await store.close()

        asyncio.run(make())
        rows = (row_of(task, Decimal(2)) for task in made(size, time.time()))
        fill_postgres(f"{url}?options=-csearch_path%3Dgrowth{size}", rows)
        return postgres(url, size, found)

    async def open_(store: Store) -> float:
        took = await timed(store.open)
        await store.close()
        return took

    for _ in range(9):
        one = PostgresStore(f"{url}?options=-csearch_path%3Dgrowth{size}")
        found.setdefault("open", {}).setdefault(size, []).append(asyncio.run(open_(one)))
    return store


def sqlite(folder: Path, size: int, found: Found) -> Store:
    """A store in a folder of this size, which is made where there is none; and its openings."""
    path = folder / str(size) / "journal.sqlite3"
    if not path.exists():
        path.parent.mkdir(parents=True)
        fill_sqlite(path.parent, size)
    with closing(sqlite3.connect(path)) as db:
        old = schema.version(db) < schema.VERSION
    plan = (("migration", False, False),) * old
    plan += (("open, after a kill", True, False),) * 5
    plan += (("open and check everything", True, True),)
    plan += (("open, left clean", False, False),) * 9
    for name, kill, checked in plan:
        took = starts(path, kill=kill, checked=checked)
        found.setdefault(name, {}).setdefault(size, []).append(took)
    return SqliteStore(path)


def main() -> None:
    parser = ArgumentParser()
    parser.add_argument("place", help="a folder, or the URL of a database")
    parser.add_argument("sizes", type=int, nargs="+")
    args = parser.parse_args()
    found: Found = {}
    stores: dict[int, Store] = {}
    for size in args.sizes:
        if "://" in args.place:
            stores[size] = postgres(args.place, size, found)
        else:
            stores[size] = sqlite(Path(args.place), size, found)
        print(f"{size:,} made and opened", file=sys.stderr)
    found |= asyncio.run(measured(stores))
    print("| ms, median | " + " | ".join(f"{size:,}" for size in args.sizes) + " | last ÷ first |")
    print("| --- " * (len(args.sizes) + 2) + "|")
    for name, by_size in found.items():
        values = [median(by_size[size]) for size in args.sizes]
        cells = " | ".join(f"{value:.3g}" for value in values)
        print(f"| {name} | {cells} | {values[-1] / values[0]:.2f} |")
        if name.startswith("write"):
            tails = [sorted(by_size[size])[int(0.99 * len(by_size[size]))] for size in args.sizes]
            cells = " | ".join(f"{value:.3g}" for value in tails)
            print(f"| {name}, p99 | {cells} | {tails[-1] / tails[0]:.2f} |")


if __name__ == "__main__":
    main()
