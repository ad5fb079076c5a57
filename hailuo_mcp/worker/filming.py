"""What moves a film on: start the next shot, stop what a failure makes impossible, join."""

from __future__ import annotations

from hailuo_mcp.domain import Film
from hailuo_mcp.studio.context import Context


async def advance(context: Context, film: Film) -> None:
    """Do what is due for a film whose lease this process holds. Repeatable at any point."""
    raise NotImplementedError
