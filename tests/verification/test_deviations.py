"""Every planted way is named, none hides the rest, and nothing is bought that nobody agreed to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from verification.deviating import DeviatingServer, served
from verification.deviations import DEVIATIONS
from verification.running import Ran, verify

from hailuo_mcp.cli.set_up.verify import command
from hailuo_mcp.client import client
from hailuo_mcp.dialects import providers
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.sandbox.report import read_book
from hailuo_mcp.verification import made

Found = tuple[str, str, str]
"""The operation, the kind, and where, as a pattern."""

FREE: dict[str, Found] = {
    "unknown_field": ("status", "unknown field", "queue_position"),
    "unknown_nested_field": ("status", "unknown field", r"base_resp\.retry_hint"),
    "unknown_field_in_a_refusal": ("submit", "unknown field", "log_id"),
    "no_base_resp": ("file", "missing field", "base_resp"),
    "no_status_code": ("template status", "missing field", r"base_resp\.status_code"),
    "code_as_text": ("status", "other type", r"base_resp\.status_code"),
    "base_resp_as_list": ("file", "other type", "base_resp"),
    "balance_of_another_shape": ("balance", "missing field", "base_resp"),
    "undocumented_code": ("status", "undocumented code", r"base_resp\.status_code"),
    "code_of_another_service": ("file", "other code", r"base_resp\.status_code"),
    "other_code_to_an_empty_request": ("submit", "other code", r"base_resp\.status_code"),
    "success_of_what_does_not_exist": ("status", "other code", ".*"),
    "http_404": ("status", "HTTP status", ""),
    "http_500": ("file", "HTTP status", ""),
    "http_401": ("file", "HTTP status", ""),
    "html": ("status", "unreadable", ""),
    "truncated": ("file", "unreadable", ""),
    "not_an_object": ("template status", "unreadable", ""),
    "json_as_text": ("file", "header", "content-type"),
    "no_trace_id": ("status", "header", "trace-id"),
    "redirected": ("file", "HTTP status", ""),
    "huge": ("template status", "unreadable", ""),
    "deeply_nested": ("template status", "unreadable", ""),
    "no_template_route": ("template status", "HTTP status", ""),
    "status_without_answer": ("status", "no answer", ""),
    "accepts_an_empty_request": ("submit", "accepted", ""),
    "accepts_a_template_that_does_not_exist": ("template submit", "accepted", ""),
    "success_without_a_task": ("submit", "accepted", ""),
    "refuses_with_500": ("submit", "HTTP status", ""),
    "drops_an_empty_request": ("submit", "no answer", ""),
    "hangs_on_an_empty_request": ("submit", "no answer", ""),
    "row_without_created_at": ("list", "missing field", r"items\.created_at"),
    "row_with_an_unknown_status": ("list", "unknown status word", r"items\.status"),
    "list_without_items": ("list", "missing field", "items"),
    "v1_envelope_in_v2": ("status", "unknown field", "base_resp"),
    "v2_refusal_with_an_unknown_field": ("status", "unknown field", "locale"),
    "v2_task_without_usage": ("status", "missing field", r"task\.usage"),
    "accepts_an_empty_v2_request": ("submit", "accepted", ""),
}
PAID: dict[str, Found] = {
    "no_file_id": ("status", "missing field", "file_id"),
    "file_id_as_number": ("status", "other type", "file_id"),
    "task_id_as_number": ("status", "other type", "task_id"),
    "width_as_text": ("status", "other type", "video_width"),
    "another_tasks_id": ("status", "other value", "task_id"),
    "accepted_with_an_unknown_field": ("submit", "unknown field", "estimated_seconds"),
    "unknown_status_word": ("status", "unknown status word", "status"),
    "running_after_the_end": ("status", "other value", "status"),
    "no_link": ("file", "missing field", r"file\.download_url"),
    "backup_link_only": ("file", "missing field", r"file\.download_url"),
    "link_on_a_foreign_host": ("link", "link", "its host"),
    "link_already_expired": ("link", "link", "its end"),
    "link_of_ten_minutes": ("link", "link", "its life"),
    "link_that_needs_the_key": ("link", "link", ".*"),
    "clip_of_another_length": ("link", "other value", ".*length.*"),
    "clip_of_another_size": ("link", "other value", ".*"),
    "clip_that_is_none": ("link", "link", ".*"),
}
LOST: dict[str, Found] = {
    "loses_the_answer_to_the_purchase": ("submit", "no answer", ""),
    "answers_the_purchase_with_500": ("submit", "HTTP status", ""),
}
"""Nobody knows whether the clip was bought; it was."""
NO_DEVIATION = ("row_as_documented",)
STEPS, REFUSALS = 9, 3
UNSEEN = ("accepts_a_template_that_does_not_exist",)
"""Not sent once another request was accepted."""
TOGETHER = (
    *("undocumented_code", "unknown_nested_field", "no_trace_id", "base_resp_as_list"),
    *("json_as_text", "balance_of_another_shape", "no_status_code", "row_without_created_at"),
    *("v2_refusal_with_an_unknown_field", "unknown_field_in_a_refusal"),
    *("other_code_to_an_empty_request",),
    *("accepts_a_template_that_does_not_exist", "accepts_an_empty_v2_request"),
)
"""All at once that do not hide each other: the first task that is made ends the free part."""
BROKEN = (
    *("html", "truncated", "huge", "v1_envelope_in_v2", "list_without_items"),
    *("balance_of_another_shape", "refuses_with_500"),
)
"""Every answer is useless."""
PAID_TOGETHER = (
    *("task_id_as_number", "width_as_text", "accepted_with_an_unknown_field"),
    *("unknown_status_word", "clip_of_another_length", "unknown_nested_field"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviatingServer]:
    with served(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(autouse=True)
def _own_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is the provider's own: only of those it is known where their clips are."""
    row = PROVIDERS["minimax-cn"]
    own = replace(row, hosts=(*row.hosts, "127.0.0.1"))
    monkeypatch.setattr(providers, "PROVIDERS", {**PROVIDERS, own.name: own})
    monkeypatch.setattr(client, "PROVIDERS", {**PROVIDERS, own.name: own})
    monkeypatch.setattr(made, "CLIP_DOMAINS", ("127.0.0.1",))


