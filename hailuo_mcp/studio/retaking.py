"""Another take of a clip, from the journal's record of what was asked for; and what it would cost.

The files of a request are not asked for again: their kept bytes are sent, else what is at the
address that they came from, else the frame that they were taken from, as long as it has the same
bytes. So a take is a take of the same request, or nothing is bought.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hailuo_mcp.domain.requests import (
    PROVIDER_FILE,
    AnyRequest,
    ClipFacts,
    Mode,
    TemplateRequest,
    VideoRequest,
)
from hailuo_mcp.domain.task import Money, Quote, Status, Task
from hailuo_mcp.errors import BudgetExceededError, Do, HailuoError, InvalidRequestError, Step
from hailuo_mcp.studio.clip_bytes import find_made, unknown
from hailuo_mcp.studio.conditions import reserved_amount
from hailuo_mcp.studio.context import Context
from hailuo_mcp.studio.lookup import refuse_film
from hailuo_mcp.studio.pictures import KEPT_SECONDS
from hailuo_mcp.studio.purchase import generate
from hailuo_mcp.studio.request_record import (
    content_of_record,
    files_of,
    request_again,
    same_files,
)
from hailuo_mcp.studio.upgrading import upgrade_request
from hailuo_mcp.views import Progress, Terms, View

if TYPE_CHECKING:
    from hailuo_mcp.rules.judge import Seller


MOST_KNOWN = 100
"""The newest tasks among which the takes of a request are found."""


class Unavailable(StrEnum):
    """Why another take cannot be bought like this."""

    FILM_SHOT = "film_shot"
    """It is made again in its film, with what continues it."""
    UPGRADE = "upgrade"
    """It would be the same clip again; its draft can have another take."""
    BOUGHT_ELSEWHERE = "bought_elsewhere"
    """What was asked for is not known here, or not to this version of the program."""
    OTHER_PROVIDER = "other_provider"
    """It was bought at another provider than the one in use, at other prices."""
    PICTURE_GONE = "picture_gone"
    """A picture, clip or sound that it was made from is not kept any more."""
    NOT_OFFERED = "not_offered"
    """The provider does not make such clips any more."""
    UNPRICED = "unpriced"
    """No price is published, so the budget refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Another take: its number and price; or why there can be none."""

    take: int = 0
    quote: Quote | None = None
    unavailable: Unavailable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """The same clip at a higher resolution."""

    resolution: str
    quote: Quote


async def retake(
    context: Context,
    task_id: str,
    terms: Terms,
    *,
    caller: str = "",
    local: bool = True,
    wait_seconds: float = 0,
    on_progress: Progress | None = None,
) -> View:
    """Buy the take of these terms of what the caller's clip was made from, or find it.

    Raises:
        TaskNotFoundError: the clip is unknown, or another caller's. The provider is not asked.
        InvalidRequestError: there can be no other take, and why; free.
        HailuoError: as in `generate`.
    """
    task = await find_made(context, task_id, caller)
    if not isinstance(task, Task):
        await refuse_film(context, task_id, caller)
        raise unknown(context, task_id, caller)
    if refused := _unavailable(context, task):
        raise _refusal(task, refused)

    async def source(file: Mapping[str, Any]) -> str:
        return await _source(context, task, file)

    if made := await _same_take(context, task, terms.take, caller):
        return await context.view(made, reused=True)
    request = await _asked(task, source)
    if request is None:
        raise _refusal(task, Unavailable.BOUGHT_ELSEWHERE)
    return await generate(
        context,
        request,
        replace(terms, same_files=same_files(task.request)),
        caller=caller,
        local=local,
        wait_seconds=wait_seconds,
        on_progress=on_progress,
    )


async def _same_take(context: Context, task: Task, take: int, caller: str) -> Task | None:
    """The take of this number, however old: a page that was open for hours buys no second one.

    `generate` finds it too, but only within the time after which a request counts as new.
    """
    content = content_of_record(task.request)
    for other in await context.store.newest(caller=caller or None, limit=MOST_KNOWN):
        ended = other.status in (Status.FAILED, Status.CANCELLED)
        if other.take != take or ended or other.film_id or other.provider != task.provider:
            continue
        if content_of_record(other.request) == content:
            return other
    return None


async def another_take(context: Context, task: Task, take: int) -> Again:
    """What take number `take` of this task's request would cost now; nothing is sent."""
    if refused := _unavailable(context, task):
        return Again(unavailable=refused)
    if await _lacks_files(context, task):
        return Again(unavailable=Unavailable.PICTURE_GONE)
    request = await _asked(task, _closed)
    if request is None:
        return Again(unavailable=Unavailable.BOUGHT_ELSEWHERE)
    quote = _quote(request, task, context.client.seller)
    if quote is None:
        return Again(unavailable=Unavailable.NOT_OFFERED)
    try:
        reserved_amount(context, quote)
    except BudgetExceededError:
        return Again(unavailable=Unavailable.UNPRICED)
    return Again(take=take, quote=quote)


