"""Kills purchases at random instants and at every named step, then compares the books.

    python tests/crash/run.py --kills 500 --seed 1 [--store postgres] [--model MiniMax-H3|mixed]

Several worker processes share one journal and one output folder and buy from a sandbox that loses
answers, fails, refuses and cuts downloads. Each is killed with SIGKILL and replaced; a few of them
are real stdio servers. At last two are left alone to finish, and audit.py compares. The exit
code is 0 when no promise was broken. POSIX only: workers are forked, so that a kill costs no start.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import json
import logging
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import anyio
import audit
import postgres
import steps

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.sandbox.options import Chaos, SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import RunningSandbox
from hailuo_mcp.settings import Settings
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.transport import connections
from hailuo_mcp.views import Terms

OLDER, MIXED = "MiniMax-Hailuo-2.3", "mixed"
SIZES = {
    OLDER: (("768P", 6), ("768P", 10), ("1080P", 6)),
    # Many, so that not every orphan has others of its shape beside it.
    "MiniMax-H3": tuple((size, seconds) for size in ("768P", "2K") for seconds in range(4, 16)),
}
ONCE = (
    *("anyio._backends._asyncio", "av.subtitles.stream", "certifi", "encodings.idna", "httpcore"),
    *("httpx", "socksio", "stringprep", "uvicorn.lifespan.off", "uvicorn.loops.auto"),
    *(f"PIL.{one}ImagePlugin" for one in ("Bmp", "Gif", "Jpeg", "Png", "Ppm")),
    *(f"hailuo_mcp.files.{name}" for name in ("mp4", "references")),
    *(f"hailuo_mcp.rules.{name}" for name in ("drafts", "template", "upgrade", "video")),
    *("hailuo_mcp.journal.sqlite.store", "hailuo_mcp.media.pictures"),
    "hailuo_mcp.sandbox.clips.render",
)
"""Imported before the first fork, and not after every one: that was most of what a worker did."""
AT_ONCE = 4
STEP_SECONDS = 8.0
"""A worker that does not come to its step is killed after this: one more random instant."""
LONGEST_LIFE = 1.6
FINISH_SECONDS = 240.0
LOG = logging.getLogger("crash")


@dataclass
class Plan:
    """What is bought, drawn from one seeded generator."""

    dice: random.Random
    picture: Path
    model: str = OLDER
    asked: list[VideoRequest] = field(default_factory=list)
    number: int = 0

    def some(self, pictures: float = 0.1) -> list[VideoRequest]:
        """A few new requests, so many of them with a picture, and a few that others have made."""
        new = [self._new(pictures) for _ in range(self.dice.randint(1, 3))]
        old = self.dice.sample(self.asked[-24:], k=min(len(self.asked), self.dice.randint(0, 2)))
        # One that fails is bought anew when it is asked again, and rightly: so it is asked once.
        self.asked += [request for request in new if "[sandbox:" not in request.prompt]
        return new + old

    def _new(self, pictures: float) -> VideoRequest:
        self.number += 1
        prompt = f"shot {self.number}"
        if self.dice.random() < 0.06:
            prompt += self.dice.choice((" [sandbox:fail]", " [sandbox:1027]"))
        model = self.dice.choice(tuple(SIZES)) if self.model == MIXED else self.model
        size = self.dice.choice(SIZES[model])
        picture = str(self.picture) if self.dice.random() < pictures else ""
        return VideoRequest(
            prompt=prompt,
            model=model,
            resolution=size[0],
            duration=size[1],
            first_frame_image=picture,
        )


async def live(settings: Settings, wanted: Sequence[VideoRequest]) -> None:
    """Buy, and go on working until killed."""

    async def ask(studio: Studio, request: VideoRequest) -> None:
        try:
            await studio.generate(request, Terms())
        except HailuoError as no:
            LOG.warning("%s: %s", request.prompt, no)

    async with open_studio(settings) as studio, anyio.create_task_group() as buyers:
        for request in wanted:
            buyers.start_soon(ask, studio, request)
        await anyio.sleep_forever()


async def finish(settings: Settings, seconds: float) -> None:
    """Work until nothing is left to do."""
    deadline = time.monotonic() + seconds
    looks: dict[str, int] = {}
    async with open_studio(settings) as studio:
        while time.monotonic() < deadline:
            rows = (await studio.tasks(limit=100_000)).rows
            orphans = {row.task.task_id: row.task.tries for row in rows if row.searching}
            if all(row.settled or row.searching for row in rows):
                # Once more for each, now that no other answer is awaited.
                looks = looks or orphans
                orphans = {name: tries for name, tries in orphans.items() if tries <= looks[name]}
                if not orphans:
                    return
            waiting = sum(not row.settled for row in rows)
            LOG.warning("finishing: %d left", waiting)
            await anyio.sleep(0.5)


def fork(work: Callable[[], None]) -> int:
    """Run in a child. A child that raises leaves its traceback in the log and exits with 1."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        work()
        code = 0
    except BaseException:  # the end of a forked child
        LOG.exception("a worker ended by itself")
        traceback.print_exc()
    finally:
        os._exit(code)


