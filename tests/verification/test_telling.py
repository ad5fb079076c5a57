"""What a page and a report say of a verification: sentences, reasons, and to whom they go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from verification.deviating import DeviatingServer, served
from verification.running import verify

from hailuo_mcp.cli.set_up.verify.report import markdown
from hailuo_mcp.cli.set_up.verify.sentences import HIDES, difference_texts
from hailuo_mcp.verification.facts import Difference, Kind, Operation, Outcome, Step, Verdict
from hailuo_mcp.verification.observed import time_words

MISSING = Difference(operation=Operation.FILE, kind=Kind.MISSING_FIELD, where="file.bytes")
HIDDEN = Difference(operation=Operation.FILE, kind=Kind.UNKNOWN_FIELD, where="…", found="text")
TRACE = Difference(
    operation=Operation.STATUS, kind=Kind.HEADER, where="trace-id", expected="given", found="absent"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviatingServer]:
    with served(tmp_path_factory.mktemp("provider")) as running:
        yield running


def report_of(*steps: Step, provider: str = "minimax-cn", own: bool = True) -> str:
    verdict = Verdict(
        provider=provider, dialect="minimax", own_host=own, version="1", began=0.0, steps=steps
    )
    return markdown(verdict, about="", bought="no")


def a_step(name: str, *differences: Difference) -> Step:
    return Step(name=name, outcome=Outcome.DIFFERS, differences=differences)


def test_fields_that_differ_alike_are_one_sentence() -> None:
    other = replace(MISSING, where="file.purpose")
    assert difference_texts([MISSING, HIDDEN, other]) == [
        "The reply to a file request lacks fields that are documented: `file.bytes`, `file.purpose`.",
        "The reply to a file request has a field that is not documented: `…` (text).",
    ]
    assert len(difference_texts([MISSING, replace(other, known="2026-11-22")])) == 2


def test_each_difference_stands_once_with_the_names_of_its_steps() -> None:
    text = report_of(a_step("one", TRACE), a_step("two", TRACE, HIDDEN))

    assert (
        "* one, two: The reply to a status request lacks the documented header `trace-id`." in text
    )
    assert text.count("lacks the documented header") == 1
    assert HIDES in text
    assert HIDES not in report_of(a_step("one", TRACE))


@pytest.mark.parametrize(
    ("provider", "own", "said"),
    [
        ("minimax-cn", True, "the provider's own"),
        ("minimax-cn", False, "not the provider's own (a relay, a proxy or a test server)"),
        ("sandbox", True, "this program's own sandbox"),
    ],
)
def test_whose_address_it_was_is_said(provider: str, own: bool, said: str) -> None:
    assert f"| Address | {said} |" in report_of(provider=provider, own=own)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0 ms"), (0.084, "84 ms"), (2.44, "2.4 s"), (140.3, "140 s")]
)
def test_short_times_are_told_exactly(seconds: float, said: str) -> None:
    assert time_words(seconds) == said


def test_one_that_was_not_reached_says_why_and_invites_to_nothing(
    server: DeviatingServer, tmp_path: Path
) -> None:
    nowhere = {"HAILUO_BASE_URL": "http://127.0.0.1:1"}
    ran = verify(server, tmp_path, variables=nowhere, as_json=False)

    assert ran.code == 1
    assert "| the key | failed | - | the provider could not be reached |" in ran.report
    assert ran.report.count("| skipped | - | the provider could not be reached |") == 8
    assert "attach the report" not in ran.page
    assert "127.0.0.1" not in ran.report


def test_yes_without_buy_is_refused(server: DeviatingServer, tmp_path: Path) -> None:
    with server.deviates():
        ran = verify(server, tmp_path, "--yes")
        assert (ran.code, server.app.asked) == (2, [])


def test_an_unknown_price_is_named_in_the_question(server: DeviatingServer, tmp_path: Path) -> None:
    with server.deviates():
        ran = verify(server, tmp_path, "--buy", provider="xcompute", typed="n\n", as_json=False)
        assert server.app.accepted == []
    assert "Buy this clip at an unknown price?" in ran.said
    assert "if you agree to its price" in ran.page


def test_with_yes_nothing_is_said_of_agreeing(server: DeviatingServer, tmp_path: Path) -> None:
    refused = {"HAILUO_BASE_URL": "http://127.0.0.1:1"}
    ran = verify(server, tmp_path, "--buy", "--yes", variables=refused, as_json=False)

    assert "Will send: 6 free questions" in ran.page
    assert "if you agree" not in ran.page
