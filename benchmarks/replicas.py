"""How much replicas and their journal carry: purchases a second, whole clips a minute.

    python benchmarks/replicas.py [--only purchases|clips] [--seconds 15] [--rounds 3]

A provider that answers at once, replicas as `hailuo-mcp serve`, a PostgreSQL server that syncs each
commit to the disk, callers over kept connections in the newer era. All of them are on this
computer and take CPU time from each other, so the CPU time for each purchase or clip is the figure
to plan with. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

import postgres
import psycopg
from rig import accounting
from rig.caller import Caller
from rig.http_session import free_port
from rig.report import percentile

HERE = Path(__file__).parent
STORES = ("sqlite", "postgres")
CLIP_BYTES = 6_000_000
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "HOME")


@dataclass
class Load:
    """One store, so many replicas."""

    store: str
    count: int
    folder: Path
    provider: str
    database: postgres.Server | None
    callbacks: bool
    replicas: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def start(self) -> None:
        for number in range(self.count):
            port = free_port()
            state = "state" if self.store == "sqlite" else f"state-{number}"
            env = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
                "HAILUO_PROVIDER": "minimax-cn",
                "HAILUO_API_KEY": "a-key",
                "HAILUO_BASE_URL": self.provider,
                "HAILUO_ALLOWED_HOSTS_PRIVATE": "127.0.0.1",
                "HAILUO_STATE_DIR": str(self.folder / state),
                "HAILUO_OUTPUT_DIR": str(self.folder / "clips"),
                "HAILUO_RPM": "100000",
            }
            if self.callbacks:
                env["HAILUO_CALLBACK_URL"] = f"http://127.0.0.1:{port}"
            if self.database is not None:
                env["HAILUO_DATABASE_URL"] = self.database.url
            command = [sys.executable, "-m", "hailuo_mcp", "serve", "--transport", "http"]
            with (self.folder / f"replica-{number}.log").open("ab") as log:
                self.replicas.append(
                    subprocess.Popen(
                        [*command, "--port", str(port)], env=env, stdout=log, stderr=log
                    )
                )
            self.ports.append(port)

    async def listening(self) -> None:
        for port in self.ports:
            async with asyncio.timeout(60):
                while all(process.poll() is None for process in self.replicas):
                    with contextlib.suppress(OSError):
                        (await asyncio.open_connection("127.0.0.1", port))[1].close()
                        break
                    await asyncio.sleep(0.05)
                else:
                    logs = [it.read_text() for it in self.folder.glob("replica-*.log")]
                    raise RuntimeError(f"a replica ended: {logs}")

    def stop(self) -> None:
        for process in self.replicas:
            process.kill()
            process.wait()

    def cpu(self) -> tuple[float, float]:
        """Seconds of CPU so far, of the replicas and of the database."""
        own = sum(accounting.cpu_seconds(process.pid) for process in self.replicas)
        return own, _database_cpu(self.database) if self.database else 0.0


@contextlib.contextmanager
def load(store: str, count: int, provider: str, *, callbacks: bool) -> Iterator[Load]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        database = stack.enter_context(durable_database()) if store == "postgres" else None
        one = Load(store, count, folder, provider, database, callbacks)
        one.start()
        stack.callback(one.stop)
        yield one


@contextlib.contextmanager
def durable_database() -> Iterator[postgres.Server]:
    """A server of its own, which syncs each commit to the disk."""
    folder = Path(tempfile.mkdtemp(prefix="hailuo-pg-"))
    os.environ[postgres.FOLDER] = str(folder)
    server = postgres.Server(folder)
    try:
        with psycopg.connect(server.start(), autocommit=True) as db:
            for setting in ("fsync = on", "full_page_writes = on", "shared_buffers = '128MB'"):
                db.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[call-overload]
        server.stop()
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(f"{folder}-programs", ignore_errors=True)


def _database_cpu(server: postgres.Server) -> float:
    """Seconds of CPU of all of the server's processes, those that have ended included."""
    first = int((server.data / "postmaster.pid").read_text().split()[0])
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if first in (int(stat.parent.name), int(fields[1])):
                ended = sum(map(int, fields[13:15])) if int(stat.parent.name) == first else 0
                total += (sum(map(int, fields[11:13])) + ended) / accounting.TICK
    return total


@contextlib.contextmanager
def provider() -> Iterator[tuple[str, int]]:
    with tempfile.TemporaryDirectory(prefix="provider-") as folder:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "rig" / "provider.py"), folder, f"--bytes={CLIP_BYTES}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        try:
            yield f"http://{process.stdout.readline().strip()}", process.pid
        finally:
            process.kill()
            process.wait()


