"""What the page shows of clips and films: facts and codes; its own words are in page/words.js."""

from __future__ import annotations

from typing import TYPE_CHECKING, Required, cast

from typing_extensions import TypedDict

from hailuo_mcp.text import number
from hailuo_mcp.wording.shapes import Cost, FilmStatusWord, SpendingSoFar, StatusWord, only_given

if TYPE_CHECKING:
    from hailuo_mcp.domain.task import Quote
    from hailuo_mcp.studio.gallery import Gallery, ShownClip, ShownFilm
    from hailuo_mcp.studio.retaking import Again as AnotherTake
    from hailuo_mcp.views import FilmView, View

_SOONEST, _LATEST = 2, 15
"""Seconds after which the page asks again: it is looked at, and costs no model a turn."""


class Price(TypedDict, total=False):
    """What a click would cost, as it is published.

    A max_cost can hold it to that, unless it is a lower bound.
    """

    amount: Required[str]
    """Decimal text."""
    unit: Required[str]
    """CNY, USD or credits."""
    lower_bound: bool
    """It costs at least this."""


class Again(TypedDict, total=False):
    """Another take of the same request."""

    take: int
    """Its number: the same number again finds the same clip, and buys nothing."""
    price: Price
    """Left out if no price is published."""
    unavailable: str
    """Why it cannot be bought from here, one of Unavailable in studio/retaking.py, such as
    "picture_gone"; then there is no take."""


class Upgrade(TypedDict, total=False):
    """The same clip at a higher resolution."""

    resolution: str
    price: Price


class Card(TypedDict, total=False):
    """A clip. Times are Unix seconds; keys without a value are left out."""

    id: Required[str]
    status: Required[StatusWord]
    saved: bool
    settled: bool
    """Nothing changes any more without somebody's doing."""
    shot: str
    """Takes of the same request have the same word here."""
    take: int
    """Not of an upgrade, which has no takes."""
    film_id: str
    place: int
    """In its film, from 1."""
    upgrade_of: str
    """The id of the draft that it was made from."""
    prompt: str
    """Whole. Untrusted text."""
    title: str
    """Of a clip from a template: the template's name."""
    provider: str
    sandbox: bool
    """An imitation: nothing is charged."""
    model: str
    mode: str
    duration: int
    resolution: str
    width: int
    height: int
    seconds: float
    bytes: int
    created_at: float
    elapsed_seconds: int
    eta_seconds: int
    next_check_seconds: int
    cost: Cost
    error_code: str
    """The provider's, such as "1026"; left out where it has none."""
    error_kind: str
    """Ours, such as "content_rejected" or "rate_limited"."""
    explanation: str
    """Why it failed, or what is unknown, in sentences for a person; English."""
    file: str
    """Its path, for a person at this computer."""
    url: str
    """Where the page can play it from: over HTTP only."""
    poster: bool
    """read_media has a picture of it."""
    again: Again
    upgrade: Upgrade
    frame: str
    """How another request names its last frame: task:ID#last."""
    fetch: bool
    """It is finished but not on disk (or its file is gone): download_video fetches it, free."""


class FilmCard(TypedDict, total=False):
    """A film: its shots are cards of their own, by film_id and place."""

    id: Required[str]
    status: Required[FilmStatusWord]
    settled: bool
    saved: bool
    shots: list[str]
    """The id of each shot's newest task, in order; "" where none is recorded yet."""
    prompts: list[str]
    """Of each shot, in order."""
    seconds: float
    width: int
    height: int
    created_at: float
    eta_seconds: int
    next_check_seconds: int
    cost: Cost
    provider: str
    sandbox: bool
    explanation: str
    """As a card's."""
    bytes: int
    file: str
    url: str
    poster: bool
    fetch: bool
    """It is ready but not joined (or its file is gone): download_video tries again, free."""


class Cards(TypedDict, total=False):
    """What show_cards answers."""

    message: Required[str]
    now: Required[float]
    cards: Required[list[Card]]
    """Newest first."""
    films: list[FilmCard]
    spending: SpendingSoFar
    sandbox: bool
    """What is spent is play money."""
    may_buy: bool


def cards_of(shown: Gallery, *, local: bool, may_buy: bool) -> Cards:
    """The answer. `local`: the caller can open a path of this computer."""
    from hailuo_mcp.dialects.providers import provider_notice
    from hailuo_mcp.wording.costs import spending

    return {
        "message": _message(shown),
        "now": shown.now,
        "cards": [_card(clip, local=local) for clip in shown.clips],
        "films": [_film(film, local=local) for film in shown.films],
        "spending": spending(shown.spending),
        "sandbox": bool(provider_notice(shown.spending.provider)),
        "may_buy": may_buy and shown.buys,
    }


