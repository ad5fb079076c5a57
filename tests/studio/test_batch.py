"""Several purchases at once: what each repeats, what they cost together, what fits the budget."""

import time
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from hailuo_mcp.cli.make.batch_buying import _buy_each, _Watch
from hailuo_mcp.cli.make.batch_plan import Plan
from hailuo_mcp.cli.make.batch_results import Made
from hailuo_mcp.cli.make.prompt_file import Clip
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import BudgetExceededError
from hailuo_mcp.views import Terms

pytestmark = pytest.mark.anyio
FOX, OWL = VideoRequest(prompt="A fox"), VideoRequest(prompt="An owl", duration=10)
AGAIN = VideoRequest(prompt="A fox", model="hailuo 2.3", resolution="768p")
"""The same as FOX, in other words."""


async def test_equal_clips_have_places_and_keys_that_do_not_depend_on_their_order(
    scripted: Any,
) -> None:
    async with scripted(works=False) as studio:

        async def keys(*wanted: VideoRequest, take: int = 1) -> list[str]:
            terms = Terms(take=take)
            checked = await studio.quote_batch([(it, terms) for it in wanted], named=True)
            return [one.offer.draft.request_key for one in checked]

        first = await keys(FOX, OWL, AGAIN)
        other = await keys(OWL, FOX, FOX, FOX)

        assert len(set(first)) == 3
        assert {*first} < {*other}
        assert await keys(FOX, take=2) not in ([first[0]], [first[2]])


async def test_an_unconfirmed_clip_of_a_file_is_never_bought_again_and_a_failed_one_is(
    scripted: Any, provider: Any
) -> None:
    def lost(number: int) -> httpx.Response:
        if number == 1:
            raise httpx.ReadError("lost")
        return provider.refuse(1026)

    provider.on_create = lost
    days = 3 * 86_400

    async with scripted() as studio:
        (one,) = await studio.quote_batch([(FOX, Terms())], named=True)
        await studio.generate(FOX, one.terms)
        with pytest.raises(Exception, match="moderation"):
            await studio.generate(OWL, Terms(place=1))
    async with scripted(works=False, clock=lambda: time.time() + days) as studio:
        fox, owl = await studio.quote_batch([(FOX, Terms()), (OWL, Terms())], named=True)

        assert fox.offer.repeats.task.status is Status.UNCONFIRMED
        assert owl.offer.repeats is None


async def test_what_a_dead_process_did_not_send_in_time_is_new(
    scripted: Any, provider: Any
) -> None:
    async with scripted(rpm="1") as studio:
        for place in (1, 2):
            await studio.generate(FOX, Terms(place=place))

    async def repeated(later: float) -> list[bool]:
        async with scripted(works=False, clock=lambda: time.time() + later) as studio:
            checked = await studio.quote_batch([(FOX, Terms())] * 2, named=True)
            return [one.offer.repeats is not None for one in checked]

    assert await repeated(60) == [True, True]
    assert await repeated(700) == [True, False]
    assert len(provider.creates) == 1


async def test_the_sum_is_held_against_the_budget_and_says_how_many_would_fit(
    scripted: Any,
) -> None:
    async with scripted(works=False, budget="7") as studio:
        checked = await studio.quote_batch([(it, Terms()) for it in (FOX, OWL, FOX)], named=True)
        offers = [one.offer for one in checked]

        assert studio.hold_batch(offers[:2], max_cost=Decimal(6)) == (Decimal(6), False)
        with pytest.raises(BudgetExceededError, match="The first 2 of its 3 new clips would fit"):
            studio.hold_batch(offers, max_cost=None)
        with pytest.raises(BudgetExceededError, match="ceiling of 5 CNY"):
            studio.hold_batch(offers[:2], max_cost=Decimal(5))


async def test_a_refused_clip_is_told_and_the_others_are_priced(scripted: Any) -> None:
    async with scripted(works=False) as studio:
        wanted = [VideoRequest(prompt="b", duration=7), FOX, VideoRequest(prompt="x" * 3000)]

        checked = await studio.quote_batch([(it, Terms()) for it in wanted], named=False)

        assert [one.refused is None for one in checked] == [False, True, False]
        assert checked[1].terms.place == 0


async def test_what_has_failed_since_the_plan_is_not_bought_anew_without_consent(
    scripted: Any,
) -> None:
    """Its price is in no sum that was agreed to, or held against a ceiling."""
    async with scripted(rpm="1") as studio:
        await studio.generate(AGAIN, Terms(take=2))  # so the others wait for their turn
        wanted = [(it, Terms()) for it in (FOX, OWL)]
        (fox, _) = await studio.quote_batch(wanted, named=True)
        bought = await studio.generate(FOX, fox.terms)
        checked = await studio.quote_batch(wanted, named=True)
        clips = [Clip(line=line, request=it, take=1) for line, (it, _) in enumerate(wanted, 1)]
        offers = tuple((clip, it.terms, it.offer) for clip, it in zip(clips, checked, strict=True))
        plan = Plan(offers=offers, refused=(), total=Decimal(4), asks=False, spending=None)
        await studio.cancel(bought.task.task_id)

        made = [Made(clip=clip) for clip in clips]
        session = SimpleNamespace(args=SimpleNamespace(yes=True), studio=studio, tasks=[])
        watch = _Watch(session=session, made=made, progress=None)
        watch.looked = float("inf")  # nothing to show
        await _buy_each(session, plan, watch)

        fox, owl = (one.view.task for one in made)
        assert (fox.task_id, fox.status) == (bought.task.task_id, Status.CANCELLED)
        assert owl.status is Status.PENDING
        assert made[0].before
        assert not made[1].before
        assert len((await studio.tasks(limit=9)).entries) == 3
