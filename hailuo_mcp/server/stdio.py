"""Serving one client over stdin and stdout, by a process that owns the work and leaves in time."""

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

from hailuo_mcp.errors import HailuoError
from hailuo_mcp.server.app import build_server
from hailuo_mcp.server.context import Backstage
from hailuo_mcp.server.logs import PlainLines, log_to_stderr
from hailuo_mcp.server.updates import publish_changes

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import FrameType

    from hailuo_mcp.server.server import Server
    from hailuo_mcp.settings import Settings
    from hailuo_mcp.studio.studio import Studio

LOOK_SECONDS = 0.5
"""After this the journal is looked at though nobody has asked: earlier clips may want polling.
Until then the client gets its first answers from a process that does nothing else."""
LOOK_AGAIN_SECONDS = 60.0
"""Another process may have gone since, and left its clips."""


def main() -> NoReturn:
    """Serve with the settings of the environment."""
    serve_stdio(_from_environment)


def _from_environment() -> Settings:
    from hailuo_mcp.settings import Settings

    return Settings.from_env(os.environ)


def serve_stdio(settings: Callable[[], Settings]) -> NoReturn:
    """Serve until the client hangs up or a signal comes. Never returns.

    `settings` is called when the studio opens; if it raises ConfigError, the server still runs and
    answers every call with that.
    """
    log_to_stderr(PlainLines())  # stdout belongs to the protocol
    bus = InMemorySubscriptionBus()
    backstage = Backstage()
    server = build_server(backstage, bus=bus)
    # What is loaded now stays: never walked by the collector again, nor when the process ends.
    gc.enable()
    gc.freeze()
    anyio.run(_serve, server, backstage, bus, settings)
    _leave()


async def _serve(
    server: Server,
    backstage: Backstage,
    bus: SubscriptionBus,
    settings: Callable[[], Settings],
) -> None:
    _heed_signals(asyncio.get_running_loop(), backstage.leave)
    async with anyio.create_task_group() as process:
        process.start_soon(_own_the_work, backstage, bus, settings)
        try:
            await server.run_stdio_async()
        except* OSError:
            pass  # the client is gone, and with it the pipe that an answer was for
        backstage.leave()


async def _own_the_work(
    backstage: Backstage, bus: SubscriptionBus, settings: Callable[[], Settings]
) -> None:
    await _until_needed(backstage, settings)
    await backstage.own(lambda: _opened(backstage, bus, settings))
    _leave()


@contextlib.asynccontextmanager
async def _opened(
    backstage: Backstage, bus: SubscriptionBus, settings: Callable[[], Settings]
) -> AsyncGenerator[Studio]:
    # In a thread: this loads modules, and the client may be asking meanwhile.
    chosen, open_studio = await anyio.to_thread.run_sync(_ready, settings)
    backstage.patience.setting = chosen.wait_seconds
    async with open_studio(chosen) as studio, anyio.create_task_group() as relay:
        relay.start_soon(publish_changes, studio, bus)
        yield studio
        relay.cancel_scope.cancel()


async def _until_needed(backstage: Backstage, settings: Callable[[], Settings]) -> None:
    """Stay small while there is nothing to do: most servers are started and never called."""
    pause = LOOK_SECONDS
    while not backstage.wanted.is_set():
        with anyio.move_on_after(pause):
            await backstage.wanted.wait()
            return
        if pause == LOOK_SECONDS:
            await anyio.to_thread.run_sync(_tidy)
        if await anyio.to_thread.run_sync(_work_is_left, settings):
            return
        pause = LOOK_AGAIN_SECONDS


def _tidy() -> None:
    """Once, while nobody waits: 80 ms for the half megabyte of garbage that loading has left."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _work_is_left(settings: Callable[[], Settings]) -> bool:
    try:
        state_dir = settings().state_dir
    except HailuoError:
        return False  # the first call is told
    if not state_dir.exists():
        return False  # nothing was ever bought: not even SQLite is loaded

    from hailuo_mcp.journal import has_unfinished_work

    return has_unfinished_work(state_dir)


def _ready(
    settings: Callable[[], Settings],
) -> tuple[Settings, Callable[[Settings], AbstractAsyncContextManager[Studio]]]:
    from hailuo_mcp.bootstrap import open_studio

    return settings(), open_studio


def _heed_signals(loop: asyncio.AbstractEventLoop, leave: Callable[[], None]) -> None:
    """Leave on the first signal, at the latest when the submit in flight is answered.

    Without this SIGTERM would lose that answer, and SIGINT hang in the thread that reads stdin.
    """
    asked: list[int] = []

    def heed(number: int, _frame: FrameType | None) -> None:
        if asked:
            _leave()  # asked twice
        asked.append(number)
        loop.call_soon_threadsafe(leave)

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, heed)


def _leave() -> NoReturn:
    """End at once: the thread that reads stdin would keep an orderly exit waiting for ever."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the client may have closed its end
            stream.flush()
    os._exit(0)