def _message(shown: Gallery) -> str:
    clips, films = len(shown.clips), len(shown.films)
    said = f"{clips} clip{'' if clips == 1 else 's'}"
    if films:
        said += f" and {films} film{'' if films == 1 else 's'}"
    if shown.unknown:
        said += f"; {shown.unknown} of the ids {'is' if shown.unknown == 1 else 'are'} unknown"
    return f"{said}."


def _card(clip: ShownClip, *, local: bool) -> Card:
    from hailuo_mcp.domain.requests import Mode
    from hailuo_mcp.domain.task import Status
    from hailuo_mcp.wording.gallery import explanation
    from hailuo_mcp.wording.tasks import cost_of, elapsed_seconds, template_title

    view, task = clip.view, clip.view.task
    ready, better = task.status is Status.SUCCEEDED, clip.upgrade
    return cast(
        "Card",
        {"created_at": task.created_at}
        | only_given(
            id=task.task_id,
            status=task.status.value,
            saved=clip.on_disk,
            settled=view.settled,
            shot=clip.shot,
            take=0 if task.mode is Mode.UPGRADE else task.take,
            film_id=task.film_id,
            place=task.shot,
            upgrade_of=clip.upgrade_of,
            prompt=task.prompt,
            title=template_title(task) if task.mode is Mode.TEMPLATE else "",
            provider=task.provider,
            sandbox=bool(view.notice),
            model="" if task.mode is Mode.TEMPLATE else task.model,
            mode=task.known_mode or "",
            duration=task.duration,
            resolution=task.resolution,
            width=task.width,
            height=task.height,
            seconds=task.seconds,
            bytes=task.bytes,
            elapsed_seconds=elapsed_seconds(view),
            eta_seconds=view.eta_seconds,
            next_check_seconds=_check_again(view),
            cost=cost_of(task),
            error_code=task.error_code,
            error_kind=task.error_kind,
            explanation=explanation(view),
            file=task.file if local and clip.on_disk else "",
            url=view.link.url if view.link and clip.on_disk else "",
            poster=clip.poster,
            again=_again(clip.again),
            upgrade=only_given(resolution=better.resolution, price=_price(better.quote))
            if better
            else {},
            frame=f"task:{task.task_id}#last" if clip.on_disk else "",
            fetch=ready and not clip.on_disk and (view.settled or task.saved),
        ),
    )


def _again(again: AnotherTake) -> Again:
    if again.unavailable:
        return {"unavailable": again.unavailable.value}
    return cast("Again", only_given(take=again.take, price=_price(again.quote)))


def _price(quote: Quote | None) -> Price:
    if quote is None or quote.amount is None:
        return cast("Price", {})
    return cast(
        "Price",
        only_given(
            amount=number(quote.amount), unit=quote.unit.value, lower_bound=quote.lower_bound
        ),
    )


def _film(shown: ShownFilm, *, local: bool) -> FilmCard:
    from hailuo_mcp.domain.task import Status
    from hailuo_mcp.wording.films import cost_of
    from hailuo_mcp.wording.gallery import film_explanation

    view, film = shown.view, shown.view.film
    here = view.whole and shown.on_disk
    return cast(
        "FilmCard",
        {"created_at": film.made_at or film.created_at}
        | only_given(
            id=film.film_id,
            status=_film_status(view),
            settled=view.settled,
            saved=view.joined and shown.on_disk,
            shots=[shot.view.task.task_id if shot.view else "" for shot in view.shots],
            prompts=[shot.plan.prompt for shot in view.shots],
            seconds=film.seconds if here else None,
            width=film.width if here else None,
            height=film.height if here else None,
            bytes=film.bytes if here else None,
            eta_seconds=view.eta_seconds,
            next_check_seconds=_check_again(view),
            cost=cost_of(view),
            provider=film.provider,
            sandbox=bool(view.notice),
            explanation=film_explanation(view),
            file=film.file if local and here else "",
            url=view.link.url if view.link and here else "",
            poster=here and shown.poster,
            fetch=view.status is Status.SUCCEEDED
            and view.settled
            and not (view.joined and shown.on_disk),
        ),
    )


def _film_status(view: FilmView) -> FilmStatusWord:
    """As it is told to a model; but a film of which something is made is not waiting its turn."""
    from hailuo_mcp.domain.task import UNFINISHED, Status

    if view.status is None:
        return "planned"
    made = any(task.status in (Status.RUNNING, Status.SUCCEEDED) for task in view.tasks)
    status = Status.RUNNING if view.status in UNFINISHED and made else view.status
    return status.value


def _check_again(view: View | FilmView) -> int | None:
    """None once nothing changes any more without somebody's doing."""
    if view.settled:
        return None
    return min(_LATEST, max(_SOONEST, view.eta_seconds or _SOONEST))
