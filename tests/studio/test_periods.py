"""When a budget's period began: midnight and the first of the month, by this computer's clock."""

import os
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from hailuo_mcp.journal.facts import LONGEST_LEASE
from hailuo_mcp.studio.reader import SUBMIT_LEASE, SUBMIT_SECONDS
from hailuo_mcp.worker.worker import LEASE

ASK = """
import sys
from hailuo_mcp.studio.reader import period_start
print(period_start(sys.argv[1], float(sys.argv[2])))
"""


def _began(period: str, zone: str, *moment: int) -> datetime:
    """In a process of that time zone."""
    now = datetime(*moment, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]
    said = subprocess.run(
        [sys.executable, "-c", ASK, period, str(now.timestamp())],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout
    return datetime.fromtimestamp(float(said), tz=ZoneInfo(zone))


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
    assert _began("total", "Asia/Shanghai", 2026, 7, 10).timestamp() == 0


def test_every_lease_outlives_its_work_and_none_is_taken_for_another_clocks() -> None:
    assert SUBMIT_SECONDS < SUBMIT_LEASE <= LONGEST_LEASE
    assert LEASE <= LONGEST_LEASE
