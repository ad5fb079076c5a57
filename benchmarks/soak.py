"""A day of a team server, pressed into ten minutes: what grows, and does it end?

    python benchmarks/soak.py --hours 24 --clock 144        # a day, its clock 144 times as fast
    python benchmarks/soak.py --minutes 60 --clock 1       # an hour in real time
    python benchmarks/soak.py --show benchmarks/results/soak-day.jsonl    # its curves again
    python benchmarks/soak.py --publish                    # both into docs/performance.md

A real `hailuo-mcp serve` with tenants, budgets, callbacks and SSE, and the sandbox as its provider,
each in a process of its own (rig/fast_process.py); a team (rig/team.py) that buys, asks, uploads,
leaves and errs over real HTTP; a provider that is away at times. Every figure is sampled from
outside while it runs and written to a file at once, so that a run that was cut short can be read.
It ends with 1 if a curve grows that should not (rig/curves.py), or if a clip was bought twice.
Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import logging
import os
import platform
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from http_load import free_port, wait_for
from rig import accounting, curve_pages
from rig.samples import Sampler
from rig.team import Team, stop_all

from hailuo_mcp.sandbox.report import read_book

HERE = Path(__file__).parent
RESULTS = HERE / "results"
LAUNCH = str(HERE / "rig" / "fast_process.py")
OPERATOR, OTHERS, TENANTS = "ops", ("ada", "bo"), ("acme", "bolt", "cora")
KEY_OF_CORA = "SOAK_CORA_KEY"
CLIP_SECONDS = 60.0
KEPT_HOURS = 6.0
"""The operator deletes clips that are older, as the disk is not endless."""
_KEPT = ("PATH", "LANG", "LC_ALL", "HOME")


def token_of(name: str) -> str:
    return hashlib.sha256(f"soak {name}".encode()).hexdigest()


@dataclass
class Soak:
    folder: Path
    hours: float
    pace: int
    samples: int
    out: Path
    since: float = field(default_factory=lambda: float(int(time.time())))
    port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    server: subprocess.Popen[bytes] | None = None
    sandbox: subprocess.Popen[bytes] | None = None

    @property
    def hour(self) -> float:
        """By the fast clock, since the start."""
        return (time.time() - self.since) * self.pace / 3600

    def environment(self, name: str) -> dict[str, str]:
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        (self.folder / "tmp").mkdir(exist_ok=True)
        return kept | {"HAILUO_STATE_DIR": str(self.folder / name)}

    def launch(self, name: str, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, LAUNCH, str(self.since), str(self.pace)]
        command += [str(self.folder / "census") if name == "server" else "-", *arguments]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self.environment("state" if name == "server" else name) | variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def start_sandbox(self) -> None:
        self.sandbox = self.launch(
            "sandbox",
            *("sandbox", "--fast-clips", "--port", str(self.sandbox_port)),
            *("--seconds", str(CLIP_SECONDS)),
        )
        wait_for(self.sandbox_port)

    def start_server(self) -> None:
        hashes = {name: hashlib.sha256(token_of(name).encode()).hexdigest() for name in TENANTS}
        tables = {
            "acme": 'rpm = 30\nfolder = "acme"',
            "bolt": "budget = 60\nconfirm_above = 1",
            "cora": f'api_key_env = "{KEY_OF_CORA}"\nbudget = 900',
        }
        (self.folder / "tenants.toml").write_text(
            "\n".join(
                f'[tenants.{name}]\ntokens = ["sha256:{hashes[name]}"]\n{rest}\n'
                for name, rest in tables.items()
            )
        )
        (self.folder / "tenants.toml").chmod(0o600)
        people = ",".join(f"{name}:{token_of(name)}" for name in (OPERATOR, *OTHERS))
        self.server = self.launch(
            "server",
            *("serve", "--transport", "http", "--with-sse", "--port", str(self.port)),
            TMPDIR=str(self.folder / "tmp"),
            HAILUO_PROVIDER="minimax-cn",
            HAILUO_API_KEY="a-key-of-the-soak",
            HAILUO_BASE_URL=f"http://127.0.0.1:{self.sandbox_port}",
            HAILUO_ALLOWED_HOSTS_PRIVATE="127.0.0.1",
            HAILUO_OUTPUT_DIR=str(self.folder / "clips"),
            HAILUO_RPM="600",
            HAILUO_BUDGET="5000",
            HAILUO_CALLBACK_URL=f"http://127.0.0.1:{self.port}",
            HAILUO_TENANTS=str(self.folder / "tenants.toml"),
            HAILUO_HTTP_TOKENS=people,
            **{KEY_OF_CORA: "another-key-of-the-soak"},
        )
        wait_for(self.port)

    def stop(self) -> None:
        for process in (self.server, self.sandbox):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                if process.poll() is None:
                    process.kill()
                    process.wait()


async def outages(soak: Soak) -> None:
    """The provider hangs, and is gone, and comes back; somebody reads the journal for long."""
    while True:
        await asyncio.sleep(2 * 3600 / soak.pace)
        assert soak.sandbox
        soak.sandbox.send_signal(signal.SIGSTOP)
        await asyncio.sleep(240 / soak.pace)
        soak.sandbox.send_signal(signal.SIGCONT)
        await asyncio.sleep(3600 / soak.pace)
        soak.sandbox.terminate()
        await asyncio.to_thread(soak.sandbox.wait)
        await asyncio.sleep(300 / soak.pace)
        await asyncio.to_thread(soak.start_sandbox)
        with contextlib.closing(sqlite3.connect(soak.folder / "state/journal.sqlite3")) as db:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM tasks").fetchone()
            await asyncio.sleep(1800 / soak.pace)


async def tidies_up(soak: Soak) -> None:
    """The operator's own job, once an hour."""
    while True:
        await asyncio.sleep(3600 / soak.pace)
        oldest = time.time() - KEPT_HOURS * 3600 / soak.pace
        for path in (soak.folder / "clips").rglob("*"):
            if path.suffix in (".mp4", ".json") and path.stat().st_mtime < oldest:
                path.unlink()


