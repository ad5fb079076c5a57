"""What was bought: its link and the saved clip, beside what was promised and asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.dialects.link_expiry import MINIMAX_LIFE
from hailuo_mcp.dialects.providers import CLIP_DOMAINS
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.task import Task
from hailuo_mcp.errors import HailuoError
from hailuo_mcp.files.mp4 import HEAD, starts_well
from hailuo_mcp.verification.facts import Difference, Kind, Operation, Outcome, Reason, Step
from hailuo_mcp.verification.observed import outcome_of, reason_of

if TYPE_CHECKING:
    from hailuo_mcp.client import HailuoClient
    from hailuo_mcp.transport.link_download import LinkResponse

_LIVES = {"minimax": MINIMAX_LIFE}
"""How long a fresh link is documented to live at least, in seconds (C1)."""
_SECONDS_LATE = 60.0
_SECONDS_OFF = 1.0
_PART_OFF = 0.1


async def link_step(client: HailuoClient, task: Task, clock: Callable[[], float]) -> Step:
    """Whose host it is, how long it lives, and that it serves a clip without the key."""
    error, found, told = None, list[Difference](), list[str]()
    try:
        status = await client.query(task.remote_id, model=task.model)
        link = await client.link(status)
        found += _link_differences(link, client.provider, clock())
        if link.expires_at:
            told.append(f"good for {(link.expires_at - clock()) / 60:.0f} min")
        async with client.stream(link) as answer:
            head = await _head(answer)
            told.append(f"HTTP {answer.status} without the key")
        if not starts_well(head):
            found.append(_of_link("what it serves", "an MP4 file", "something else"))
    except HailuoError as exc:
        error = exc
    return Step(
        name="the link",
        outcome=Outcome.FAILED if error else outcome_of(found),
        answers=tuple(told),
        differences=tuple(found),
        reason=reason_of(error) if error else None,
        what=error.what if error else "",
    )


def _link_differences(link: Link, provider: Provider, now: float) -> Iterator[Difference]:
    if link.authorised:
        yield _of_link("the need for a key", "a link without it", "an address with it")
        return
    host = urlsplit(link.url).hostname or ""
    is_known = any(host == it or host.endswith(f".{it}") for it in CLIP_DOMAINS)
    own = provider.minimax_env and urlsplit(provider.base_url).hostname in provider.hosts
    if own and not is_known:
        yield _of_link("its host", "one of the known ones", "another")
    if link.expires_at is None:
        return
    left, promised = link.expires_at - now, _LIVES.get(provider.dialect, 0.0)
    if left <= 0:
        yield _of_link("its end", "a moment to come", "one that has passed")
    elif left < promised - _SECONDS_LATE:
        yield _of_link("its life", f"{promised / 60:.0f} min or more", f"{left / 60:.0f} min")


def _of_link(where: str, expected: str, found: str) -> Difference:
    return Difference(
        operation=Operation.LINK, kind=Kind.LINK, where=where, expected=expected, found=found
    )


class _EnoughError(Exception):
    """Ends a download of which only the beginning was wanted."""


async def _head(answer: LinkResponse) -> bytes:
    head = bytearray()

    def take(block: bytearray) -> None:
        head.extend(block[:HEAD])
        raise _EnoughError

    with suppress(_EnoughError):
        await answer.stream_to(take)
    return bytes(head)


def clip_step(task: Task) -> Step | None:
    """The length and the size of the saved clip, beside what was asked for."""
    if not task.saved:
        why = task.save_error or "Not saved."
        return Step(name="the clip", outcome=Outcome.FAILED, reason=Reason.NOT_SAVED, what=why)
    if not (task.seconds and task.width and task.height):
        return Step(name="the clip", outcome=Outcome.SKIPPED, reason=Reason.NOT_MEASURED)
    found = list[Difference]()
    if task.duration and abs(task.seconds - task.duration) > _SECONDS_OFF:
        found.append(_of_clip("length", f"{task.duration} s", f"{task.seconds:g} s"))
    asked, short = _pixels(task.resolution), min(task.width, task.height)
    if asked and abs(short - asked) > asked * _PART_OFF:
        found.append(_of_clip("shorter side", f"{asked} pixels", f"{short} pixels"))
    told = f"{task.width}×{task.height}, {task.seconds:g} s"
    return Step(
        name="the clip",
        outcome=outcome_of(found),
        answers=(told,),
        differences=tuple(found),
    )


def _of_clip(where: str, expected: str, found: str) -> Difference:
    return Difference(
        operation=Operation.LINK,
        kind=Kind.OTHER_VALUE,
        where=where,
        expected=expected,
        found=found,
    )


def _pixels(resolution: str | None) -> int:
    digits = (resolution or "").removesuffix("P")
    return int(digits) if digits.isdecimal() else 0
