"""The paid part of a verification: the cheapest legal clip, bought as any other, and looked at."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.link_expiry import MINIMAX_LIFE
from hailuo_mcp.dialects.providers import CLIP_DOMAINS
from hailuo_mcp.dialects.statuses import phase_of
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import HailuoError, TaskFailedError
from hailuo_mcp.files.mp4 import HEAD, starts_well
from hailuo_mcp.media.boat import boat_picture
from hailuo_mcp.rules.judge import Combination, judge
from hailuo_mcp.verification.compare import operation_of
from hailuo_mcp.verification.facts import Difference, Exchange, Kind, Operation, Outcome, Step
from hailuo_mcp.verification.free import named_task
from hailuo_mcp.verification.observed import (
    Observed,
    answer_words,
    differences_of,
    outcome_of,
)
from hailuo_mcp.verification.replies.questions import NOTHING, URLS_ONLY
from hailuo_mcp.verification.states import goes_on, said_state, shown_state

if TYPE_CHECKING:
    from hailuo_mcp.client import HailuoClient
    from hailuo_mcp.rules.judge import Seller
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.transport.link_download import LinkResponse
    from hailuo_mcp.views import Terms, View

PROMPT = "A paper boat drifts slowly across a calm pond [Static shot]"
_OFTEN = 5
_LIVES = {"minimax": MINIMAX_LIFE}
"""How long a fresh link is documented to live at least, in seconds (C1)."""
_SECONDS_LATE = 60.0
_SECONDS_OFF = 1.0
_PART_OFF = 0.1


def cheapest(seller: Seller, provider: Provider) -> VideoRequest:
    """The cheapest clip that this provider makes from text, or from one drawn picture.

    Where no price is published, the one whose price in China's list is the lowest.
    """
    modes = (Mode.T2V,) if provider.dialect in URLS_ONLY else (Mode.T2V, Mode.I2V)
    legal = (it for mode in modes for it in _combinations(mode) if not judge(it, seller).problems)

    def price(clip: Combination) -> tuple[bool, Decimal, bool]:
        published = clip.price
        amount = seller.charge(published).amount or published.cny
        return amount is None, amount or Decimal(0), clip.mode is not Mode.T2V

    found = min(legal, key=price)
    named = provider.dialect in NOTHING and "prompt_optimizer" in seller.capabilities.options
    return VideoRequest(
        model=found.model,
        prompt=PROMPT,
        first_frame_image=boat_picture() if found.mode is Mode.I2V else "",
        resolution=found.resolution,
        duration=found.duration,
        aspect_ratio=found.aspect_ratio,
        # The default, said all the same where a field tells a format from another.
        prompt_optimizer=True if named else None,
    )


def _combinations(mode: Mode) -> Iterator[Combination]:
    for model in models():
        rules = model.modes.get(mode)
        for resolution, lengths in rules.sizes.items() if rules else ():
            for length in lengths:
                yield Combination(
                    model=model.name, mode=mode, resolution=resolution, duration=length
                )


@dataclass(kw_only=True)
class Purchase:
    """One purchase, followed to its end; what was found so far can be asked for at any time."""

    studio: Studio
    observed: Observed
    request: VideoRequest
    clock: Callable[[], float] = time.time
    view: View | None = None
    """The task as it was last seen; None before it is recorded."""
    exchanges: list[tuple[str, Exchange]] = field(default_factory=list[tuple[str, Exchange]])
    _began: float = 0.0
    _before: bytes = b""
    _told: bool = False
    """The purchase itself is reported; what is missing is the rest."""

    @property
    def client(self) -> HailuoClient:
        return self.studio.client

    async def run(
        self, terms: Terms, wait: Callable[[Task], Awaitable[View]]
    ) -> AsyncGenerator[Step]:
        """Buy it once, by these terms, and follow it; yields each step when it is over.

        `wait` returns when the task is saved or needs a person.

        Raises:
            HailuoError: refused here; nothing was sent.
        """
        self._before = await self._balance()
        self.observed.take()
        self._began = self.clock()
        refused: TaskFailedError | None = None
        try:
            self.view = await self.studio.generate(self.request, terms)
        except TaskFailedError as exc:
            refused = exc
        else:
            self.view = await wait(self.view.task)
        self._sort()
        task = self.view.task if self.view else None
        self._told = True
        yield self._bought(task, refused)
        if task is None or not task.remote_id:
            return
        yield self._states(task)
        if task.status is not Status.SUCCEEDED:
            return
        for step in (self._file(), await self._link(task), _clip(task)):
            if step is not None:
                yield step
        if step := await self._balance_after():
            yield step

    @property
    def was_sent(self) -> bool:
        """Whether it is recorded, or was answered: no error that comes then is a refusal."""
        self._sort()
        return self.view is not None or bool(self._of(Operation.SUBMIT))

    def is_stuck(self) -> bool:
        """Whether the provider says again and again that it is over, and gives no clip."""
        self._sort()
        ends = [it for it in self._of(Operation.STATUS) if phase_of(said_state(it)).is_final]
        return len(ends) >= _OFTEN

    def interrupted(self) -> Step:
        """What is known of a purchase that was not followed to its end."""
        self._sort()
        differences = self._differences(*Operation)
        told = tuple(dict.fromkeys(f"{n}: {answer_words(it.reply)}" for n, it in self.exchanges))
        what = "It was not followed to its end."
        return Step(
            name="the clip" if self._told else "the purchase",
            outcome=Outcome.FAILED,
            paid=True,
            answers=told[-6:],
            differences=differences,
            what=what,
        )

    def _sort(self) -> None:
        """Give every exchange its operation; what a dialect has no name for is left out."""
        provider = self.client.provider
        for request, reply in self.observed.take():
            if operation := operation_of(provider, request):
                exchange = Exchange(operation=operation, request=request, reply=reply)
                self.exchanges.append((_STEPS.get(operation, "the purchase"), exchange))
        if self.view is not None:
            task = self.view.task
            self.exchanges = [it for it in self.exchanges if _is_about(task, it[1])]

    def _of(self, *operations: Operation) -> list[Exchange]:
        return [it for _, it in self.exchanges if it.operation in operations]

    def _differences(self, *operations: Operation) -> tuple[Difference, ...]:
        return differences_of(self.client.provider, self._of(*operations))

    def _bought(self, task: Task | None, refused: HailuoError | None) -> Step:
        name = _STEPS[Operation.SUBMIT]
        differences = self._differences(Operation.SUBMIT)
        answers = tuple(answer_words(it.reply) for it in self._of(Operation.SUBMIT))
        outcome, what = outcome_of(differences), ""
        if self.view and self.view.reused:
            outcome, what = Outcome.SKIPPED, "An earlier verification bought it."
        elif refused:
            outcome, what = Outcome.FAILED, refused.what
        elif task and not task.remote_id:
            outcome, what = Outcome.FAILED, task.error
            if not answers:
                lost = Difference(operation=Operation.SUBMIT, kind=Kind.NO_ANSWER)
                differences = (*differences, lost)
        return Step(
            name=name,
            outcome=outcome,
            paid=True,
            answers=answers,
            differences=differences,
            what=what,
        )

    def _states(self, task: Task) -> Step:
        """Every state with its time: where it changed, and the last."""
        name = _STEPS[Operation.STATUS]
        seen = list[tuple[str, float]]()
        for exchange in self._of(Operation.STATUS):
            state = shown_state(exchange)
            if state and (not seen or seen[-1][0] != state):
                seen.append((state, max(0.0, exchange.reply.received_at - self._began)))
        differences = self._differences(Operation.STATUS, Operation.LIST)
        differences = (*differences, *goes_on(self._of(Operation.STATUS)))
        failed = task.status is not Status.SUCCEEDED
        return Step(
            name=name,
            outcome=Outcome.FAILED if failed else outcome_of(differences),
            paid=True,
            answers=tuple(f"{state} after {after:.0f} s" for state, after in seen),
            differences=differences,
            what=(task.error or "It has not ended.") if failed else "",
        )

    def _file(self) -> Step | None:
        asked = self._of(Operation.FILE)
        if not asked:
            return None
        name = _STEPS[Operation.FILE]
        differences = self._differences(Operation.FILE)
        return Step(
            name=name,
            outcome=outcome_of(differences),
            paid=True,
            answers=tuple(dict.fromkeys(answer_words(it.reply) for it in asked)),
            differences=differences,
        )

    async def _link(self, task: Task) -> Step:
        """Whose host it is, how long it lives, and that it serves a clip without the key."""
        name, found, told = "the link", list[Difference](), list[str]()
        try:
            status = await self.client.query(task.remote_id, model=task.model)
            link = await self.client.link(status)
            found += _link_differences(link, self.client.provider, self.clock())
            if link.expires_at:
                told.append(f"good for {(link.expires_at - self.clock()) / 60:.0f} min")
            async with self.client.stream(link) as answer:
                head = await _head(answer)
                told.append(f"HTTP {answer.status} without the key")
            if not starts_well(head):
                found.append(_of_link("what it serves", "an MP4 file", "something else"))
        except HailuoError as exc:
            self._sort()
            return Step(
                name=name,
                outcome=Outcome.FAILED,
                paid=True,
                answers=tuple(told),
                differences=tuple(found),
                what=exc.what,
            )
        self._sort()
        return Step(
            name=name,
            outcome=outcome_of(found),
            paid=True,
            answers=tuple(told),
            differences=tuple(found),
        )

    async def _balance(self) -> bytes:
        """The answer about what the plan has left; empty where it cannot be asked."""
        if not self.client.provider.probe:
            return b""
        try:
            reply = await self.client.exchange(HttpRequest(path=self.client.provider.probe))
        except HailuoError:
            return b""
        return reply.body if reply.ok else b""

    async def _balance_after(self) -> Step | None:
        """Whether the balance is another one; how much there is, is nobody's business."""
        after = await self._balance()
        self._sort()
        if not (self._before and after):
            return None
        changed = "it changed" if after != self._before else "it did not change"
        return Step(
            name="the balance",
            outcome=Outcome.AS_DOCUMENTED,
            paid=True,
            answers=(changed,),
        )


