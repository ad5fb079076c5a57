"""Serving one client over stdin and stdout; the process owns the work and exits in time."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, NoReturn

import anyio
import anyio.to_thread
from mcp.server.subscriptions import InMemorySubscriptionBus, SubscriptionBus

from hailuo_mcp import __version__
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.context import AppContext
from hailuo_mcp.server.logs import PlainLines, log_to_stderr
from hailuo_mcp.server.mcp_server import Server
from hailuo_mcp.server.subscriptions import publish_changes
from hailuo_mcp.telemetry import tracing

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import FrameType

    from hailuo_mcp.settings import Settings
    from hailuo_mcp.studio.studio import Studio

FIRST_CHECK_SECONDS = 0.5
"""After this the journal is checked for earlier clips that need polling. Until then the client
gets its first answers from a process that does nothing else."""
NEXT_CHECK_SECONDS = 60.0
"""Another process may have ended since, and left its clips."""


def main() -> NoReturn:
    """Serve with the settings of the environment and of the person's configuration."""
    serve_stdio(_of_this_computer)


def _of_this_computer() -> Settings:
    from hailuo_mcp.settings import read_settings

    return read_settings(os.environ)


def serve_stdio(settings: Callable[[], Settings]) -> NoReturn:
    """Serve until the client hangs up or a signal comes. Never returns.

    `settings` is called when the studio opens; if it raises ConfigError, the server still runs and
    answers every call with that.
    """
    log_to_stderr(PlainLines())  # stdout belongs to the protocol
    bus = InMemorySubscriptionBus()
    app = AppContext()
    server = Server(app, bus=bus)
    tracing.start(os.environ, __version__, server.tool_names)
    # What is loaded now stays: the collector never walks it again, not even when the process ends.
    gc.enable()
    gc.freeze()
    anyio.run(_serve, server, app, bus, settings)
    _exit()


async def _serve(
    server: Server, app: AppContext, bus: SubscriptionBus, settings: Callable[[], Settings]
) -> None:
    _handle_signals(asyncio.get_running_loop(), app.shut_down)
    async with anyio.create_task_group() as process:
        process.start_soon(_run_studio, app, bus, settings)
        try:
            await server.run_stdio_async()
        except* OSError:
            pass  # the client is gone, and with it the pipe that an answer was for
        app.shut_down()


async def _run_studio(
    app: AppContext, bus: SubscriptionBus, settings: Callable[[], Settings]
) -> None:
    await _until_needed(app, settings)
    await app.run_studio(lambda: _opened(app, bus, settings))
    _exit()


@contextlib.asynccontextmanager
async def _opened(
    app: AppContext, bus: SubscriptionBus, settings: Callable[[], Settings]
) -> AsyncGenerator[Studio]:
    # In a thread: this loads modules, and the client may be asking meanwhile.
    chosen, open_studio = await anyio.to_thread.run_sync(_ready, settings)
    app.wait_limits.setting = chosen.wait_seconds
    async with open_studio(chosen) as studio, anyio.create_task_group() as relay:
        relay.start_soon(publish_changes, studio, bus)
        yield studio
        relay.cancel_scope.cancel()


async def _until_needed(app: AppContext, settings: Callable[[], Settings]) -> None:
    """Stay small while there is nothing to do: most servers are never called."""
    pause = FIRST_CHECK_SECONDS
    while not app.studio_wanted.is_set():
        with anyio.move_on_after(pause):
            await app.studio_wanted.wait()
            return
        if pause == FIRST_CHECK_SECONDS:
            await anyio.to_thread.run_sync(_collect_garbage)
        if await anyio.to_thread.run_sync(_work_is_left, settings):
            return
        pause = NEXT_CHECK_SECONDS


def _collect_garbage() -> None:
    """Once, while nobody waits: it takes 80 ms and frees the half megabyte that loading left."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _work_is_left(settings: Callable[[], Settings]) -> bool:
    try:
        read = settings()
    except HailuoError:
        return False  # the first call gets the error
    if not read.database_url and not read.state_dir.exists():
        return False  # nothing was ever bought: not even SQLite is loaded
    from hailuo_mcp.journal import has_unfinished_work

    try:
        return has_unfinished_work(read)
    except HailuoError:
        return False


def _ready(
    settings: Callable[[], Settings],
) -> tuple[Settings, Callable[[Settings], AbstractAsyncContextManager[Studio]]]:
    from hailuo_mcp.bootstrap import open_studio

    return settings(), open_studio


def _handle_signals(loop: asyncio.AbstractEventLoop, shut_down: Callable[[], None]) -> None:
    """Shut down at the first signal, once a submit in flight is answered; exit at the second.

    Without this SIGTERM would lose that answer, and SIGINT hang in the thread that reads stdin.
    """
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if received:
            _end()
        received.append(number)
        loop.call_soon_threadsafe(shut_down)

    _on_signals(handle)


def _on_signals(handle: Callable[[int, FrameType | None], None]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, handle)


def _exit() -> NoReturn:
    """Exit once the last spans are exported, which takes a second at most; a signal ends that."""
    _on_signals(lambda _number, _frame: _end())
    tracing.flush()
    _end()


def _end() -> NoReturn:
    """End at once: the thread that reads stdin would keep an orderly exit waiting forever."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the client may have closed its end
            stream.flush()
    os._exit(0)
