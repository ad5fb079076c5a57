"""Asking the person: the one-use code, what it is bound to, and an approval that is replayed."""

import re
from decimal import Decimal
from typing import Any

import pytest

from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.domain.task import Status
from hailuo_mcp.errors import BudgetExceededError, ConsentRequiredError, TaskFailedError
from hailuo_mcp.studio.studio import Studio
from hailuo_mcp.views import Terms
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio
CAT = VideoRequest(prompt="a cat")
DEAR = VideoRequest(prompt="a cat", resolution="1080P", duration=6)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


async def _code(studio: Studio, request: VideoRequest, caller: str = "", **terms: Any) -> str:
    with pytest.raises(ConsentRequiredError) as caught:
        await studio.generate(request, Terms(**terms), caller=caller)
    said = error_text(caught.value)
    assert "Nothing was sent or charged" in said
    found = re.search(r"confirm='([0-9a-f]+)'", said)
    assert found, said
    return found[1]


async def test_below_the_limit_nobody_is_asked(opened: Any, sandbox: Any) -> None:
    async with opened(confirm_above="2") as studio:
        assert await studio.consent_question(CAT, Terms()) is None
        await studio.generate(CAT, Terms())
    assert sandbox.accepted == 1


async def test_above_it_the_refusal_names_the_price_and_a_code_that_lets_it_pass(
    opened: Any, sandbox: Any
) -> None:
    async with opened(confirm_above="2") as studio:
        with pytest.raises(ConsentRequiredError, match=r"would cost 3\.5 CNY"):
            await studio.generate(DEAR, Terms())
        code = await _code(studio, DEAR)
        assert sandbox.received == 0
        view = await studio.generate(DEAR, Terms(confirm=code))
        assert view.task.status is not Status.FAILED
        # The same once more is the same task, whatever code comes with it.
        assert (await studio.generate(DEAR, Terms(confirm=code))).reused
    assert sandbox.received == 1


async def test_a_code_buys_once(opened: Any, sandbox: Any) -> None:
    failing = VideoRequest(prompt="[sandbox:1026]")
    async with opened(confirm_above="1") as studio:
        code = await _code(studio, failing)
        with pytest.raises(TaskFailedError):
            await studio.generate(failing, Terms(confirm=code))
        with pytest.raises(ConsentRequiredError, match="not valid for this request"):
            await studio.generate(failing, Terms(confirm=code))
    assert sandbox.received == 1


async def test_a_code_is_bound_to_the_caller_the_request_and_the_price(
    scripted: Any, provider: Any
) -> None:
    async with scripted(confirm_above="1") as studio:
        code = await _code(studio, CAT, caller="alice")
        for caller, request, terms in (
            ("bob", CAT, {}),
            ("alice", DEAR, {}),
            ("alice", VideoRequest(prompt="a dog"), {}),
            ("alice", CAT, {"take": 2}),
            ("alice", CAT, {"request_key": "k"}),
        ):
            with pytest.raises(ConsentRequiredError, match="not valid"):
                await studio.generate(request, Terms(confirm=code, **terms), caller=caller)
        assert provider.creates == []
    async with scripted(confirm_above="0.5", plan="basic") as studio:  # another price
        with pytest.raises(ConsentRequiredError):
            await studio.generate(CAT, Terms(confirm=code), caller="alice")
    async with scripted(confirm_above="1") as studio:
        await studio.generate(CAT, Terms(confirm=code), caller="alice")
    assert len(provider.creates) == 1


async def test_a_code_lives_ten_minutes(scripted: Any, provider: Any) -> None:
    clock = Clock()
    async with scripted(clock=clock, confirm_above="1") as studio:
        code = await _code(studio, CAT)
        clock.now += 600
        with pytest.raises(ConsentRequiredError):
            await studio.generate(CAT, Terms(confirm=code))
        code = await _code(studio, CAT)
        clock.now += 599
        await studio.generate(CAT, Terms(confirm=code))
    assert len(provider.creates) == 1


async def test_a_code_never_stands_in_the_journal_as_it_is(opened: Any, tmp_path: Any) -> None:
    async with opened(confirm_above="1") as studio:
        code = await _code(studio, CAT)
        files = [path for path in (tmp_path / "state").iterdir() if path.is_file()]
        assert files
        assert not any(code.encode() in path.read_bytes() for path in files)


