"""When to ask: learned kinds, unknown ones, told ones, old ones; pauses between failures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.backoff import backoff
from hailuo_mcp.journal.facts import RenderTime
from hailuo_mcp.worker.schedule import PollSchedule

LEARNED = [
    RenderTime(least=60, most=70),
    RenderTime(least=65, most=75),
    RenderTime(least=80, most=90),
]


def _schedule(
    render_times: list[RenderTime],
    usual: float,
    poll: float,
    *,
    told: bool,
) -> PollSchedule:
    return PollSchedule(
        render_times=render_times, published=usual, poll_seconds=poll, callback=told
    )


def _next(
    age: float, render_times: list[RenderTime], *, usual: float = 80, told: bool = False
) -> float:
    """Seconds from now until the next poll of a task of that age."""
    return _schedule(render_times, usual, 10, told=told).next_poll(1000 + age, 1000) - (1000 + age)


def test_a_learned_kind_is_first_asked_when_the_fastest_was_ready() -> None:
    assert _next(0, LEARNED) == 60
    assert _next(40, LEARNED) == 20


def test_what_was_learned_on_a_slow_day_does_not_hide_a_fast_one() -> None:
    assert _next(0, [RenderTime(least=18_000, most=18_060)] * 3) == 80


def test_then_in_steps_that_are_small_against_the_whole() -> None:
    assert _next(60, LEARNED) == 3
    assert _next(112, LEARNED) == 3


def test_later_than_it_ever_took_it_is_asked_at_the_plain_interval() -> None:
    assert _next(113, LEARNED) == 10


def test_an_unknown_kind_is_asked_from_half_of_its_usual_time_at_the_latest() -> None:
    assert _next(0, []) == 30
    assert _next(0, [], usual=10) == 5
    assert _next(0, LEARNED[:2]) == 30  # two are not enough to have learned
    assert _next(30, []) == 15
    assert _next(45, []) == 3.75
    assert _next(130, []) == 10


@pytest.mark.parametrize(("age", "wait"), [(599, 10), (601, 20), (1201, 60), (7201, 600)])
def test_what_is_late_is_asked_about_ever_more_rarely(age: float, wait: float) -> None:
    assert _next(age, LEARNED) == wait


@pytest.mark.parametrize(("in_flight", "wait"), [(1, 3), (150, 3), (400, 8), (1000, 20)])
def test_a_crowd_is_asked_about_no_more_often_than_fifty_times_a_second(
    in_flight: int, wait: float
) -> None:
    schedule = _schedule(LEARNED, 80, 10, told=False)
    assert schedule.next_poll(1060, 1000, in_flight) - 1060 == wait


def test_with_a_callback_polling_only_goes_on_underneath() -> None:
    assert _next(0, [], told=True) == 160
    assert _next(0, LEARNED, told=True) == 150
    assert _next(200, LEARNED, told=True) == 60


def test_a_task_from_the_future_is_asked_about_all_the_same() -> None:
    assert _schedule([], 80, 10, told=False).next_poll(1000, 5000) == pytest.approx(1030)


render_times = st.lists(
    st.tuples(st.floats(0, 3600), st.floats(0, 3600)).map(
        lambda two: RenderTime(least=min(two), most=max(two))
    ),
    max_size=6,
)


@given(
    age=st.floats(0, 1e6),
    render_times=render_times,
    usual=st.floats(1, 3600),
    poll=st.floats(0.05, 600),
    told=st.booleans(),
)
def test_the_next_poll_is_never_behind_nor_out_of_sight_and_two_are_apart(
    age: float, render_times: list[RenderTime], usual: float, poll: float, told: bool
) -> None:
    now = 1e6 + age
    schedule = _schedule(render_times, usual, poll, told=told)
    at = schedule.next_poll(now, 1e6)
    assert now <= at <= now + 3 * 3600
    after = schedule.next_poll(at, 1e6)
    assert after - at >= 0.19 * poll


@given(tries=st.integers(0, 10**9), jitter=st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_their_limit_and_are_spread(tries: int, jitter: float) -> None:
    wait = backoff(tries, first=2, most=300, jitter=jitter)
    assert 1.5 <= wait <= 375
    if tries >= 8:
        assert wait >= 225
