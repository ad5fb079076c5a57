"""What a trial starts and ends: the database, the sandbox, the replicas and the proxy before them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "crash"))
sys.path.insert(0, str(Path(__file__).parent))
import audit
import postgres
import warm
from ports import free_port
from proxy import Proxy

from hailuo_mcp.sandbox.report import read_book

TENANTS = ("ada", "bo", "cy", "di")
KEYS = {"cy": "KEY_OF_CY", "di": "KEY_OF_DI"}
"""The variables of those who have a key of their own; the others share the operator's."""
TOKENS = {name: hashlib.sha256(name.encode()).hexdigest() for name in TENANTS}
_START_SECONDS = 60.0


@dataclass
class Replica:
    number: int
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None


@dataclass
class Scene:
    """Everything of a trial that is a process, on the same state of the world."""

    folder: Path
    store: str
    rpm: int
    seconds: float
    """Until a clip is ready."""
    callbacks: bool = True
    files: str = "folder"
    database: postgres.Server | None = None
    bucket: Any = None
    proxy: Proxy = field(default_factory=Proxy)
    replicas: list[Replica] = field(default_factory=list)
    ports: tuple[int, int] = field(default_factory=lambda: (free_port(), free_port()))
    """Of the proxy: round robin, and affine."""
    sandbox_port: int = field(default_factory=free_port)
    happened: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def alive(self) -> list[Replica]:
        return [replica for replica in self.replicas if replica.alive]

    def note(self, what: str) -> None:
        self.happened.append(f"{time.monotonic() - self.began:6.1f} s  {what}")

    def environment(self, number: int) -> dict[str, str]:
        outside = {name: it for name, it in os.environ.items() if not name.startswith("HAILUO_")}
        state = self.folder / ("state" if self.store == "sqlite" else f"state-{number}")
        env = outside | {
            "HAILUO_PROVIDER": "sandbox",
            "HAILUO_BASE_URL": f"http://127.0.0.1:{self.sandbox_port}",
            "HAILUO_API_KEY": "the-operators-key",
            "HAILUO_STATE_DIR": str(state),
            "HAILUO_FILES": str(self.folder / "clips"),
            "HAILUO_RPM": str(self.rpm),
            "HAILUO_BUDGET": "100000",
            "HAILUO_BUDGET_PERIOD": "total",
            "HAILUO_POLL_SECONDS": "2" if self.callbacks else "0.5",
            "HAILUO_CALLBACK_URL": f"http://127.0.0.1:{self.ports[0]}" if self.callbacks else "",
            "HAILUO_TENANTS": str(self.folder / "tenants.toml"),
            **{variable: f"the-key-of-{name}" for name, variable in KEYS.items()},
        }
        if self.database is not None:
            env["HAILUO_DATABASE_URL"] = self.database.url
        if self.bucket is not None:
            env |= {"HAILUO_FILES": self.bucket.url, **self.bucket.variables}
        return env

    @property
    def clips(self) -> audit.Clips:
        return audit.Folder(self.folder / "clips") if self.bucket is None else Bucket(self.bucket)

    def write_tenants(self) -> None:
        """Two that share the operator's key, and two with keys of their own."""
        lines = list[str]()
        for name, token in TOKENS.items():
            digest = hashlib.sha256(token.encode()).hexdigest()
            lines += [f"[tenants.{name}]", f'tokens = ["sha256:{digest}"]', "budget = 10000"]
            lines += ['budget_period = "total"', f'folder = "of-{name}"']
            lines += [f'api_key_env = "{KEYS[name]}"'] if name in KEYS else []
        path = self.folder / "tenants.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def start_sandbox(self) -> subprocess.Popen[bytes]:
        options = ["--fast-clips", "--port", str(self.sandbox_port)]
        options += ["--seconds", str(self.seconds), "--rpm", str(self.rpm)]
        with (self.folder / "sandbox.log").open("ab") as log:
            return subprocess.Popen(
                [*warm.program(), "sandbox", *options],
                env=os.environ | {"HAILUO_STATE_DIR": str(self.folder / "provider")},
                stdout=log,
                stderr=log,
            )

    def start_replica(self) -> Replica:
        """Start one; it gets calls from the proxy as soon as it answers."""
        number, port = len(self.replicas) + 1, free_port()
        with (self.folder / f"replica-{number}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *warm.program(),
                    "serve",
                    "--transport",
                    "http",
                    "--with-sse",
                    "--port",
                    str(port),
                ],
                env=self.environment(number),
                stdout=log,
                stderr=log,
            )
        replica = Replica(number, port, process)
        self.replicas.append(replica)
        return replica

    def wait_for(self, replica: Replica) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and replica.alive:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{replica.url}/health"):
                self.proxy.backends.append(replica.port)
                return
            time.sleep(0.05)
        log = (self.folder / f"replica-{replica.number}.log").read_text(errors="replace")
        raise RuntimeError(f"replica {replica.number} did not start: {log[-2000:]}")

    def kill(self, dice: random.Random) -> None:
        """Kill one replica at this instant; the proxy notices as a balancer does."""
        replica = dice.choice(self.alive)
        replica.process.kill()
        replica.process.wait()
        self.proxy.backends.remove(replica.port)
        self.note(f"replica {replica.number} killed with SIGKILL")

    def journal(self) -> list[dict[str, Any]]:
        if self.database is not None:
            return audit.tasks_in_database(self.database.url)
        return audit.tasks_in_file(self.folder / "state" / "journal.sqlite3")

    def book(self) -> dict[str, Any]:
        return read_book(self.folder / "provider" / "sandbox")

    def logs(self) -> str:
        return "".join(
            path.read_text(errors="replace") for path in sorted(self.folder.glob("replica-*.log"))
        )


@dataclass(frozen=True)
class Bucket:
    """The clips of a bucket, for the audit."""

    s3: Any
    prefix: str = "videos/"

    def read(self, file: str) -> bytes | None:
        key = self.s3.key_of(file)
        return self.s3.read(key) if key in self.s3.keys(key) else None

    def names(self) -> list[str]:
        return [f"s3://{self.s3.name}/{key}" for key in self.s3.clips()]

    def parts(self) -> int:
        return len([key for key in self.s3.keys(self.prefix) if key.endswith(".part")])


@contextlib.contextmanager
def scene(
    folder: Path, *, store: str, files: str, rpm: int, seconds: float, callbacks: bool
) -> Iterator[Scene]:
    """Start what the replicas need; at the end, end everything that was started."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        one = Scene(folder, store, rpm, seconds, callbacks, files)
        one.write_tenants()
        if files == "s3":
            from buckets import served_bucket

            one.bucket = stack.enter_context(served_bucket())
        if store == "postgres":
            one.database = stack.enter_context(database())
        sandbox = one.start_sandbox()
        stack.callback(_end, sandbox)
        stack.callback(lambda: [_end(replica.process) for replica in one.replicas])
        yield one


@contextlib.contextmanager
def database() -> Iterator[postgres.Server]:
    """A server of its own, since others must not be there when it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="hailuo-pg-"))
    # Where the programs are, for a trial by hand.
    os.environ.setdefault(postgres.FOLDER, str(folder))
    server = postgres.Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
        if os.environ[postgres.FOLDER] == str(folder):
            del os.environ[postgres.FOLDER]
            shutil.rmtree(f"{folder}-programs", ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
