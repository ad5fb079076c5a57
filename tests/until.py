"""Looking until something is so: how tests wait for other processes and threads."""

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import anyio

Seen = TypeVar("Seen")
_BETWEEN_LOOKS = 0.02


async def until(
    look: Callable[[], Seen | Awaitable[Seen]],
    *,
    seconds: float = 60,
    between: float = _BETWEEN_LOOKS,
) -> Seen:
    """The first thing that is seen; TimeoutError where nothing comes.

    `between`: seconds between two looks, for a look that is work.
    """
    with anyio.fail_after(seconds):
        while True:
            found: Any = look()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return cast("Seen", found)
            await anyio.sleep(between)


def until_now(look: Callable[[], Seen], *, seconds: float = 60) -> Seen:
    """The same where there is no event loop."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come in time"
        time.sleep(_BETWEEN_LOOKS)
    return seen