async def possible_upgrade(context: Context, task: Task, caller: str) -> Upgraded | None:
    """What an upgrade would be and cost now; None if it would be refused."""
    from hailuo_mcp.catalog.video_models import find_model
    from hailuo_mcp.rules.upgrade import check_upgrade

    model = find_model(task.model)
    if model is None or task.status is not Status.SUCCEEDED or task.mode is Mode.UPGRADE:
        return None
    wanted = model.upgrades.get(task.resolution or "", "")
    if not wanted or task.provider != context.provider.name:
        return None
    try:
        request = await upgrade_request(context, task.task_id, wanted, caller=caller)
        quote = check_upgrade(request, context.client.seller).quote
        reserved_amount(context, quote)
    except HailuoError:
        return None
    return Upgraded(resolution=wanted, quote=quote)


def _unavailable(context: Context, task: Task) -> Unavailable | None:
    """What the record alone tells."""
    if task.film_id:
        return Unavailable.FILM_SHOT
    if task.mode is Mode.UPGRADE:
        return Unavailable.UPGRADE
    if task.money is Money.UNKNOWN or not json.loads(task.request):
        return Unavailable.BOUGHT_ELSEWHERE
    if task.provider != context.provider.name:
        return Unavailable.OTHER_PROVIDER
    return None


async def _asked(
    task: Task, source: Callable[[Mapping[str, Any]], Awaitable[str]]
) -> AnyRequest | None:
    """The request of its record; None for a record of a later version, with more in it."""
    try:
        return await request_again(task.request, source)
    except (KeyError, TypeError):
        return None


async def _closed(_file: Mapping[str, Any]) -> str:
    """For the judge alone, who opens nothing: that there is a file."""
    return "recorded"


def _quote(request: AnyRequest, task: Task, seller: Seller) -> Quote | None:
    """Its price by the judge who decides at a purchase; None if it would be refused.

    The files stay closed: their number and lengths are in the record.
    """
    from hailuo_mcp.rules.template import judge_template
    from hailuo_mcp.rules.video import judge_video

    if isinstance(request, TemplateRequest):
        template = judge_template(request.template_id, seller)
        return None if template.problems else seller.charge(template.price)
    if not isinstance(request, VideoRequest):
        return None
    lengths = (file.get("seconds") for file in json.loads(task.request).get("reference_videos", ()))
    clips = {
        f"reference_videos[{at}]": _length_only(seconds) if seconds else None
        for at, seconds in enumerate(lengths)
    }
    verdict = judge_video(request, seller, clips=clips)
    return None if verdict.problems else seller.charge(verdict.combination.price)


def _length_only(seconds: float) -> ClipFacts:
    return ClipFacts(
        sha256="", mime="", size=0, width=0, height=0, seconds=seconds, fps=0.0, codec=""
    )


async def _lacks_files(context: Context, task: Task) -> bool:
    """Whether a file is certainly gone.

    What has an address or a clip is looked for at the purchase, before anything is bought.
    """
    if context.clock() - task.created_at < KEPT_SECONDS:
        return False
    for file in files_of(task.request):
        if file.get("url") or file.get("from"):
            continue
        with suppress(OSError):  # cannot be found out now
            if not await context.pictures.kept(file["sha256"]):
                return True
    return False


async def _source(context: Context, task: Task, file: Mapping[str, Any]) -> str:
    """A text that names a recorded file, as a caller would name it."""
    url, origin = str(file.get("url") or ""), str(file.get("from") or "")
    if url.startswith(PROVIDER_FILE):
        return url
    away = False
    try:
        return await context.pictures.data_url(file["sha256"], file["mime"])
    except KeyError:
        pass
    except OSError:
        away = True
    if url or origin:
        return url or origin
    if away:
        refusal = _refused(task, "what it was made from cannot be read at the moment")
        refusal.retry = True
        raise refusal
    raise _refusal(task, Unavailable.PICTURE_GONE)


_ASK_ANEW = Step(Do.TRY, "ask for the clip anew, with its pictures")
_WHY: Mapping[Unavailable, str] = {
    Unavailable.FILM_SHOT: "it is a shot of a film, and is made again there",
    Unavailable.UPGRADE: "it is an upgrade, which would be the same clip again",
    Unavailable.BOUGHT_ELSEWHERE: "what was asked for is not known here",
    Unavailable.OTHER_PROVIDER: "it was bought at another provider than the one in use",
    Unavailable.PICTURE_GONE: "a file that it was made from is not kept any more",
}


def _refusal(task: Task, why: Unavailable) -> InvalidRequestError:
    steps = {
        Unavailable.FILM_SHOT: Step(
            Do.TRY, f"make shot {task.shot} of film {task.film_id} again, as a redo"
        ),
        Unavailable.UPGRADE: Step(Do.TRY, "make another take of its draft, and upgrade that"),
    }
    return _refused(task, _WHY[why], steps.get(why, _ASK_ANEW))


def _refused(task: Task, why: str, *then: Step) -> InvalidRequestError:
    return InvalidRequestError(
        f"There can be no other take of task {task.task_id}: {why}.", *then, task_id=task.task_id
    )
