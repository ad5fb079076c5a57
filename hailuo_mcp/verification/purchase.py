"""The paid part of a verification: the cheapest legal clip, bought as any other, and looked at."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import quote

from hailuo_mcp.catalog.video_models import models
from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.statuses import phase_of
from hailuo_mcp.domain.requests import Mode, VideoRequest
from hailuo_mcp.domain.task import Status, Task
from hailuo_mcp.errors import HailuoError, TaskFailedError
from hailuo_mcp.media.boat import boat_picture
from hailuo_mcp.rules.judge import Combination, judge
from hailuo_mcp.verification.expected import operation_of
from hailuo_mcp.verification.facts import (
    Difference,
    Exchange,
    Kind,
    Operation,
    Outcome,
    Reason,
    Step,
)
from hailuo_mcp.verification.free import named_task
from hailuo_mcp.verification.made import clip_step, link_step
from hailuo_mcp.verification.observed import (
    Observed,
    answer_words,
    differences_of,
    outcome_of,
    reason_of,
    time_words,
)
from hailuo_mcp.verification.replies.questions import NOTHING, URLS_ONLY
from hailuo_mcp.verification.states import goes_on, said_state, shown_state

if TYPE_CHECKING:
    from hailuo_mcp.client import HailuoClient
    from hailuo_mcp.rules.judge import Seller
    from hailuo_mcp.studio.studio import Studio
    from hailuo_mcp.views import Terms, View

PROMPT = "A paper boat drifts slowly across a calm pond [Static shot]"
_OFTEN = 5


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
    earlier: Task | None = None
    """The clip of an earlier verification: it is followed, and nothing is bought."""
    clock: Callable[[], float] = time.time
    view: View | None = None
    """The task as it was last seen; None before it is recorded."""
    exchanges: list[tuple[str, Exchange]] = field(default_factory=list[tuple[str, Exchange]])
    _began: float = 0.0
    _before: bytes = b""
    _reused: bool = False
    """It was recorded by an earlier verification."""

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
        if self.earlier:
            # Not asked for again: if it has failed meanwhile, that would buy another one.
            self._reused = True
            self.view = await wait(self.earlier)
        else:
            try:
                self.view = await self.studio.generate(self.request, terms)
            except TaskFailedError as exc:
                refused = exc
            else:
                self._reused = self.view.reused
                self.view = await wait(self.view.task)
        self._sort()
        task = self._task
        yield self._bought(refused)
        if task is None or not task.remote_id:
            return
        # Asks for the state and the file once more: another process may have seen them alone.
        link = await self._link(task) if task.status is Status.SUCCEEDED else None
        yield self._states(task)
        if link is None:
            return
        for step in (self._file(), link, clip_step(task)):
            if step is not None:
                yield step
        if step := await self._balance_after():
            yield step

    @property
    def _task(self) -> Task | None:
        return self.view.task if self.view else None

    @property
    def is_earlier(self) -> bool:
        """It goes on with the clip of an earlier verification, which sent the request."""
        return self._reused and not self._of(Operation.SUBMIT)

    @property
    def is_bought(self) -> bool:
        """The provider has named its task: here, or to an earlier verification."""
        if self._task and self._task.remote_id:
            return True
        dialect = dialect_of(self.client.provider, self.request.model)
        for it in self._of(Operation.SUBMIT):
            with suppress(HailuoError):
                return bool(dialect.read_submit(it.reply))
        return False

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

    def stopped(self, told: Container[str], error: HailuoError | None = None) -> Iterator[Step]:
        """What is known of one that was not followed to its end, beside the steps that are told.

        Nothing failed, unless there is an error: the person stopped waiting.
        """
        self._sort()
        bought, task = self._bought(None), self._task
        if not self.is_bought:
            step = replace(bought, differences=self._differences(Operation.SUBMIT))
        else:
            if bought.name not in told:
                yield bought
            if task is None or _STEPS[Operation.STATUS] in told:
                step = Step(name="the clip", outcome=Outcome.INTERRUPTED)
            else:
                step = self._states(task)
        if error:
            yield replace(step, outcome=Outcome.FAILED, reason=reason_of(error), what=error.what)
            return
        differs = outcome_of(step.differences) is Outcome.DIFFERS
        outcome = Outcome.DIFFERS if differs else Outcome.INTERRUPTED
        yield replace(step, outcome=outcome, reason=Reason.INTERRUPTED, what="")

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

    def _bought(self, refused: HailuoError | None) -> Step:
        differences = self._differences(Operation.SUBMIT)
        answers = tuple(answer_words(it.reply) for it in self._of(Operation.SUBMIT))
        outcome, reason, what = outcome_of(differences), None, ""
        if refused:
            outcome, reason, what = Outcome.FAILED, Reason.REFUSED, refused.what
        elif not self.is_bought:
            outcome, reason = Outcome.FAILED, Reason.UNCONFIRMED
            what = self._task.error if self._task else ""
            if not answers:
                lost = Difference(operation=Operation.SUBMIT, kind=Kind.NO_ANSWER)
                differences = (*differences, lost)
        elif self.is_earlier:
            outcome, reason = Outcome.SKIPPED, Reason.EARLIER
        return Step(
            name=_STEPS[Operation.SUBMIT],
            outcome=outcome,
            paid=not self.is_earlier,
            answers=answers,
            differences=differences,
            reason=reason,
            what=what,
        )

    def _states(self, task: Task) -> Step:
        """Every state with its time: where it changed, and the last."""
        seen = list[tuple[str, float]]()
        began = task.submitted_at or self._began
        for exchange in self._of(Operation.STATUS):
            state = shown_state(exchange)
            if state and (not seen or seen[-1][0] != state):
                seen.append((state, max(0.0, exchange.reply.received_at - began)))
        differences = self._differences(Operation.STATUS, Operation.LIST)
        differences = (*differences, *goes_on(self._of(Operation.STATUS)))
        outcome, reason, what = outcome_of(differences), None, ""
        if task.status is not Status.SUCCEEDED:
            ended = task.status is Status.FAILED
            reason = Reason.NOT_MADE if ended else Reason.NOT_OVER
            outcome, what = Outcome.FAILED, task.error or "It has not ended."
        elif not seen:
            outcome = Outcome.SKIPPED
            reason = Reason.EARLIER if self._reused else Reason.ELSEWHERE
        return Step(
            name=_STEPS[Operation.STATUS],
            outcome=outcome,
            answers=tuple(f"{state} after {time_words(after)}" for state, after in seen),
            differences=differences,
            reason=reason,
            what=what,
        )

    def _file(self) -> Step | None:
        asked = self._of(Operation.FILE)
        if not asked:
            return None
        differences = self._differences(Operation.FILE)
        return Step(
            name=_STEPS[Operation.FILE],
            outcome=outcome_of(differences),
            answers=tuple(dict.fromkeys(answer_words(it.reply) for it in asked)),
            differences=differences,
        )

    async def _link(self, task: Task) -> Step:
        step = await link_step(self.client, task, self.clock)
        self._sort()
        return step

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
        """Whether the plan's quota is another one; how much there is, is nobody's business."""
        after = await self._balance()
        self._sort()
        if not (self._before and after):
            return None
        changed = "it changed" if after != self._before else "it did not change"
        return Step(
            name=_STEPS[Operation.BALANCE],
            outcome=Outcome.NOTED,
            answers=(changed, "it is not the account's money"),
        )


_STEPS = {
    Operation.SUBMIT: "the purchase",
    Operation.STATUS: "the states",
    Operation.LIST: "the states",
    Operation.FILE: "the file",
    Operation.BALANCE: "the plan's quota",
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
