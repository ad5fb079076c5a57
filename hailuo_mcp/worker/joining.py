"""Joins a film's saved clips to one file, with a poster and a sidecar."""

from __future__ import annotations

from collections.abc import Sequence

from hailuo_mcp.domain import Film, Task
from hailuo_mcp.studio.context import Context


async def join_film(context: Context, film: Film, shots: Sequence[Task]) -> None:
    """Join the clips of these tasks, in order, and record the file or why it failed.

    All of them are saved. Nothing that was joined before is replaced: each revision has a name.
    """
    raise NotImplementedError