_STEPS = {
    Operation.SUBMIT: "the purchase",
    Operation.STATUS: "the states",
    Operation.LIST: "the states",
    Operation.FILE: "the file",
    Operation.BALANCE: "the balance",
}


def _is_about(task: Task, exchange: Exchange) -> bool:
    """Whether it belongs to this clip: while the studio is open, others are followed as well."""
    ids = [it for it in (task.remote_id, task.remote_alias) if it]
    target = exchange.request.target
    match exchange.operation:
        case Operation.SUBMIT:
            named = named_task(exchange.reply)
            return not (named and ids) or named in ids
        case Operation.STATUS:
            return not ids or any(quote(it, safe="") in target for it in ids)
        case Operation.FILE:
            return not task.file_id or quote(task.file_id, safe="") in target
        case Operation.TEMPLATE_SUBMIT | Operation.TEMPLATE_STATUS:
            return False
        case _:
            return True


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


def _clip(task: Task) -> Step | None:
    """The length and the size of the saved clip, beside what was asked for."""
    if not task.saved:
        return Step(
            name="the clip", outcome=Outcome.FAILED, paid=True, what=task.save_error or "Not saved."
        )
    if not (task.seconds and task.width and task.height):
        return Step(name="the clip", outcome=Outcome.SKIPPED, paid=True, what="Not measured.")
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
        paid=True,
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
