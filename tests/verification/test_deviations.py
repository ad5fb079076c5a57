"""Every planted way is named, none hides the rest, and nothing is bought that nobody agreed to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from verification.deviating import DeviatingServer, served
from verification.deviations import DEVIATIONS
from verification.running import Ran, verify

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
    "running_after_the_end": ("status", "other value", ".*"),
    "no_link": ("file", "missing field", r"file\.download_url"),
    "backup_link_only": ("file", "missing field", r"file\.download_url"),
    "link_on_a_foreign_host": ("link", "link", ".*host.*"),
    "link_already_expired": ("link", "link", ".*life.*"),
    "link_of_ten_minutes": ("link", "link", ".*life.*"),
    "link_that_needs_the_key": ("link", "link", ".*"),
    "clip_of_another_length": ("link", "other value", ".*length.*"),
    "clip_of_another_size": ("link", "other value", ".*"),
    "clip_that_is_none": ("link", "link", ".*"),
}
NO_DEVIATION = ("row_as_documented",)
TOGETHER = (
    *("unknown_nested_field", "undocumented_code", "no_trace_id", "no_base_resp", "truncated"),
    *("balance_of_another_shape", "no_status_code", "row_without_created_at", "v1_envelope_in_v2"),
    *("unknown_field_in_a_refusal", "other_code_to_an_empty_request", "json_as_text"),
)
"""Ways that do not hide each other."""
BROKEN = (
    *("html", "http_500", "huge", "list_without_items", "v1_envelope_in_v2"),
    *("refuses_with_500", "accepts_a_template_that_does_not_exist", "no_trace_id"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeviatingServer]:
    with served(tmp_path_factory.mktemp("provider")) as running:
        yield running


def test_every_planted_way_is_tried() -> None:
    assert {*FREE, *PAID, *NO_DEVIATION} == {*DEVIATIONS}
    assert len(FREE) + len(PAID) >= 50


@pytest.mark.parametrize("name", FREE)
def test_a_free_way_is_named_and_stops_nothing(
    name: str, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(DEVIATIONS[name]):
        ran = verify(server, tmp_path)
        assert_named(ran, FREE[name])
        assert_nothing_bought(server)
        assert ran.code == 1
        assert_all_were_tried(ran, server)


@pytest.mark.parametrize("name", PAID)
def test_a_paid_way_is_named_and_bought_once(
    name: str, server: DeviatingServer, tmp_path: Path
) -> None:
    with server.deviates(DEVIATIONS[name]):
        ran = verify(server, tmp_path, "--buy", "--yes")
        assert_named(ran, PAID[name])
        assert len(server.app.accepted) == 1
        assert ran.code == 1


def assert_named(ran: Ran, expected: Found) -> None:
    assert any(_is(it, expected) for it in ran.found), ran.data
    assert expected[1] in ran.report


def _is(found: dict[str, str], expected: Found) -> bool:
    operation, kind, where = expected
    same = (found["operation"], found["kind"]) == (operation, kind)
    return same and re.fullmatch(where, found.get("where", "")) is not None


def assert_nothing_bought(server: DeviatingServer) -> None:
    """No creation named anything that could be made; the imitation's own book is empty, too."""
    for creation in server.creations:
        assert not creation.sent.keys() & {"model", "prompt", "content", "first_frame_image"}


def assert_all_were_tried(ran: Ran, server: DeviatingServer) -> None:
    paths = {it.path for it in server.app.asked}
    assert paths
    del ran
