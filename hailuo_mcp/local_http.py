"""Serves an ASGI app with uvicorn, for the MCP server and for the sandbox."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from contextlib import suppress
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_TICK_SECONDS = 0.1


def url_of(host: str, port: int) -> str:
    """The address that a client uses."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket; port 0 takes any that is free.

    Raises:
        OSError: the address is taken, or is not this computer's.
    """
    family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    # asyncio disables Nagle's algorithm only for sockets created with IPPROTO_TCP. With Nagle,
    # every second request of a connection takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


class LocalServer(uvicorn.Server):
    """One uvicorn server on a bound socket, in this thread or in its own."""

    def __init__(
        self,
        app: ASGIApp,
        host: str = "127.0.0.1",
        port: int = 0,
        **options: Any,  # noqa: ANN401  uvicorn's own
    ) -> None:
        """Raises OSError where the address cannot be bound."""
        super().__init__(
            uvicorn.Config(
                app, ws="none", log_config=None, access_log=False, server_header=False, **options
            )
        )
        self._listener = listen(host, port)
        self.port: int = self._listener.getsockname()[1]
        self.url = url_of(host, self.port)
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self.run, name="hailuo-http", daemon=True)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal comes, or until `stop` is called."""
        with self._listener:
            super().run(sockets or [self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._listening.set()

    async def main_loop(self) -> None:
        """Shut down like uvicorn, but at once: tests start and stop hundreds of servers."""
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_SECONDS)

    def start(self) -> Self:
        """Serve from a daemon thread with its own event loop; return once it listens."""
        self._thread.start()
        if not self._listening.wait(_START_SECONDS):
            raise RuntimeError("the server did not start")
        return self

    def stop(self) -> None:
        """Stop the thread and wait for it; calling it twice does no harm."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself meanwhile
                self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        """Serve for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop at its end."""
        self.stop()
