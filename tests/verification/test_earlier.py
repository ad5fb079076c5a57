"""A verification that goes on with the clip of an earlier one, and one that is stopped."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from verification.deviating import DeviatingServer, served
from verification.deviations import DEVIATIONS
from verification.documented import exchange
from verification.running import Ran, verify

from hailuo_mcp import HailuoClient
from hailuo_mcp.cli import exits
from hailuo_mcp.cli.set_up.verify import command
from hailuo_mcp.cli.set_up.verify.page import Page
from hailuo_mcp.domain.requests import VideoRequest
from hailuo_mcp.verification.facts import Outcome, Reason
from hailuo_mcp.verification.observed import Observed
from hailuo_mcp.verification.purchase import Purchase

BUY = ("--buy", "--yes", "--no-refusals")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviatingServer]:
    with served(tmp_path_factory.mktemp("provider")) as running:
        yield running


def left_unfinished(
    server: DeviatingServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> sqlite3.Connection:
    """An earlier verification's clip that goes on; returns its journal."""
    with monkeypatch.context() as patched, server.deviates(DEVIATIONS["never_ends"]):
        patched.setattr(command, "_LONGEST_SECONDS", 0.0)
        first = verify(server, folder, *BUY)
    assert first.data["bought"] == "yes"
    next(folder.rglob("report.md")).unlink()
    return sqlite3.connect(next(first.state.rglob("*.sqlite3")))


def steps_of(ran: Ran) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in ran.steps}


def test_what_was_not_seen_is_neither_documented_nor_bought(
    server: DeviatingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = left_unfinished(server, tmp_path, monkeypatch)
    with journal:
        journal.execute("UPDATE tasks SET submitted_at = submitted_at - 5000")
    journal.close()
    with server.deviates():
        ran = verify(server, tmp_path, *BUY)
        assert server.creations == []

    steps = steps_of(ran)
    assert (ran.code, ran.data["bought"]) == (0, "earlier")
    assert "Nothing new was bought" in ran.data["message"]
    assert "Nothing new is bought." in ran.said
    bought = steps["the purchase"]
    assert (bought["outcome"], bought["paid"]) == ("skipped", False)
    assert bought["reason"] == "not seen: went on with an earlier clip"
    assert re.search(r"Success after 50\d\d s", str(steps["the states"]["answers"]))
    assert steps["the file"]["outcome"] == "as documented"
    assert "| Bought | nothing new: it went on with the clip of an earlier" in ran.report


def test_an_earlier_clip_that_fails_meanwhile_is_not_bought_again(
    server: DeviatingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after the page has said that nothing new is bought, and nobody was asked."""
    left_unfinished(server, tmp_path, monkeypatch).close()
    balance = Purchase._balance

    async def slow(purchase: Purchase) -> bytes:
        assert purchase.earlier
        while not (await purchase.studio.query(purchase.earlier.task_id)).task.status.is_final:
            await purchase.studio.changes.wait((purchase.earlier.task_id,), 0.1)
        return await balance(purchase)

    monkeypatch.setattr(Purchase, "_balance", slow)
    with server.deviates(DEVIATIONS["fails_in_the_end"]):
        ran = verify(server, tmp_path, *BUY)
        assert server.creations == []

    assert (ran.code, steps_of(ran)["the states"]["outcome"]) == (1, "failed")


def test_the_next_clip_is_bought_when_the_one_before_is_saved(
    server: DeviatingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as soon as the provider has made it: it is not here yet."""
    journal = left_unfinished(server, tmp_path, monkeypatch)
    with journal:
        journal.execute("UPDATE tasks SET status = 'succeeded', file = ''")
    journal.close()
    with server.deviates():
        ran = verify(server, tmp_path, *BUY)
        assert server.creations == []

    assert ran.data["bought"] == "earlier"


@pytest.mark.parametrize(("answer", "many"), [("n", 0), ("y", 1)])
def test_an_earlier_clip_that_was_not_sent_yet_is_a_purchase_still(
    server: DeviatingServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    many: int,
) -> None:
    """The provider had no room for it: it would be bought now."""
    journal = left_unfinished(server, tmp_path, monkeypatch)
    with journal:
        journal.execute("UPDATE tasks SET status = 'pending', remote_id = ''")
    journal.close()
    with server.deviates():
        ran = verify(server, tmp_path, "--buy", "--no-refusals", typed=answer, as_json=False)
        assert len(server.creations) == many

    assert "Nothing new is bought" not in ran.said
    assert "Buy this clip for 0.60 CNY?" in ran.said
    assert ("This withdraws the purchase: " in ran.said) is (not many)


def a_purchase() -> Purchase:
    client = HailuoClient("k", provider="minimax-cn")
    request = VideoRequest(model="MiniMax-Hailuo-02", prompt="boat")
    studio: Any = SimpleNamespace(client=client)
    return Purchase(studio=studio, observed=Observed(), request=request)


def test_one_that_is_stopped_failed_in_nothing() -> None:
    bought = a_purchase()
    (unsure,) = bought.stopped(())
    assert not bought.is_bought, "its answer was not seen"
    assert (unsure.outcome, unsure.differences) == (Outcome.INTERRUPTED, ())

    created = exchange("1.5 create")[1]
    bought.observed(created.request, created.reply)
    purchase, rest = bought.stopped(())
    assert bought.is_bought
    assert (purchase.outcome, purchase.reason) == (Outcome.AS_DOCUMENTED, None)
    assert (rest.outcome, rest.reason) == (Outcome.INTERRUPTED, Reason.INTERRUPTED)
    assert [it.name for it in bought.stopped({purchase.name})] == [rest.name]


def test_after_ctrl_c_the_state_is_told_as_in_the_report(
    server: DeviatingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Page, "about_to", press)
    with server.deviates():
        ran = verify(server, tmp_path)

    state = "It was interrupted at: a request without a model."
    assert (ran.code, ran.data["status"], ran.data["state"]) == (
        exits.INTERRUPTED,
        "interrupted",
        state,
    )
    assert f"| State | {state} |" in ran.report
