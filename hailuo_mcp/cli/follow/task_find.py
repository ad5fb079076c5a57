"""Which tasks and films the options of a list mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.cli import task_rows
from hailuo_mcp.cli.session import Session

if TYPE_CHECKING:
    from hailuo_mcp.journal.store import Filter, ProviderSums
    from hailuo_mcp.views import FilmView, Listing, View

MOST = 10_000
"""Tasks that are looked at."""


def filter_of(session: Session) -> Filter:
    """What the options narrow the list to; --provider names an account elsewhere, and here both."""
    from hailuo_mcp.journal.store import Filter

    args = session.args
    return Filter(
        since=args.since,
        until=args.until,
        provider=session.studio.provider.name if args.provider else "",
        search=args.search,
    )


async def find(
    session: Session, *, wait_seconds: float = 0
) -> tuple[Listing, list[View | FilmView], list[ProviderSums]]:
    """What is listed, in its order, and what all such tasks cost."""
    args, studio, only = session.args, session.studio, filter_of(session)
    ordered = args.sort not in ("newest", "age")
    listing = await studio.tasks(
        status=args.status,
        only=only,
        limit=MOST if ordered else args.limit,
        wait_seconds=wait_seconds,
    )
    entries = task_rows.in_order(listing.entries, args.sort)[: args.limit]
    return listing, entries, await studio.sums_of(status=args.status, only=only)
