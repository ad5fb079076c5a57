"""The server of one run, and an ear on what the client sends to it."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_INFO = re.compile(rb'[cC]lientInfo"\s*:\s*\{(?:[^{}]|\{[^{}]*\})*?"name"\s*:\s*"([^"]+)"')
_RELEASE = re.compile(rb'[cC]lientInfo"\s*:\s*\{[^}]*?"version"\s*:\s*"([^"]+)"')
_CAPABILITIES = re.compile(rb'[cC]apabilities"\s*:\s*(?=\{)')
_OFFERED = re.compile(rb'"method"\s*:\s*"initialize"')
_VERSION = re.compile(rb'"(?:io\.modelcontextprotocol/)?protocolVersion"\s*:\s*"([0-9-]+)"')
_PROGRESS = re.compile(rb'"progressToken"\s*:')


class NotServedError(Exception):
    """The server did not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the client said of itself, read from the wire."""

    name: str = ""
    protocol: str = ""
    version: str = ""
    """What it says of itself, which is often not its release."""
    progress: bool = False
    """It asked to be told of progress at least once."""
    declares: tuple[str, ...] = ()

    @classmethod
    def of(cls, sent: bytes) -> Seen:
        info = _INFO.search(sent)
        release = _RELEASE.search(sent)
        versions = _VERSION.findall(sent)
        return cls(
            name=info[1].decode() if info else "",
            # A legacy client offers its newest once; a modern one says it with every request.
            protocol=(versions[0] if _OFFERED.search(sent) else versions[-1]).decode()
            if versions
            else "",
            version=release[1].decode() if release else "",
            progress=bool(_PROGRESS.search(sent)),
            declares=_declared(sent),
        )


def _declared(sent: bytes) -> tuple[str, ...]:
    found = _CAPABILITIES.search(sent)
    if found is None:
        return ()
    declared, _ = json.JSONDecoder().raw_decode(sent[found.end() :].decode("utf-8", "replace"))
    return tuple(sorted(declared))


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How the client reaches the server."""

    environ: dict[str, str]
    heard: Path
    url: str = ""

    def told(self, variant: str) -> dict[str, Any]:
        """Stdio goes through tee, which changes nothing and lets us read what was sent."""
        line = f"tee -a {shlex.quote(str(self.heard))} | exec {sys.executable} -m hailuo_mcp"
        return {
            "command": "sh",
            "args": ["-c", line],
            "env": self.environ,
            "url": self.url,
            "variant": variant,
        }

    def seen(self) -> Seen:
        return Seen.of(self.heard.read_bytes() if self.heard.exists() else b"")


@contextmanager
def served(folder: Path, transport: str, **more: str) -> Iterator[Served]:
    """The client starts a stdio server itself; an HTTP server is started for it. `more`: settings.

    Raises:
        NotServedError: it did not start.
    """
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "HAILUO_PROVIDER": "sandbox",
        "HAILUO_OUTPUT_DIR": str(folder / "videos"),
        "HAILUO_STATE_DIR": str(folder / "state"),
        **more,
    }
    heard = folder / "heard"
    if transport == "stdio":
        yield Served(environ=environ, heard=heard)
        return
    port = _free_port()
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "hailuo_mcp",
                "serve",
                "--transport",
                "http",
                "--port",
                str(port),
            ],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
    try:
        _wait_for(port, process, log)
        with _ear(port, heard) as ear:
            yield Served(environ=environ, heard=heard, url=f"http://127.0.0.1:{ear}/mcp")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(150):
        if process.poll() is not None:
            last = log.read_text("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise NotServedError(f"the server did not start: {last[-1][:160]}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.1)
    raise NotServedError("the server did not answer within 15 s")


@contextmanager
def _ear(port: int, heard: Path) -> Iterator[int]:
    """A forwarder on loopback that writes down what the client sends."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            with suppress(OSError):
                far = socket.create_connection(("127.0.0.1", port))
                threading.Thread(target=_pump, args=(near, far, heard), daemon=True).start()
                threading.Thread(target=_pump, args=(far, near, None), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield door.getsockname()[1]
    finally:
        door.close()


def _pump(source: socket.socket, target: socket.socket, heard: Path | None) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            if heard:
                with heard.open("ab") as file:
                    file.write(data)
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
