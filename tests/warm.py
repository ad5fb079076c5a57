"""`python -m hailuo_mcp` in a process forked from one that has imported it: 0.05 s and not 0.8.

`program()` is a command line for it, for subprocess and for clients that start their server. It
behaves as the program does: the same streams, environment, folder, signals and exit code; when the
process of that command is killed, the program is too. One process forks for all tests of a run and
is started by the first one that needs it. What is about the start itself uses `COLD`.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import pkgutil
import runpy
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

COLD = (sys.executable, "-m", "hailuo_mcp")
SOCKET = "HAILUO_TEST_WARM_SOCKET"
"""Where this run's process listens; inherited by the processes that a test starts."""
_AVAILABLE = sys.platform != "win32"
_IMPORTED = (
    *("av", "httpx", "uvicorn", "uvicorn.protocols.http.auto", "uvicorn.lifespan.on", "sqlite3"),
    *("psycopg", "psycopg_pool", "numpy", "PIL.Image", "PIL.PngImagePlugin"),
    *("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter"),
    *("anyio._backends._asyncio", "av.subtitles.stream", "certifi", "concurrent.futures.thread"),
    *("encodings.ascii", "encodings.idna", "filelock", "httpcore", "rich.progress", "rich.table"),
    *("PIL.ImageDraw", "uvicorn.lifespan.off", "uvicorn.loops.asyncio", "uvicorn.loops.auto"),
    *("sse_starlette", "mcp.server.sse", "mcp.server.streamable_http_manager"),
    "hailuo_mcp",
)
_LEFT_OUT = ("hailuo_mcp.__main__", "hailuo_mcp.cli.output.demo")
_HEADER = 4
_END = bytes(_HEADER)
_CHECK_SECONDS = 5.0
_START_SECONDS = 60.0


def program() -> tuple[str, ...]:
    """A command line that does what `COLD` does."""
    if not _AVAILABLE:
        return COLD
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("warm_start.py")), _socket())


def python() -> tuple[str, ...]:
    """A command line for `-c CODE ARGUMENT…`: a Python that has imported the program."""
    return program() if _AVAILABLE else (sys.executable,)


def begin_run() -> None:
    folder = tempfile.gettempdir()
    os.environ[SOCKET] = str(Path(folder) / f"hailuo-warm-{secrets.token_hex(4)}-{os.getpid()}")


def end_run() -> None:
    """End the process that forks, if a test started it."""
    path = Path(os.environ.pop(SOCKET))
    with suppress(OSError), socket.socket(socket.AF_UNIX) as there:
        there.connect(str(path))
        there.sendall(_END)
        there.recv(1)
    path.unlink(missing_ok=True)
    Path(f"{path}.lock").unlink(missing_ok=True)


def _socket() -> str:
    from filelock import FileLock

    if SOCKET not in os.environ:  # a trial by hand
        begin_run()
        atexit.register(end_run)
    path = os.environ[SOCKET]
    if not Path(path).exists():
        with FileLock(f"{path}.lock"):
            if not Path(path).exists():
                _start(path)
    return path


def _start(path: str) -> None:
    from until import until_now

    log = Path(f"{path}.log")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, __file__, path],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
            cwd=Path(__file__).parents[1],
            env={k: v for k, v in os.environ.items() if not k.startswith(("HAILUO_", "OTEL_"))},
        )

    def listens() -> bool:
        assert process.poll() is None, log.read_text()
        return Path(path).exists()

    until_now(listens, seconds=_START_SECONDS)
    log.unlink()
    process.returncode = 0  # it outlives this worker; `end_run` ends it


# ── the process that forks ────────────────────────────────────────────────────────────────────


def _serve(path: str) -> None:
    _load()
    gc.freeze()  # a collection would write to every page that the forked ones share with it
    Forks(path).serve(run=int(path.rpartition("-")[2]))


