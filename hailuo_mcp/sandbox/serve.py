"""Puts the imitation on a port: in a thread of somebody's process, or as a process of its own."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from typing import Self, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from hailuo_mcp.sandbox.app import create_app
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.wire import CUT

_START_SECONDS = 10.0


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
            await app(scope, receive, send)

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


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
        self._server.should_exit = True
        # Without this it would wait for connections that hang on request.
        self._server.force_exit = True
        self._thread.join(timeout=5.0)

    def __enter__(self) -> Self:
        """Serve for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop at its end."""
        self.stop()


def _server(options: SandboxOptions, host: str, port: int) -> _Server:
    return _Server(
        Config(
            create_app(options),
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
    listener = socket.create_server((host, port), family=family, backlog=512)
    bound = int(listener.getsockname()[1])
    server = _server(options, host, bound)

    def work() -> None:
        with listener:
            server.run(sockets=[listener])

    thread = threading.Thread(target=work, name="hailuo-sandbox", daemon=True)
    thread.start()
    if not server.listening.wait(_START_SECONDS):
        message = "the sandbox did not start"
        raise RuntimeError(message)
    return RunningSandbox(server, thread, host, bound)


def run(options: SandboxOptions, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted."""
    _server(options, host, port).run()