async def test_an_approval_that_is_replayed_buys_once(scripted: Any, provider: Any) -> None:
    yes = Terms(approved=True)
    async with scripted(confirm_above="1") as studio:
        first = await studio.generate(CAT, yes)
        again = await studio.generate(CAT, yes)
        assert again.reused
        assert again.task.task_id == first.task.task_id
    assert len(provider.creates) == 1


async def test_an_approval_that_is_replayed_after_a_failure_buys_nothing(
    scripted: Any, provider: Any
) -> None:
    provider.on_create = lambda _number: provider.refuse(1026)
    yes = Terms(approved=True)
    async with scripted(confirm_above="1") as studio:
        with pytest.raises(TaskFailedError):
            await studio.generate(CAT, yes)
        with pytest.raises(ConsentRequiredError):
            await studio.generate(CAT, yes)
    async with scripted(confirm_above="1") as studio:  # nor after a restart
        with pytest.raises(ConsentRequiredError):
            await studio.generate(CAT, yes)
    assert len(provider.creates) == 1


async def test_the_question_names_the_exact_price_and_is_not_asked_where_it_would_be_moot(
    opened: Any,
) -> None:
    async with opened(confirm_above="1") as studio:
        question = await studio.consent_question(DEAR, Terms())
        assert question == (
            "Buy this clip for 3.5 CNY of play money? MiniMax-Hailuo-2.3, 6 s, 1080P, t2v: a cat"
        )
        assert await studio.consent_question(DEAR, Terms(confirm="x")) is None
        assert await studio.consent_question(DEAR, Terms(max_cost=Decimal(3))) is None
        assert await studio.consent_question(VideoRequest(prompt=""), Terms()) is None
        await studio.generate(DEAR, Terms(approved=True))
        assert await studio.consent_question(DEAR, Terms()) is None


async def test_a_quote_tells_the_price_what_is_left_and_whether_somebody_is_asked(
    opened: Any, sandbox: Any
) -> None:
    async with opened(confirm_above="2", budget="6") as studio:
        cheap, dear = [await studio.quote(request, Terms()) for request in (CAT, DEAR)]
        assert (cheap.reserved_amount, cheap.asks, cheap.spending.left) == (2, False, 6)
        assert (dear.reserved_amount, dear.asks, dear.repeats) == (Decimal("3.5"), True, None)
        assert sandbox.received == 0
        bought = await studio.generate(DEAR, Terms(approved=True, at_hand=True))
        again = await studio.quote(DEAR, Terms())
        assert again.repeats
        assert again.repeats.task.task_id == bought.task.task_id
        assert not again.asks
        other = VideoRequest(prompt="a dog", resolution="1080P", duration=6)
        with pytest.raises(
            BudgetExceededError, match=r"only 2\.5 of the sandbox.s budget of 6 CNY is left"
        ):
            await studio.quote(other, Terms())
        assert await studio.consent_question(other, Terms()) is None, "the budget refuses it"
    assert sandbox.received == 1


async def test_an_unpriced_clip_is_asked_about(opened: Any) -> None:
    unpriced = VideoRequest(prompt="a cat", model="T2V-01")
    async with opened(confirm_above="1000") as studio:
        with pytest.raises(ConsentRequiredError, match="would cost an unpublished amount"):
            await studio.generate(unpriced, Terms())
        code = await _code(studio, unpriced)
        await studio.generate(unpriced, Terms(confirm=code))


async def test_consent_does_not_open_the_budget(opened: Any, sandbox: Any) -> None:
    from hailuo_mcp.errors import BudgetExceededError

    async with opened(confirm_above="1", budget="1") as studio:
        with pytest.raises(BudgetExceededError):
            await studio.generate(CAT, Terms(approved=True))
    assert sandbox.received == 0


async def test_a_question_is_open_at_every_process_as_long_as_its_answer_is_taken(
    scripted: Any,
) -> None:
    clock, ann, bob = Clock(), ("ann", "Cursor", ""), ("bob", "Cursor", "")
    async with scripted(clock=clock) as one, scripted(clock=clock) as another:
        assert await one.may_ask(ann, "Buy?")
        assert await another.may_ask(bob, "Buy?")
        clock.now += 599
        assert not await another.may_ask(ann, "Buy?")
        assert await one.may_ask(ann, "Buy?")
        assert await another.close_question(ann, "Buy?")
        assert not await one.close_question(ann, "Buy?")
        assert await one.may_ask(ann, "Buy?")
        clock.now += 601
        assert await another.may_ask(ann, "Buy?")
