"""When a budget's period began: midnight and the first of the month, by this computer's clock."""

import sys
import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hailuo_mcp.journal.facts import LONGEST_LEASE
from hailuo_mcp.studio.reader import SUBMIT_LEASE, SUBMIT_SECONDS, period_start
from hailuo_mcp.worker.worker import LEASE


def _began(period: str, zone: str, *moment: int) -> datetime:
    """On a computer in that time zone."""
    now = datetime(*moment, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]
    with pytest.MonkeyPatch.context() as here:
        here.setenv("TZ", zone)
        time.tzset()
        began = period_start(period, now.timestamp())
    time.tzset()
    return datetime.fromtimestamp(began, tz=ZoneInfo(zone))


@pytest.mark.skipif(sys.platform == "win32", reason="TZ of POSIX")
@pytest.mark.parametrize(
    ("period", "moment", "began"),
    [
        ("day", (2026, 7, 10, 15, 30), (2026, 7, 10)),
        ("day", (2026, 7, 10, 0, 0), (2026, 7, 10)),
        ("month", (2026, 7, 10, 15, 30), (2026, 7, 1)),
        # Summer time ends at three: the day is 25 hours long, and its first hour counts.
        ("day", (2026, 10, 25, 15, 30), (2026, 10, 25)),
        ("day", (2026, 3, 29, 15, 30), (2026, 3, 29)),
        ("month", (2026, 10, 31, 12, 0), (2026, 10, 1)),
        ("month", (2026, 3, 31, 12, 0), (2026, 3, 1)),
    ],
)
def test_a_period_begins_at_local_midnight_whatever_summer_time_does(
    period: str, moment: tuple[int, ...], began: tuple[int, int, int]
) -> None:
    found = _began(period, "Europe/Berlin", *moment)
    assert (found.year, found.month, found.day, found.hour, found.minute) == (*began, 0, 0)


def test_a_total_budget_has_no_period() -> None:
    assert period_start("total", 1.8e9) == 0


def test_every_lease_outlives_its_work_and_none_is_taken_for_another_clocks() -> None:
    assert SUBMIT_SECONDS < SUBMIT_LEASE <= LONGEST_LEASE
    assert LEASE <= LONGEST_LEASE
