"""The real program as a process of its own, over a sandbox that makes clips at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import forked
import pytest
import warm

from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import RunningSandbox, serve_in_thread

ROOT = Path(__file__).parents[2]
SECONDS = 60
READ_AT_START = ("PYTHON", "LC_", "LANG")
"""What the names of variables begin with that Python itself reads, at its start only."""


@dataclass
class Ran:
    code: int
    out: str
    err: str
    raw: bytes = b""
    """What came on stdout, as it came."""

    @property
    def answer(self) -> dict[str, Any]:
        return json.loads(self.out)


def _read_at_start(variables: Mapping[str, str]) -> bool:
    return any(name.startswith(READ_AT_START) for name in variables)


@dataclass
class Program:
    environ: dict[str, str]
    cwd: Path
    books: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *argv: str, typed: str = "", **variables: str) -> Ran:
        """Run a command; `typed` comes on its standard input."""
        environ, given = {**self.environ, **variables}, typed.encode()
        if forked.AVAILABLE and not _read_at_start(variables):
            code, stdout, stderr = forked.run(argv, environ, self.cwd, given, SECONDS)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "hailuo_mcp", *argv],
                env=environ,
                cwd=self.cwd,
                input=given,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
            code, stdout, stderr = done.returncode, done.stdout, done.stderr
        out, err = (
            stream.decode("utf-8", "replace").replace(os.linesep, "\n")
            for stream in (stdout, stderr)
        )
        ran = Ran(code, out, err, stdout)
        assert "Traceback" not in ran.out + ran.err, ran.err
        return ran

    def start(self, *argv: str, **variables: str) -> subprocess.Popen[str]:
        program = warm.COLD if _read_at_start(variables) else warm.program()
        process = subprocess.Popen(
            [*program, *argv],
            env={**self.environ, **variables},
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def at_a_terminal(self, *argv: str, types: bytes, **variables: str) -> tuple[int, bytes]:
        """The exit code, and what a person saw who answered the question so."""
        pty = pytest.importorskip("pty")
        primary, secondary = pty.openpty()
        pid = os.fork()
        if pid == 0:  # the child has the terminal as all three of its streams, and its signals
            os.login_tty(secondary)
            os.chdir(self.cwd)
            os.execve(
                sys.executable,
                [sys.executable, "-m", "hailuo_mcp", *argv],
                {**self.environ, **variables, "TERM": "xterm", "COLUMNS": "80"},
            )
        os.close(secondary)
        watchdog = threading.Timer(SECONDS, os.kill, (pid, signal.SIGKILL))
        watchdog.start()
        seen = b""
        try:
            while b"[y/N]" not in seen:
                seen += os.read(primary, 1000)
            os.write(primary, types)
            while block := os.read(primary, 1000):
                seen += block
        except OSError:
            pass  # how Linux says that the other end is closed
        watchdog.cancel()
        os.close(primary)
        _, ended = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(ended), seen


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RunningSandbox]]:
    running: list[RunningSandbox] = []

    def begin(**options: Any) -> RunningSandbox:
        given = {"seconds_to_ready": 0.2, "fast_clips": True, **options}
        running.append(serve_in_thread(SandboxOptions(state_dir=tmp_path / "provider", **given)))
        return running[-1]

    yield begin
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A system of the test's own."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return {
        **kept,
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "HAILUO_OUTPUT_DIR": str(tmp_path / "videos"),
        "HAILUO_STATE_DIR": str(tmp_path / "state"),
        "HAILUO_POLL_SECONDS": "0.1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


@pytest.fixture
def idle(tmp_path: Path, environ: dict[str, str]) -> Iterator[Program]:
    """The program where nothing is set up."""
    here = tmp_path / "here"
    here.mkdir()
    program = Program(environ, here, tmp_path / "provider")
    yield program
    for process in program.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def program(idle: Program, serve: Callable[..., RunningSandbox]) -> Program:
    """The program with a provider that is a served sandbox."""
    idle.environ |= {"HAILUO_PROVIDER": "sandbox", "HAILUO_BASE_URL": serve().base_url}
    return idle
