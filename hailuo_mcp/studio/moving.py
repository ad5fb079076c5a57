"""Move a saved clip or film to where its owner wants it, instead of keeping a second copy.

The order is: copy, check, write down in the journal, delete. A process that is killed in between
leaves a copy too many and never one too few.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

from hailuo_mcp.errors import Do, InvalidRequestError, Step
from hailuo_mcp.files.moving import copy_beside, remove_moved
from hailuo_mcp.studio.context import Context
from hailuo_mcp.text import system_reason

Made = TypeVar("Made")


def need_movable(context: Context) -> None:
    """Raise InvalidRequestError if clips are kept where other computers look for them."""
    if context.settings.files:
        raise InvalidRequestError(
            f"Clips are kept in {context.storage.place}, where other computers look for them, so "
            "none can be moved from there to a folder of this computer.",
            Step(Do.TRY, "have the clip copied instead"),
        )


async def move(
    context: Context,
    file: str,
    target: Path,
    record: Callable[[str], Awaitable[Made | None]],
    *,
    whose: str,
    overwrite: bool,
) -> tuple[Made | None, str]:
    """Move the clip of a task or a film, with what lies beside it.

    `record` writes the new path down. Return what it returned, and why the first copy is still
    there, if it is: as a sentence.
    """
    need_movable(context)
    clip = context.storage.local_path(file)
    if clip is None:
        raise InvalidRequestError(
            f"The clip is kept at {file}, which is no file of this computer, so it cannot be "
            "moved.",
            Step(Do.TRY, "have the clip copied instead"),
        )
    copied = await context.storage.copy(file, target, overwrite=overwrite)
    beside = await run_sync(lambda: copy_beside(clip, copied.path, whose=whose))
    kept, left = None, ""
    with anyio.CancelScope(shield=True):
        kept = await record(str(copied.path))
        if kept is None:
            left = f"It changed meanwhile, so the clip also stays at {clip}."
        else:
            try:
                await run_sync(lambda: remove_moved(clip, beside, copied.path))
            except OSError as trouble:
                why = system_reason(trouble)
                left = f"The first copy at {clip} could not be deleted ({why})."
    return kept, left
