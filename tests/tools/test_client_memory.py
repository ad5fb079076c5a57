"""What is remembered of each client: waits, answers and questions."""

from __future__ import annotations

import anyio
import pytest

from hailuo_mcp.catalog.mcp_clients import Signs
from hailuo_mcp.server.client_memory import Client as CallingClient
from hailuo_mcp.server.client_memory import LastAnswers, WaitLimits

from .fakes import ID

pytestmark = pytest.mark.anyio


def asker(
    name: str = "c", *, caller: str = "", session: str = "", modern: bool = False
) -> CallingClient:
    return CallingClient(signs=Signs(name=name, modern=modern), caller=caller, session=session)


ONE = asker()


async def test_an_error_is_no_sign_of_impatience(anyio_backend) -> None:
    patience = WaitLimits(45.0)
    with pytest.raises(KeyError), patience.watch(ONE):
        raise KeyError
    assert patience.limit(ONE) == 45


async def gives_up(
    patience: WaitLimits, now: list[float], who: CallingClient, after: float
) -> None:
    with anyio.CancelScope() as scope, patience.watch(who):
        scope.cancel()
        now[0] += after
        await anyio.lowlevel.checkpoint()


async def test_patience_learns_from_cancellation_only(anyio_backend) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    await gives_up(patience, now, ONE, 10.0)
    assert patience.limit(ONE) == pytest.approx(7.0)
    await gives_up(patience, now, ONE, 30.0)  # it bears more than that: the least counts
    assert patience.limit(ONE) == pytest.approx(7.0)
    assert patience.limit(asker("other")) == 45


async def test_a_cancellation_in_the_first_two_seconds_teaches_nothing(anyio_backend) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    for after in (0.1, 0.5, 1.9):
        await gives_up(patience, now, ONE, after)
    with patience.watch(ONE, "task"):
        now[0] += 1.9
        with patience.watch(ONE, "task"):
            assert patience.limit(ONE) == 45
    await gives_up(patience, now, ONE, 2.0)
    assert patience.limit(ONE) == pytest.approx(1.4)


async def test_asking_again_while_a_call_still_waits_shows_that_it_was_given_up(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    with patience.watch(ONE, "task"):
        now[0] += 10.0
        with patience.watch(ONE, "another task"):
            assert patience.limit(ONE) == 45
        with patience.watch(ONE, "task"):
            assert patience.limit(ONE) == pytest.approx(7.0)
    with patience.watch(ONE, "task"):  # nobody waits any longer
        assert patience.limit(ONE) == pytest.approx(7.0)


async def test_two_sessions_that_ask_about_one_clip_are_no_sign_of_impatience(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    one, other = asker(session="1"), asker(session="2")
    with patience.watch(one, "task"):
        now[0] += 10.0
        with patience.watch(other, "task"):
            assert patience.limit(one) == patience.limit(other) == 45
    await gives_up(patience, now, one, 10.0)
    assert patience.limit(one) == pytest.approx(7.0)
    assert patience.limit(other) == 45


async def test_a_client_that_tells_when_it_gives_up_may_ask_twice_at_the_same_time(
    anyio_backend,
) -> None:
    """Without sessions they may be two clients, too."""
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    modern = asker(modern=True)
    with patience.watch(modern, "task"):
        now[0] += 10.0
        with patience.watch(modern, "task"):
            assert patience.limit(modern) == 45


async def test_impatience_is_its_own_callers_and_is_forgotten_in_three_minutes(
    anyio_backend,
) -> None:
    now = [0.0]
    patience = WaitLimits(45.0, clock=lambda: now[0])
    ann, bob = asker(caller="ann"), asker(caller="bob")
    await gives_up(patience, now, ann, 10.0)
    assert patience.limit(ann) == pytest.approx(7.0)
    assert patience.limit(bob) == 45
    now[0] += 179.0
    assert patience.limit(ann) == pytest.approx(7.0)
    now[0] += 1.0
    assert patience.limit(ann) == 45


async def test_two_calls_at_the_same_time_are_no_sign_of_impatience(anyio_backend) -> None:
    patience = WaitLimits(45.0, clock=lambda: 0.0)
    with patience.watch(ONE, "task"), patience.watch(ONE, "task"):
        assert patience.limit(ONE) == 45


async def test_each_asker_is_told_everything_once_and_again_after_a_while() -> None:
    now = [0.0]
    told = LastAnswers(clock=lambda: now[0])
    assert not told.already_given("ann", ID, "facts")
    assert not told.already_given("bob", ID, "facts")
    assert not told.already_given("ann", "another", "facts")
    for _ in range(5):  # a poll a minute
        now[0] += 60.0
        assert told.already_given("ann", ID, "facts")
    now[0] += 120.0
    assert not told.already_given("ann", ID, "facts")