async def run(soak: Soak, users: int, pause: float, seed: int) -> None:
    tokens = {name: token_of(name) for name in (*OTHERS, *TENANTS)}
    team = Team(soak.port, tokens, soak.pace, random.Random(seed))
    assert soak.server
    sampler = Sampler(soak.server.pid, soak.folder, soak.folder / "census")
    jobs = [asyncio.create_task(team.work(pause)) for _ in range(users)]
    jobs += [asyncio.create_task(outages(soak)), asyncio.create_task(tidies_up(soak))]
    try:
        for number in range(1, soak.samples + 1):
            due = number * soak.hours / soak.samples
            await asyncio.sleep(max(0.0, (due - soak.hour) * 3600 / soak.pace))
            await _sample(soak, team, sampler)
            if soak.server.poll() is not None:
                raise SystemExit(f"the server has ended: {soak.server.returncode}")
    finally:
        assert soak.sandbox
        soak.sandbox.send_signal(signal.SIGCONT)
        await stop_all(jobs)
    await _rest(soak, team, sampler)


async def _sample(soak: Soak, team: Team, sampler: Sampler, **more: object) -> None:
    access = f"Authorization: Bearer {token_of(OPERATOR)}"
    metrics = await team.raw(team.get("/metrics", access))
    done = dict(team.done)
    facts: dict[str, Any] = {"hour": round(soak.hour, 4), "visits": sum(done.values())}
    facts |= await sampler.take(metrics) | more
    facts |= {"done": done, "refused": dict(team.refused), "uploads made": done.get("hands_in", 0)}
    facts["purchases"] = team.number
    _append(soak.out, facts)
    print(
        f"{facts['hour']:6.2f} h  {facts['rss']:6.1f} MB  {facts['objects']:7,} objects"
        f"  {facts['fds']:4} descriptors  {facts['tasks']:6,} tasks  {facts['visits']:6,} visits",
        flush=True,
    )


async def _rest(soak: Soak, team: Team, sampler: Sampler) -> None:
    """Everybody has gone home: what is left after an hour, and what does it cost to do nothing?"""
    assert soak.server
    await asyncio.sleep(min(60.0, 3600 / soak.pace))
    before, began = accounting.cpu_exact(soak.server.pid), time.time()
    await asyncio.sleep(10.0)
    share = (accounting.cpu_exact(soak.server.pid) - before) / (time.time() - began)
    await _sample(soak, team, sampler, idle=share, idle_by_its_clock=share / soak.pace)


def _append(path: Path, facts: dict[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")
        file.flush()


def begin(soak: Soak, args: argparse.Namespace) -> None:
    """The first line: what ran where."""
    commit = subprocess.run(
        ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    soak.out.parent.mkdir(parents=True, exist_ok=True)
    soak.out.write_text("")
    about = {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": commit.stdout.strip(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }
    chosen = {"hours": soak.hours, "clock": soak.pace, "users": args.users, "pause": args.pause}
    _append(soak.out, {"about": about | chosen | {"seed": args.seed}})


def bought_twice(soak: Soak) -> int:
    return int(read_book(soak.folder / "sandbox" / "sandbox")["totals"]["duplicates"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=0.0, help="by the server's clock")
    parser.add_argument("--minutes", type=float, default=0.0, help="the same in minutes")
    parser.add_argument("--clock", type=int, default=96, help="how many times as fast (96)")
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--pause", type=float, default=3.0, help="real seconds between visits (3)")
    parser.add_argument("--samples", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="results/soak-day.jsonl or soak-hour.jsonl")
    parser.add_argument("--keep", type=Path, help="a folder to work in and to keep")
    parser.add_argument("--show", type=Path, nargs="+", help="judge and print earlier runs")
    parser.add_argument("--publish", action="store_true", help="both runs into the documentation")
    args = parser.parse_args()
    if args.publish:
        return curve_pages.publish(RESULTS)
    if args.show:
        return max(curve_pages.show(path) for path in args.show)
    hours = args.hours or args.minutes / 60
    if not hours:
        parser.error("--hours or --minutes")
    out = args.out or RESULTS / ("soak-hour.jsonl" if args.clock == 1 else "soak-day.jsonl")
    os.nice(10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its processes end with it
    logging.disable(logging.ERROR)  # of the clients, whose connections break
    with contextlib.ExitStack() as stack:
        folder = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        soak = Soak(folder, hours, args.clock, args.samples, out)
        begin(soak, args)
        stack.callback(soak.stop)
        soak.start_sandbox()
        soak.start_server()
        asyncio.run(run(soak, args.users, args.pause, args.seed))
        twice = bought_twice(soak)
    code = curve_pages.show(out)
    if twice:
        print(f"BROKEN: {twice} clips were bought twice")
    return 1 if twice else code


if __name__ == "__main__":
    raise SystemExit(main())