def _load() -> None:
    for name in _IMPORTED:
        importlib.import_module(name)
    package = importlib.import_module("hailuo_mcp")
    for module in pkgutil.walk_packages(package.__path__, "hailuo_mcp."):
        if module.name not in _LEFT_OUT:
            importlib.import_module(module.name)


class Forks:
    """Forks a process for each connection, and tells there how it ended."""

    def __init__(self, path: str) -> None:
        self._woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        signal.set_wakeup_fd(wakes)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{path}.new")
        self._listener.listen(64)
        Path(f"{path}.new").rename(path)
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._listener, selectors.EVENT_READ)
        self._ready.register(self._woken, selectors.EVENT_READ)
        self._children: dict[int, socket.socket] = {}
        self._ended = False

    def serve(self, run: int) -> None:
        """Until it is told to end, or the tests have ended without a word."""
        while not self._ended and _lives(run):
            for key, _ in self._ready.select(_CHECK_SECONDS):
                if key.fileobj is self._listener:
                    self._begin()
                elif key.data:
                    self._pass_on(key.data)
                else:
                    os.read(self._woken, 4096)
                    self._reap()

    def _begin(self) -> None:
        client, _ = self._listener.accept()
        request, streams = _received(client)
        self._ended = self._ended or request == _END
        if not streams:
            client.close()
            return
        pid = os.fork()
        if not pid:
            _become(request, streams, [self._listener, client, *self._children.values()])
        for fd in streams:
            os.close(fd)
        self._children[pid] = client
        self._ready.register(client, selectors.EVENT_READ, pid)

    def _pass_on(self, pid: int) -> None:
        """Pass signals on; where what stands for the process was killed, kill it."""
        client = self._children.get(pid)
        if client is None:  # it has ended meanwhile
            return
        told = client.recv(16)
        if not told:
            self._ready.unregister(client)
        for number in told or [signal.SIGKILL]:
            os.kill(pid, number)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._children.pop(pid) as client:
                with suppress(KeyError):
                    self._ready.unregister(client)
                code = os.waitstatus_to_exitcode(status)
                with suppress(OSError):
                    client.sendall(code.to_bytes(_HEADER, "big", signed=True))


def _received(client: socket.socket) -> tuple[bytes, list[int]]:
    """What is asked for, with its streams; without them, nothing is to be started."""
    header, streams, _, _ = socket.recv_fds(client, _HEADER, 3)
    if not streams:
        return header, []
    size, request = int.from_bytes(header, "big"), b""
    while len(request) < size:
        if not (block := client.recv(size - len(request))):  # it was killed meanwhile
            for fd in streams:
                os.close(fd)
            return b"", []
        request += block
    return request, streams


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _become(request: bytes, streams: list[int], others: list[socket.socket]) -> NoReturn:
    """Be `python -m hailuo_mcp ARGUMENT…`, or `python -c CODE ARGUMENT…`, to its end."""
    code = 1
    for other in others:
        other.close()
    try:
        folder, count, *rest = request.split(b"\0")
        argv, environ = rest[: int(count)], rest[int(count) :]
        pairs = (os.fsdecode(each).partition("=") for each in environ)
        given = {name: value for name, _, value in pairs}
        code = _run(os.fsdecode(folder), list(map(os.fsdecode, argv)), given, streams)
    except BaseException:  # noqa: BLE001  # as Python itself ends
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(folder: str, argv: list[str], environ: Mapping[str, str], streams: list[int]) -> int:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    told: dict[str, Any] = {"encoding": "utf-8", "closefd": False}
    sys.stdin = os.fdopen(0, **told)
    sys.stdout = os.fdopen(1, "w", **told)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", **told)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    code: object = 0
    try:
        if argv[:1] == ["-c"]:
            sys.argv = ["-c", *argv[2:]]
            exec(compile(argv[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv = ["hailuo_mcp", *argv]
            runpy.run_module("hailuo_mcp", run_name="__main__", alter_sys=True)
    except SystemExit as exc:
        code = exc.code
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    threading._shutdown()
    atexit._run_exitfuncs()
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    _serve(sys.argv[1])
