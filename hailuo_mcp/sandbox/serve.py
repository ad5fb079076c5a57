"""Serves the sandbox on a port, in a thread of the calling process."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from hailuo_mcp.local_http import LocalServer
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.routes import build, open_backend
from hailuo_mcp.sandbox.wire import CUT


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


class RunningSandbox(LocalServer):
    """A sandbox served from a thread of this process."""

    def __init__(self, options: SandboxOptions, host: str, port: int) -> None:
        backend = open_backend(options)
        self._book = backend.book
        try:
            super().__init__(build(backend), host, port, http=_CuttableConnection, lifespan="off")
        except OSError:
            self._book.close()
            raise

    @property
    def base_url(self) -> str:
        return self.url

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            self._book.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drop everything at once: some connections hang on request."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            cast("_CuttableConnection", connection).transport.abort()


def serve_in_thread(
    options: SandboxOptions, host: str = "127.0.0.1", port: int = 0
) -> RunningSandbox:
    """Serve from a daemon thread with its own event loop; return once it listens.

    Raises:
        OSError: the address is taken, or is not this computer's.
    """
    return RunningSandbox(options, host, port).start()
