"""Puts the imitation on a port: in a thread of somebody's process, or as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
from typing import Self, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from hailuo_mcp.sandbox.backend import Backend
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.routes import build, open_backend
from hailuo_mcp.sandbox.wire import CUT

_START_SECONDS = 10.0
_TICK = 0.1


class _CuttableConnection(H11Protocol):
    """One connection that hands its own closing down to the application.

    ASGI cannot end a connection without answering. uvicorn makes one protocol object for each
    connection, so the object wraps the application and puts the way to close itself in the scope.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.app = self._with_cut(self.app)

    def _with_cut(self, app: ASGIApp) -> ASGIApp:
        async def cuttable(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**(scope.get("extensions") or {}), CUT: self._cut}
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                # The sandbox is stopping; uvicorn would print a traceback for it.
                self.transport.abort()
                self.cycle.disconnected = True

        return cuttable

    def _cut(self, reset: bool) -> None:  # noqa: FBT001  # called through the scope
        if reset:
            # A linger time of zero makes the kernel send RST instead of FIN.
            bare = cast("socket.socket", self.transport.get_extra_info("socket"))
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()
        self._waking = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets=sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        """Do as uvicorn does, but wake up for the end: a tenth of a second per test adds up."""
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864_000
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._waking.wait(), _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop everything at once when told to `end`; drain in uvicorn's way otherwise."""
        if not self.force_exit:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            cast("_CuttableConnection", connection).transport.abort()

    def end(self) -> None:
        """Stop from another thread, without waiting for connections that hang on request."""
        self.should_exit = self.force_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._waking.set)


class RunningSandbox:
    """A sandbox served from a thread of this process."""

    def __init__(self, server: _Server, thread: threading.Thread, host: str, port: int) -> None:
        """Know the server, to stop it."""
        self.port = port
        name = f"[{host}]" if ":" in host else host
        self.base_url = f"http://{name}:{port}"
        self._server = server
        self._thread = thread

    def stop(self) -> None:
        """Close every connection and wait for the thread; calling it twice does no harm."""
        self._server.end()
        self._thread.join(timeout=5.0)

    def __enter__(self) -> Self:
        """Serve for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop at its end."""
        self.stop()


def _server(backend: Backend, host: str, port: int) -> _Server:
    return _Server(
        Config(
            build(backend),
            host=host,
            port=port,
            http=_CuttableConnection,
            ws="none",
            lifespan="off",
            log_level="warning",
            log_config=None,  # the host program decides how it logs
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )


def serve_in_thread(
    options: SandboxOptions, host: str = "127.0.0.1", port: int = 0
) -> RunningSandbox:
    """Serve from a daemon thread with its own event loop; return once it listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's delay only for sockets that say TCP by name, as create_server's
    # do not; with it every second request of a connection would take 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    bound = int(listener.getsockname()[1])
    backend = open_backend(options)
    server = _server(backend, host, bound)

    def work() -> None:
        with listener:
            server.run(sockets=[listener])
        backend.book.close()

    thread = threading.Thread(target=work, name="hailuo-sandbox", daemon=True)
    thread.start()
    if not server.listening.wait(_START_SECONDS):
        message = "the sandbox did not start"
        raise RuntimeError(message)
    return RunningSandbox(server, thread, host, bound)


def run(options: SandboxOptions, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted."""
    backend = open_backend(options)
    try:
        _server(backend, host, port).run()
    finally:
        backend.book.close()
