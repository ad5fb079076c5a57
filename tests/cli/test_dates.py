"""Moments as a person types them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime

import pytest

from hailuo_mcp.cli import dates


def _local(*parts: int) -> float:
    return datetime(*parts).timestamp()  # type: ignore[arg-type]  # noqa: DTZ001


NOW = _local(2026, 11, 22, 9, 30)


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("90m", NOW - 5400, NOW - 5400),
        ("2d", NOW - 2 * 86_400, NOW - 2 * 86_400),
        ("1.5h ago", NOW - 5400, NOW - 5400),
        ("1W", NOW - 7 * 86_400, NOW - 7 * 86_400),
        ("today", _local(2026, 11, 22), _local(2026, 11, 23)),
        ("yesterday", _local(2026, 11, 21), _local(2026, 11, 22)),
        ("2026-11-21", _local(2026, 11, 21), _local(2026, 11, 22)),
        ("2026-11", _local(2026, 11, 1), _local(2026, 12, 1)),
        ("2026-12", _local(2026, 12, 1), _local(2027, 1, 1)),
        ("2026", _local(2026, 1, 1), _local(2027, 1, 1)),
        ("2026-11-21 14:30", _local(2026, 11, 21, 14, 30), _local(2026, 11, 21, 14, 30)),
        ("2026-11-21T14:30:00Z", 1_795_271_400.0, 1_795_271_400.0),
    ],
)
def test_a_period_has_the_ends_that_a_person_means(text: str, first: float, after: float) -> None:
    assert dates.since(text, NOW) == first
    assert dates.until(text, NOW) == after


def test_nothing_typed_is_no_limit() -> None:
    assert dates.since("") is None
    assert dates.until(" ") is None


@pytest.mark.parametrize(
    "text", ["2", "soon", "2026-13", "2026-02-30", "-2d", "9999-12", "999999w", "2d3h", "0000"]
)
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="write for example 90m, 2d"):
        dates.since(text, NOW)
