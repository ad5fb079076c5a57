"""Save one clip: at most one process at a time, checked, put in place without clobbering."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import SystemRandom

import anyio
from anyio import CancelScope
from anyio.to_thread import run_sync

from hailuo_mcp.domain import Link
from hailuo_mcp.files import disk
from hailuo_mcp.files.answers import Open
from hailuo_mcp.files.disk import SavedFile, Sleep
from hailuo_mcp.files.fetching import Fetch
from hailuo_mcp.files.part import Part

LARGEST = 2 << 30
"""Bytes; a clip has some megabytes, and a disk is not to be filled by a wrong link."""
_LONGEST_PAUSE = 20.0


async def save(
    link: Callable[[bool], Awaitable[Link]],
    stream: Open,
    target: Path,
    *,
    overwrite: bool = False,
    task_id: str = "",
    limit: int = LARGEST,
    sleep: Sleep = anyio.sleep,
) -> SavedFile:
    """Fetch the clip that `link` leads to and put it, checked, at `target`.

    `link(True)` gives a fresh one. A complete clip of the same `task_id` that is there already is
    the answer. What has arrived stays in a .part when this fails or is cancelled.
    """
    if found := await run_sync(lambda: _prepare(target, task_id, overwrite=overwrite)):
        return found
    async with disk.held(target, sleep=sleep):
        # The process that held the lock before us may have finished the work.
        if found := await run_sync(lambda: _prepare(target, task_id, overwrite=overwrite)):
            return found
        part = await run_sync(Part, target.with_name(target.name + ".part"))
        try:
            fetch = Fetch(link, stream, part, limit=limit)
            facts = await fetch.run(lambda tries: sleep(_pause(tries)))
            await run_sync(part.finish)
            await run_sync(
                lambda: disk.put_in_place(
                    part.path, target, overwrite=overwrite or _only_a_name(target, task_id)
                )
            )
        finally:
            with CancelScope(shield=True):
                await run_sync(part.close)
        return disk.saved_file(target, size=part.size, sha256=part.sha256, facts=facts)


def _pause(tries: int) -> float:
    # A random part, so that a hundred downloads cut at once do not come back at once.
    return min(_LONGEST_PAUSE, 0.5 * 2.0 ** (tries - 1)) * SystemRandom().uniform(0.5, 1)


def _prepare(target: Path, task_id: str, *, overwrite: bool) -> SavedFile | None:
    with disk.explained(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        if overwrite or not (target.exists() or target.is_symlink()):
            return None
        if _only_a_name(target, task_id):
            return None  # replaced when the clip has come
        if task_id and target.is_file() and task_id in target.stem:
            problem, facts = disk.clip_flaw(target, length_known=False)
            if not problem:
                disk.drop_second_name(target)
                return disk.saved_file(
                    target,
                    size=target.stat().st_size,
                    sha256=disk.sha256_of(target),
                    facts=facts,
                )
    raise disk.in_the_way(target)


def _only_a_name(target: Path, task_id: str) -> bool:
    """Tell whether a process that died has left no more than the name of our clip."""
    return bool(task_id) and task_id in target.stem and disk.is_taken_name(target)
