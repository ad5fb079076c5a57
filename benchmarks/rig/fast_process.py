"""The program itself, in a process whose clock may run fast, that counts what it holds when asked.

    python benchmarks/rig/fast_process.py SINCE PACE CENSUS serve --transport http …

SINCE is a moment (Unix seconds) and PACE how many seconds pass in one real second since then;
processes with the same two agree on the time. Fast is what Python code asks and waits for:
`time.time`, `time.monotonic`, `time.sleep`, the event loop, `threading` conditions and events, and
the times of files that `os` reports. Real stay the kernel (TCP, what `ls` shows), SQLite's and file
locks' patience for other processes, `perf_counter` and CPU time. A pace of 1 changes nothing.

SIGUSR2 appends a line of JSON to CENSUS: tasks of the event loop, objects, the largest containers.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import queue
import selectors
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

NANO = 1_000_000_000
WATCHED = (
    "StreamableHTTPServerTransport",
    "ServerSession",
    "CancelScope",
    "TaskState",
    "SSLObject",
    "Connection",
)


def run_fast(since: float, pace: int) -> None:
    """Make time pass `pace` times as fast, from `since` on, for this process."""
    real_time, real_monotonic, real_sleep = time.time, time.monotonic, time.sleep
    offset = real_monotonic() - (real_time() - since)  # of that moment, by the other clock
    start_ns = int(since * NANO)

    def fast_monotonic() -> float:
        return offset + (real_monotonic() - offset) * pace

    time.time = lambda: since + (real_time() - since) * pace  # type: ignore[assignment]
    time.time_ns = lambda: int(time.time() * NANO)  # type: ignore[assignment]
    time.monotonic = fast_monotonic  # type: ignore[assignment]
    time.sleep = lambda seconds: real_sleep(seconds / pace)  # type: ignore[assignment]
    vars(threading)["_time"] = vars(queue)["time"] = fast_monotonic

    selector = selectors.DefaultSelector
    real_select = selector.select

    def select(self: Any, timeout: float | None = None) -> Any:
        return real_select(self, timeout if timeout is None else timeout / pace)

    selector.select = select  # type: ignore[method-assign]
    real_wait = threading.Condition.wait

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        return real_wait(self, timeout if timeout is None else timeout / pace)

    threading.Condition.wait = wait  # type: ignore[method-assign]

    def faster(found: os.stat_result) -> os.stat_result:
        """What was written after `since` was written later, by the fast clock."""
        seen = [found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns]
        moved = [ns if ns < start_ns else start_ns + (ns - start_ns) * pace for ns in seen]
        names = ("st_atime", "st_mtime", "st_ctime")
        more: dict[str, Any] = dict(zip((f"{name}_ns" for name in names), moved, strict=True))
        more |= dict(zip(names, (ns / NANO for ns in moved), strict=True))
        more |= {"st_blksize": found.st_blksize, "st_blocks": found.st_blocks}
        return os.stat_result([*list(found)[:7], *(ns // NANO for ns in moved)], more)

    for name in ("stat", "lstat", "fstat"):
        _shift(name, faster)


def _shift(name: str, faster: Any) -> None:
    real = getattr(os, name)
    setattr(os, name, lambda *args, **more: faster(real(*args, **more)))


def count(census: Path) -> None:
    """Append what this process holds; a walk over all objects, so it takes 0.1 s."""
    gc.collect()
    objects = gc.get_objects()
    types = Counter(type(one).__name__ for one in objects)
    sized = [one for one in objects if type(one) in (dict, list, set)]
    sized.sort(key=len, reverse=True)
    try:
        tasks = len(asyncio.all_tasks(asyncio.get_running_loop()))
    except RuntimeError:
        tasks = 0
    facts = {
        "tasks": tasks,
        "objects": len(objects),
        "watched": {name: types[name] for name in WATCHED},
        "types": dict(types.most_common(25)),
        "largest": [(type(one).__name__, len(one), _like(one)) for one in sized[:12]],
    }
    with census.open("a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")


def _like(one: Any) -> str:
    """The type of what it holds, never the thing itself."""
    first = next(iter(one.values() if type(one) is dict else one), None)
    keys = f"{type(next(iter(one), None)).__name__}: " if type(one) is dict else ""
    return keys + type(first).__name__


def main() -> int:
    since, pace, census, *arguments = sys.argv[1:]
    if int(pace) != 1:
        run_fast(float(since), int(pace))
    if Path(census).name != "-":
        signal.signal(signal.SIGUSR2, lambda *_: count(Path(census)))
    from hailuo_mcp import cli

    gc.set_threshold(50_000)  # as the program does
    return cli.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
