"""Blocking work in a thread of its own, for a caller who may go before it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from anyio import CancelScope

T = TypeVar("T")


async def apart(
    work: Callable[[], T], *, leave: Callable[[Future[T]], None], wait: bool = False
) -> T:
    """Return what `work` returns or raises.

    A caller who is cancelled calls `leave`, and with `wait` stays until the work has ended. No
    worker of a pool: those are waited for when the program ends, and a connect may take long.
    """
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as trouble:  # noqa: BLE001  # it is the caller's
            result.set_exception(trouble)
        with suppress(RuntimeError):  # the loop has ended, so nobody waits
            loop.call_soon_threadsafe(done.set)

    Thread(target=run, name="link", daemon=True).start()
    try:
        await done.wait()
    except BaseException:
        leave(result)
        if wait:
            with CancelScope(shield=True):
                await done.wait()
        raise
    return result.result()
