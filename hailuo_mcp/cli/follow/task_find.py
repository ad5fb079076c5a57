"""Which tasks and films the options of a list mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.cli import task_rows
from hailuo_mcp.cli.follow.list_limits import MOST
from hailuo_mcp.cli.session import Session

if TYPE_CHECKING:
    from hailuo_mcp.journal.facts import Filter, ProviderSums
    from hailuo_mcp.views import FilmView, Listing, View


def filter_of(session: Session) -> Filter:
    """What the options narrow the list to; --provider names an account elsewhere, and here both."""
    from hailuo_mcp.journal.facts import Filter

    args = session.args
    return Filter(
        since=args.since,
        until=args.until,
        provider=session.reader.provider.name if args.provider else "",
        search=args.search,
    )


async def find(
    session: Session, *, wait_seconds: float = 0
) -> tuple[Listing, list[View | FilmView], list[ProviderSums]]:
    """What is listed, in its order, and what all such tasks cost."""
    from hailuo_mcp.studio.listing import listing, sums_of

    args, reader, only = session.args, session.reader, filter_of(session)
    limit = args.limit if args.sort in ("newest", "age") else MOST
    status = args.status
    if wait_seconds:
        found = await session.studio.tasks(
            status=status, only=only, limit=limit, wait_seconds=wait_seconds
        )
    else:
        found = await listing(reader, status=status, only=only, limit=limit)
    entries = task_rows.in_order(found.entries, args.sort)[: args.limit]
    return found, entries, await sums_of(reader, status=status, only=only)
