"""What a person reads while clips are made: pure functions of a clip, a moment and a width."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tools.fakes import NOW, a_task, a_view, saved_view
from tools.film_fakes import FILM_ID, a_film_view, waiting_view

from hailuo_mcp.cli.output import progress_lines
from hailuo_mcp.cli.output.progress import QUIET_SECONDS, Lines, Records
from hailuo_mcp.cli.output.progress_lines import Meter, frame
from hailuo_mcp.domain.task import Status, Unit
from hailuo_mcp.views import View

PROMPT = "A red fox runs through fresh snow 小船在湖上漂流，远处是雪山 at night"


def clip(task_id: str = "v1m818yayph2n8dk", *, age: float = 40, left: int | None = 60) -> View:
    """A clip that is rendered since `age` seconds."""
    task = replace(
        a_task(task_id=task_id),
        prompt=PROMPT,
        submitted_at=NOW - age,
        created_at=NOW - age - 1,
        status=Status.RUNNING,
        amount=Decimal(2),
        unit=Unit.CNY,
    )
    return View(task=task, now=NOW, eta_seconds=left)


def ended(status: Status, file: str = "") -> View:
    task = replace(clip().task, status=status, file=file, finished_at=NOW, updated_at=NOW)
    return View(task=task, now=NOW)


def text(*views: View, width: int = 80, height: int = 24, now: float = NOW) -> list[str]:
    lines = frame(views, Meter(), now=now, width=width, height=height)
    return [line.plain for line in lines]


def test_one_clip_shows_percent_times_cost_and_id() -> None:
    bar, facts = text(clip())

    assert " 40 %  0:40, about 1:00 left" in bar
    assert facts == "rendering  2 CNY  v1m818yayph2n8dk"


def test_it_never_goes_backwards_and_is_whole_only_when_it_is_over() -> None:
    meter, seen = Meter(), list[float]()
    for age, left in ((1, 99), (50, 50), (51, 300), (52, 2), (99, 1), (100, None), (500, None)):
        measured = meter.of(clip(age=age, left=left), NOW)
        assert measured.fraction is not None
        seen.append(measured.fraction)

    assert seen == sorted(seen)
    assert seen[1] == 0.5
    assert seen[-1] < 1
    saving = ended(Status.SUCCEEDED)
    saving = replace(saving, task=replace(saving.task, due_at=NOW))
    assert meter.of(saving, NOW).fraction == progress_lines.ALMOST
    assert meter.of(ended(Status.SUCCEEDED, "a.mp4"), NOW).fraction == 1
    assert meter.of(ended(Status.FAILED), NOW).fraction == 1


def test_it_moves_between_two_answers() -> None:
    meter, view = Meter(), clip(age=10, left=90)

    assert meter.of(view, NOW).fraction == 0.1
    assert meter.of(view, NOW + 10).fraction == 0.2
    assert meter.of(view, NOW + 10).left == 80


def test_no_time_is_made_up() -> None:
    unknown = text(replace(waiting_view(), eta_seconds=None))[0]
    late = text(clip(age=400, left=None))[0]

    assert "time left unknown" in unknown
    assert "%" not in unknown
    assert "longer than usual" in late
    assert "%" not in late


def test_longer_than_usual_is_not_said_a_second_after_the_estimate() -> None:
    meter = Meter()
    meter.of(clip(age=39, left=1), NOW)

    assert not meter.of(clip(age=40, left=None), NOW + 1).overdue
    assert meter.of(clip(age=60, left=None), NOW + 20).overdue


@pytest.mark.parametrize("width", [40, 60, 80, 140])
@pytest.mark.parametrize("many", [1, 3, 50])
def test_no_line_is_wider_than_the_terminal_and_no_id_is_cut(width: int, many: int) -> None:
    views = [clip(f"v{number:015}") for number in range(many)]

    lines = frame(views, Meter(), now=NOW, width=width, height=20)

    assert len(lines) < 20
    assert all(line.cell_len <= width for line in lines)
    if many > 1:
        assert lines[0].plain.startswith("v000000000000000  ")
        assert f"0 of {many} done" in [line.plain[: len(f"0 of {many} done")] for line in lines]
        assert any(f"{2 * many} CNY" in line.plain for line in lines[-2:])
    else:
        assert lines[1].plain.endswith("v000000000000000")


def test_many_clips_show_those_that_go_on() -> None:
    done = [replace(ended(Status.SUCCEEDED, "a.mp4"), now=NOW) for _ in range(30)]
    lines = text(*done, clip("vx"), width=80, height=10)

    assert lines[4].startswith("vx")
    assert lines[-2] == "and 26 more"
    assert lines[-1].startswith("30 of 31 done")
    assert "62 CNY" in lines[-1]


def test_control_characters_of_a_prompt_reach_no_terminal() -> None:
    evil = replace(clip(), task=replace(clip().task, prompt="a\x1b]0;owned\x07b"))

    assert not any("\x1b" in line or "\x07" in line for line in text(evil, evil, width=140))


@pytest.mark.anyio
async def test_a_log_gets_a_line_for_each_phase_and_a_sum() -> None:
    told, now = list[str](), [0.0]
    lines = Lines(told.append, lambda: now[0])
    queued = replace(clip(), task=replace(clip().task, status=Status.QUEUED))
    await lines.show(queued)
    await lines.show(queued)
    now[0] += QUIET_SECONDS
    await lines.show(queued)
    await lines.show(clip())
    await lines.show_all([clip(), saved_view()])

    assert [line.partition(", ")[0].split(" ", 1)[1] for line in told[:3]] == [
        "queued",
        "queued",
        "rendering",
    ]
    assert told[-1].startswith("1 of 2 done, about 1:00 left")


@pytest.mark.anyio
async def test_a_script_gets_a_record_for_each_change_and_every_30_seconds() -> None:
    records, now = list[dict[str, object]](), [100.0]
    follow = Records(records.append, lambda: now[0])
    follow.tell("sending")
    await follow.show(clip())
    await follow.show(replace(clip(), now=NOW + 1, eta_seconds=59))
    assert [it["task_id"] for it in records] == ["v1m818yayph2n8dk"]
    now[0] += QUIET_SECONDS
    await follow.show(replace(clip(), now=NOW + 30, eta_seconds=30))
    await follow.show_all([ended(Status.FAILED), clip("vother")])
    now[0] += QUIET_SECONDS
    await follow.show_all([ended(Status.FAILED)])

    assert [it["status"] for it in records] == ["running", "running", "failed", "running"]
    assert records[0]["prompt"] == PROMPT


@pytest.mark.anyio
async def test_a_film_is_followed_by_its_shots() -> None:
    film = a_film_view({4: a_view(status=Status.QUEUED), 5: waiting_view()})
    records = list[dict[str, object]]()
    await Records(records.append).show(film)
    lines = [line.plain for line in frame([film], Meter(), now=NOW, width=140, height=24)]

    assert len(records) == len(film.shots)
    assert len(lines) == len(film.shots) + 1
    assert FILM_ID in lines[-1]
