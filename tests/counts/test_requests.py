"""How often the provider is asked, and with how many bytes: limits are per minute, and shared."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hailuo_mcp.bootstrap import open_studio
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.journal.facts import RenderTime
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.settings import Settings
from hailuo_mcp.views import Terms
from hailuo_mcp.worker.schedule import PollSchedule

from .counts_of import Provider, opened

POLL_SECONDS = 10.0


def polls(took: float, render_times: list[RenderTime], usual: float = 120.0) -> tuple[int, float]:
    """How many status reads a clip needs that takes so long, and how late the last one is."""
    schedule = PollSchedule(
        render_times=render_times, published=usual, poll_seconds=POLL_SECONDS, callback=False
    )
    now, count = 0.0, 0
    while now < took:
        now = schedule.next_poll(now, 0.0)
        count += 1
    return count, now - took


@pytest.mark.parametrize(
    "render_times",
    [[], [RenderTime(least=48 + 4 * n, most=50 + 4 * n) for n in range(5)]],
    ids=["unknown", "learned"],
)
def test_a_minutes_clip_needs_half_the_reads_of_a_fixed_schedule_that_is_as_late(
    render_times,
) -> None:
    took = [50 + number / 4 for number in range(80)]
    reserved_amount = [polls(one, render_times) for one in took]
    late = sorted(delay for _, delay in reserved_amount)[len(took) // 2]
    fixed = [math.ceil(one / (2 * late)) for one in took]
    assert late <= 3.0
    assert sum(count for count, _ in reserved_amount) <= 0.5 * sum(fixed)


def test_a_clip_of_unknown_length_is_read_about_every_ten_seconds_at_most() -> None:
    for took in range(46, 240, 7):
        count, late = polls(took, [])
        assert count <= math.ceil(took / POLL_SECONDS) + 3
        assert late <= POLL_SECONDS


def test_with_a_callback_a_clip_is_read_once_underneath() -> None:
    schedule = PollSchedule(
        render_times=[], published=120.0, poll_seconds=POLL_SECONDS, callback=True
    )
    assert schedule.next_poll(0.0, 0.0) >= 240.0


@pytest.mark.anyio
async def test_a_clip_costs_one_create_one_read_one_link_and_one_download(tmp_path: Path) -> None:
    book = tmp_path / "book"
    with serve_in_thread(
        SandboxOptions(state_dir=book, seconds_to_ready=0.0, fast_clips=True)
    ) as sandbox:
        settings = Settings.from_env(
            {
                "HAILUO_PROVIDER": "sandbox",
                "HAILUO_BASE_URL": sandbox.base_url,
                "HAILUO_STATE_DIR": str(tmp_path / "state"),
                "HAILUO_OUTPUT_DIR": str(tmp_path / "clips"),
                "HAILUO_POLL_SECONDS": "0.5",
            }
        )
        async with open_studio(settings) as studio:
            view = await studio.generate(
                VideoRequest(prompt="a lighthouse"), Terms(), wait_seconds=30
            )
    assert view.task.saved
    totals = read_book(book)["totals"]
    kinds = ("creates_received", "status_requests", "file_requests", "download_requests")
    assert [totals[kind] for kind in kinds] == [1, 1, 1, 1]


@pytest.mark.anyio
async def test_a_create_carries_what_was_asked_for_and_little_else(
    tmp_path: Path, provider: Provider
) -> None:
    async with opened(tmp_path, provider) as studio:
        await studio.generate(VideoRequest(prompt="a lighthouse"), Terms(), wait_seconds=0)
    assert len(provider.sent[0]) <= 160


def test_kinds_that_were_done_at_their_first_read_are_not_asked_about_from_the_start() -> None:
    render_times = [RenderTime(least=0.0, most=30.0)] * 3
    assert polls(20.0, render_times)[0] <= 4
