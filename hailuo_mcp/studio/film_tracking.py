"""What a task's id can be used for, with a film's: query, download, cancel."""

from __future__ import annotations

from hailuo_mcp.domain import Film
from hailuo_mcp.studio.context import Context
from hailuo_mcp.views import FilmProgress, FilmView, SavedFilm


async def query_film(
    context: Context,
    film: Film,
    *,
    wait_seconds: float = 0,
    on_progress: FilmProgress | None = None,
) -> FilmView:
    """Return a film's view; wait until it is joined or nothing moves any more."""
    raise NotImplementedError


async def download_film(
    context: Context,
    film: Film,
    *,
    output_path: str = "",
    overwrite: bool = False,
    wait_seconds: float = 0,
    on_progress: FilmProgress | None = None,
) -> SavedFilm:
    """Put the joined film on disk, and copy it if the caller asks for that."""
    raise NotImplementedError


async def cancel_film(context: Context, film: Film) -> FilmView:
    """Withdraw the plan, or the shots that were not sent."""
    raise NotImplementedError