def test_every_planted_way_is_tried() -> None:
    endings = ("never_ends", "fails_in_the_end")  # documented, and tried where they matter
    assert {*FREE, *PAID, *LOST, *NO_DEVIATION, *endings} == {*DEVIATIONS}
    assert {*TOGETHER, *BROKEN} <= {*FREE}


def test_without_a_deviation_everything_is_as_documented(
    server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(*(DEVIATIONS[name] for name in NO_DEVIATION)):
        ran = verify(server, tmp_path)
        assert (ran.code, ran.found) == (0, [])
        assert len(ran.steps) == STEPS
        assert_nothing_bought(server)


@pytest.mark.parametrize("name", FREE)
def test_a_free_way_is_named_and_stops_nothing(
    name: str, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(DEVIATIONS[name]):
        ran = verify(server, tmp_path)
        assert ran.code == 1
        assert_named(ran, FREE[name])
        assert_stopped_nothing(ran)
        assert_nothing_bought(server)


@pytest.mark.parametrize("name", PAID)
def test_a_paid_way_is_named_and_bought_once(
    name: str, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(DEVIATIONS[name]):
        ran = verify(server, tmp_path, "--buy", "--yes")
        assert ran.code == 1
        assert_named(ran, PAID[name])
        assert_bought_once(server)


@pytest.mark.parametrize("name", LOST)
def test_a_purchase_whose_answer_is_lost_is_never_sent_again(
    name: str, server: DeviatingServer, tmp_path: Path
) -> None:
    before = tasks_in_the_book(server)
    with server.deviates(DEVIATIONS[name]):
        ran = verify(server, tmp_path, "--buy", "--yes")
        assert_named(ran, LOST[name])
        assert ran.data["bought"] == "maybe"
        assert len([it for it in server.creations if "prompt" in it.sent]) == 1
    assert tasks_in_the_book(server) - before == 1


def test_a_clip_that_is_never_ready_is_left_to_other_commands(
    server: DeviatingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_LONGEST_SECONDS", 0.0)
    with server.deviates(DEVIATIONS["never_ends"]):
        ran = verify(server, tmp_path, "--buy", "--yes")
        assert_named(ran, ("status", "unknown status word", "status"))
        assert ran.code == 1
        assert "query v1" in ran.said
        assert_bought_once(server)


@pytest.mark.parametrize("names", [TOGETHER, BROKEN])
def test_all_at_once_are_named(
    names: tuple[str, ...], server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(*(DEVIATIONS[name] for name in names)):
        ran = verify(server, tmp_path)
        seen = [name for name in names if name not in UNSEEN]
        for name in seen:
            assert_named(ran, FREE[name])
        assert_nothing_bought(server)


def test_all_paid_ways_at_once_are_named(server: DeviatingServer, tmp_path: Path) -> None:
    with server.deviates(*(DEVIATIONS[name] for name in PAID_TOGETHER)):
        ran = verify(server, tmp_path, "--buy", "--yes")
        for name in PAID_TOGETHER:
            assert_named(ran, {**FREE, **PAID}[name])
        assert_bought_once(server)


@pytest.mark.parametrize(
    ("options", "typed", "bought"),
    [
        ((), None, 0),
        (("--buy",), None, 0),
        (("--buy",), "", 0),
        (("--buy",), "n\n", 0),
        (("--buy",), "later\n", 0),
        (("--buy",), "y\n", 1),
        (("--buy", "--yes"), "n\n", 1),
    ],
)
def test_nothing_is_bought_without_buy_and_a_yes(
    options: tuple[str, ...],
    typed: str | None,
    bought: int,
    server: DeviatingServer,
    tmp_path: Path,
) -> None:
    before = tasks_in_the_book(server)
    with server.deviates():
        ran = verify(server, tmp_path, *options, typed=typed, as_json=False)
        assert len(server.app.accepted) == bought
        if not bought:
            assert_nothing_bought(server)
    assert tasks_in_the_book(server) - before == bought
    refused = options == ("--buy",) and typed is None
    assert ran.code == (2 if refused else 0)
    assert bool(server.app.asked) != refused


@pytest.mark.parametrize("name", ["accepts_an_empty_request", "drops_an_empty_request"])
def test_what_was_not_refused_keeps_the_clip_from_being_bought(
    name: str, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(DEVIATIONS[name]):
        ran = verify(server, tmp_path, "--buy", "--yes")
        assert ran.steps[-1]["outcome"] == "skipped"
        assert_nothing_bought(server)


def assert_named(ran: Ran, expected: Found) -> None:
    assert any(_is(it, expected) for it in ran.found), (expected, ran.found)
    operation, kind, _ = expected
    assert f'"operation": "{operation}"' in ran.report
    assert f'"kind": "{kind}"' in ran.report


def _is(found: dict[str, str], expected: Found) -> bool:
    operation, kind, where = expected
    same = (found["operation"], found["kind"]) == (operation, kind)
    return same and re.fullmatch(where, found.get("where", "")) is not None


def assert_stopped_nothing(ran: Ran) -> None:
    """Every step was tried, but for other requests of the kind that was not refused."""
    assert len(ran.steps) == STEPS
    free, refusals = ran.steps[:-REFUSALS], ran.steps[-REFUSALS:]
    assert all(step["outcome"] != "skipped" for step in free)
    unsure = False
    for step in refusals:
        assert (step["outcome"] == "skipped") == unsure
        unsure = unsure or any(
            it["kind"] in ("accepted", "no answer") for it in step["differences"]
        )


def assert_nothing_bought(server: DeviatingServer) -> None:
    """No creation named anything that could be made."""
    for creation in server.creations:
        assert not creation.sent.keys() & {"model", "prompt", "content", "first_frame_image"}


def assert_bought_once(server: DeviatingServer) -> None:
    wanted = [it for it in server.creations if "prompt" in it.sent]
    assert server.app.accepted == wanted
    assert len(wanted) == 1


def tasks_in_the_book(server: DeviatingServer) -> int:
    """What the imitation has sold, by its own book."""
    accounts = read_book(server.folder)["accounts"].values()
    return sum(len(account["tasks"]) for account in accounts)