@dataclass
class Measured:
    store: str
    replicas: int
    callers: int
    done: int
    seconds: float
    waits: list[float]
    cpu: float
    database_cpu: float

    def row(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "replicas": self.replicas,
            "callers": self.callers,
            "done": self.done,
            "per_second": round(self.done / self.seconds, 2),
            "median_ms": round(median(self.waits) * 1000, 2),
            "p99_ms": round(percentile(self.waits, 0.99) * 1000, 2),
            "replica_cpu_ms": round(self.cpu / self.done * 1000, 2),
            "database_cpu_ms": round(self.database_cpu / self.done * 1000, 2),
            "cores_busy": round((self.cpu + self.database_cpu) / self.seconds, 2),
        }


async def _measure(
    one: Load, callers: int, seconds: float, prompt: str, *, whole: bool
) -> Measured:
    """Buy for so long, each caller one after the other; `whole`: wait for each file, too."""
    await one.listening()
    waits: list[float] = []
    done = 0
    deadline = 0.0

    async def caller(number: int, warm: asyncio.Event, ready: asyncio.Semaphore) -> None:
        nonlocal done
        async with Caller(one.ports[number % one.count]) as client:
            await client.call("generate_video", prompt=f"warm up {number} {prompt}")
            ready.release()
            await warm.wait()
            turn = 0
            while time.monotonic() < deadline:
                turn += 1
                begun = time.perf_counter()
                made = await client.call("generate_video", prompt=f"boat {number} {turn} {prompt}")
                if not whole:
                    waits.append(time.perf_counter() - begun)
                while whole:
                    wanted = {"task_id": made["task_id"], "wait_seconds": 20}
                    found = await client.call("query_task", **wanted)
                    if found.get("url") or found.get("file"):
                        waits.append(time.perf_counter() - begun)
                        break
                done += 1

    warm, ready = asyncio.Event(), asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        for number in range(callers):
            group.create_task(caller(number, warm, ready))
        for _ in range(callers):
            await ready.acquire()
        before, begun = one.cpu(), time.monotonic()
        deadline = begun + seconds
        warm.set()
    took = time.monotonic() - begun
    after = one.cpu()
    cpu, database = (end - start for start, end in zip(before, after, strict=True))
    return Measured(one.store, one.count, callers, done, took, waits, cpu, database)


async def purchases(rounds: int, seconds: float) -> list[dict[str, Any]]:
    """One replica: generate_video until the provider's answer is recorded, store beside store."""
    rows = []
    for turn in range(rounds):
        for callers in (1, 16):
            for store in STORES if turn % 2 == 0 else reversed(STORES):
                with provider() as (url, _), load(store, 1, url, callbacks=False) as one:
                    found = await _measure(one, callers, seconds, "[ready:3600]", whole=False)
                rows.append({"row": "purchases", "round": turn, **found.row()})
                print(json.dumps(rows[-1]), flush=True)
    return rows


async def clips(rounds: int, seconds: float, replicas: Sequence[int]) -> list[dict[str, Any]]:
    """From the purchase to the file on the disk, with callbacks."""
    rows = []
    for turn in range(rounds):
        for store, count in [("sqlite", 1), *(("postgres", count) for count in replicas)]:
            with provider() as (url, _), load(store, count, url, callbacks=True) as one:
                found = await _measure(one, 32, seconds, "[ready:1]", whole=True)
            rows.append({"row": "clips", "round": turn, **found.row()})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The medians of the rounds, and PostgreSQL's beside SQLite's of the same round."""
    kinds = dict.fromkeys((it["row"], it["store"], it["replicas"], it["callers"]) for it in rows)
    names = ("per_second", "median_ms", "p99_ms", "replica_cpu_ms", "database_cpu_ms", "cores_busy")
    yield "| row | store | replicas | callers | " + " | ".join(names) + " |"
    yield "|" + " --- |" * (4 + len(names))
    for kind in kinds:
        own = [it for it in rows if (it["row"], it["store"], it["replicas"], it["callers"]) == kind]
        figures = [f"{median(it[name] for it in own):.4g}" for name in names]
        yield "| " + " | ".join([*map(str, kind), *figures]) + " |"
    for row in dict.fromkeys(it["row"] for it in rows):
        for callers in dict.fromkeys(it["callers"] for it in rows if it["row"] == row):
            same = [
                it for it in rows if (it["row"], it["replicas"], it["callers"]) == (row, 1, callers)
            ]
            by = {(it["store"], it["round"]): it["per_second"] for it in same}
            ratios = [
                by["postgres", turn] / by["sqlite", turn]
                for turn in {it["round"] for it in same}
                if ("postgres", turn) in by and ("sqlite", turn) in by
            ]
            if ratios:
                yield f"{row}, {callers} callers: PostgreSQL {median(ratios):.2f} × SQLite"


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=("purchases", "clips"))
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--out", type=Path, default=HERE / "results" / "replicas.json")
    chosen = parser.parse_args()
    rows = []
    if chosen.only != "clips":
        rows += await purchases(chosen.rounds, chosen.seconds)
    if chosen.only != "purchases":
        rows += await clips(chosen.rounds, chosen.seconds, chosen.replicas)
    chosen.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print("\n".join(summary(rows)))


if __name__ == "__main__":
    asyncio.run(main())