def stdio_server(env: dict[str, str], wanted: Sequence[VideoRequest]) -> subprocess.Popen[bytes]:
    """A real server as a host starts it; it is told to buy and then left to its fate."""
    server = subprocess.Popen(
        [sys.executable, "-m", "hailuo_mcp"],
        env={**os.environ, **env},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "crash", "version": "1"},
    }
    lines: list[dict[str, object]] = [
        {"id": 0, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
    ]
    for number, request in enumerate(wanted, 1):
        arguments = {
            "prompt": request.prompt,
            "model": request.model,
            "resolution": request.resolution,
            "duration": request.duration,
            "first_frame_image": request.first_frame_image,
        }
        call = {"name": "generate_video", "arguments": arguments}
        lines.append({"id": number, "method": "tools/call", "params": call})
    text = "".join(json.dumps({"jsonrpc": "2.0", **line}) + "\n" for line in lines)
    if server.stdin is not None:
        server.stdin.write(text.encode())
        server.stdin.flush()
    return server


@dataclass
class Worker:
    pid: int
    die_at: float
    step: str
    server: subprocess.Popen[bytes] | None = None


class Killing:
    def __init__(self, settings: Settings, env: dict[str, str], plan: Plan, servers: int) -> None:
        on_v1 = plan.model == OLDER
        self.settings, self.env, self.plan = settings, env, plan
        self.servers = servers
        self.running: list[Worker] = []
        self.steps: Counter[str] = Counter()
        self.instants = self.server_kills = 0
        self.faults: list[str] = []
        self._missed: set[str] = set()
        """Steps that did not come as often as was drawn: the next time their first one counts."""
        self._turn = [step for step in steps.STEPS if step not in steps.OF_ORPHANS or not on_v1]

    @property
    def kills(self) -> int:
        return self.steps.total() + self.instants + self.server_kills

    def start(self) -> None:
        dice = self.plan.dice
        if self.servers and not any(worker.server for worker in self.running):
            self.servers -= 1
            server = stdio_server(self.env, self.plan.some())
            die_at = time.monotonic() + dice.uniform(1.5, 5.0)
            self.running.append(Worker(server.pid, die_at, "", server))
            return
        step, occasion = "", dice.choice((1, 1, 1, 2, 3))
        if dice.random() < 0.6:
            step = self._turn.pop(0)
            self._turn.append(step)
            occasion = 1 if step in self._missed else occasion
        wanted = self.plan.some(pictures=1.0 if step == "picture kept" else 0.1)

        def work() -> None:
            if step:
                steps.arm(step, occasion)
            anyio.run(live, self.settings, wanted)

        life = STEP_SECONDS if step else dice.uniform(0.02, LONGEST_LIFE)
        self.running.append(Worker(fork(work), time.monotonic() + life, step))

    def reap(self) -> None:
        """Kill whose time has come; count how each ended."""
        for worker in list(self.running):
            overdue = time.monotonic() >= worker.die_at
            if overdue:
                os.kill(worker.pid, signal.SIGKILL)
            pid, status = os.waitpid(worker.pid, 0 if overdue else os.WNOHANG)
            if not pid:
                continue
            self.running.remove(worker)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            if not killed:
                self.faults.append(f"a worker ended by itself ({status}); step {worker.step!r}")
            elif worker.server:
                self.server_kills += 1
            elif overdue:
                self.instants += 1
                self._missed.add(worker.step)
            else:
                self.steps[worker.step] += 1
            if worker.server:
                worker.server.returncode = -signal.SIGKILL  # waited for above
                if worker.server.stdin is not None:
                    worker.server.stdin.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--model", choices=(*SIZES, MIXED), default=OLDER)
    parser.add_argument("--servers", type=int, default=-1, help="stdio servers; default kills/25")
    parser.add_argument("--keep", type=Path, help="a folder for journal, clips and logs")
    options = parser.parse_args()
    scratches = tempfile.TemporaryDirectory(prefix="crash-")
    with scratches as scratch, database(options.store) as url:
        return crash(options, options.keep or Path(scratch), url)


@contextlib.contextmanager
def database(store: str) -> Iterator[str]:
    """The address of a PostgreSQL server of this run; empty for SQLite."""
    if store == "sqlite":
        yield ""
        return
    from hailuo_mcp.journal.postgres.store import PostgresStore  # noqa: F401  # not after a fork

    steps.STORE = store
    folder = Path(tempfile.mkdtemp(prefix="hailuo-pg-"))
    os.environ.setdefault(postgres.FOLDER, str(folder))
    server = postgres.Server(folder)
    try:
        yield server.start()
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(f"{folder}-programs", ignore_errors=True)


def crash(options: argparse.Namespace, home: Path, url: str) -> int:
    for name in ONCE:
        importlib.import_module(name)
    connections.trusted = functools.cache(connections.trusted)
    connections.trusted()  # certificates take as long to load
    home.mkdir(parents=True, exist_ok=True)
    log = home / "workers.log"
    logging.basicConfig(filename=log, level=logging.WARNING, format="%(process)d %(message)s")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    chaos = Chaos(
        seed=options.seed,
        reset=0.02,
        rate_refusal=0.004,
        error_before=0.03,
        error_after=0.03,
        lost=0.04,
        poll_error=0.05,
        slow_download=0.03,
        cut_download=0.1,
    )
    sandbox = SandboxOptions(
        state_dir=home / "sandbox", seconds_to_ready=0.6, fast_clips=True, chaos=chaos
    )
    provider = fork(lambda: RunningSandbox(sandbox, "127.0.0.1", port).run())
    env = {
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_BASE_URL": f"http://127.0.0.1:{port}",
        "HAILUO_STATE_DIR": str(home / "state"),
        "HAILUO_OUTPUT_DIR": str(home / "clips"),
        "HAILUO_ALLOWED_DIRS": str(home),
        "HAILUO_POLL_SECONDS": "0.3",
        "HAILUO_RPM": "100000",
        "HAILUO_BUDGET": "1000000",
        "HAILUO_BUDGET_PERIOD": "total",
    }
    if url:
        env["HAILUO_DATABASE_URL"] = url
    settings = Settings.from_env(env)
    servers = options.kills // 25 if options.servers < 0 else options.servers
    plan = Plan(random.Random(options.seed), _picture(home), options.model)
    killing = Killing(settings, env, plan, servers)
    began = time.monotonic()
    try:
        _listening(port)
        while killing.kills < options.kills:
            while len(killing.running) < AT_ONCE and (
                killing.kills + len(killing.running) < options.kills
            ):
                killing.start()
            time.sleep(0.005)
            killing.reap()
        pids = [fork(lambda: anyio.run(finish, settings, FINISH_SECONDS)) for _ in range(2)]
        for pid in pids:
            _, status = os.waitpid(pid, 0)
            if status:
                killing.faults.append(f"a finishing worker ended with {status}")
        book = read_book(sandbox.state_dir)
    finally:
        for worker in killing.running:
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
        os.kill(provider, signal.SIGKILL)
        os.waitpid(provider, 0)
    file = home / "state" / "journal.sqlite3"
    tasks = audit.tasks_in_database(url) if url else audit.tasks_in_file(file)
    found = audit.audit(tasks, book, audit.Folder(home / "clips"))
    found.violations += killing.faults
    text = log.read_text(errors="replace")
    ended = text.count("ended unexpectedly") + text.count("ended by itself")
    found.demand(not ended, f"{ended} jobs ended with a traceback: see the log")
    found.demand(book["leaked_keys"] == 0, "a key reached a download host")
    _print(killing, options, found, time.monotonic() - began)
    if found.violations and not options.keep:
        print(text[-4000:])
    return 1 if found.violations else 0


def _print(
    killing: Killing, options: argparse.Namespace, found: audit.Audit, seconds: float
) -> None:
    print(
        f"{options.store}, {options.model}, seed {options.seed}: {killing.kills} kills in {seconds:.0f} s"
    )
    print(f"  at random instants: {killing.instants}")
    print(f"  of stdio servers: {killing.server_kills}")
    print(f"  at named steps: {killing.steps.total()}")
    for step in steps.STEPS:
        print(f"    {step}: {killing.steps[step]}")
    print(f"requests asked for: {killing.plan.number}")
    for name, figure in found.figures.items():
        print(f"{name}: {figure}")
    for violation in found.violations:
        print(f"VIOLATION: {violation}")
    print("no promise was broken" if not found.violations else "PROMISES WERE BROKEN")


def _picture(home: Path) -> Path:
    from PIL import Image

    path = home / "frame.png"
    Image.new("RGB", (640, 480), (40, 90, 160)).save(path)
    return path


def _listening(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("the sandbox did not start")


if __name__ == "__main__":
    sys.exit(main())
