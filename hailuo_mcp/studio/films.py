"""Films of several shots: plan, make, redo."""

from __future__ import annotations

from dataclasses import dataclass

from hailuo_mcp.domain import Continuity, Film, Transition
from hailuo_mcp.studio.context import Context
from hailuo_mcp.views import FilmProgress, FilmView, Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmRequest:
    """What a caller wants: shots, or a film's id, with which the rest is empty."""

    film_id: str = ""
    """A film that was planned before: it is made as planned."""
    redo: tuple[int, ...] = ()
    """Shots of that film to make again."""
    shots: tuple[str, ...] = ()
    """Prompts."""
    durations: tuple[int, ...] = ()
    """Seconds: none for the default, one for all, or one each."""
    images: tuple[str, ...] = ()
    """None, or a first frame for each shot; empty text for none."""
    continuity: Continuity = Continuity.NONE
    model: str = ""
    resolution: str | None = None
    transition: Transition = Transition.CUT


async def plan_film(
    context: Context,
    wanted: FilmRequest,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
) -> FilmView:
    """Check and price every shot and keep the plan; nothing is bought."""
    raise NotImplementedError


async def film_question(
    context: Context,
    wanted: FilmRequest,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
) -> str | None:
    """The exact question for the person, or None if none is needed (as consent_question)."""
    raise NotImplementedError


async def make_film(
    context: Context,
    wanted: FilmRequest,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
    wait_seconds: float = 0,
    on_progress: FilmProgress | None = None,
) -> FilmView:
    """Buy the shots of a plan, all or none, or find the film that this call repeats."""
    raise NotImplementedError


async def find_film(context: Context, film_id: str, caller: str) -> Film | None:
    """The caller's film; None if this is no film's id."""
    raise NotImplementedError


async def film_view(
    context: Context, film: Film, *, reused: bool = False, notes: tuple[str, ...] = ()
) -> FilmView:
    raise NotImplementedError
