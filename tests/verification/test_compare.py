"""Each reply is compared with what is documented, and every difference is found at once."""

from __future__ import annotations

import copy
import json
import re
from datetime import date

import pytest

from hailuo_mcp.dialects.dialect import HttpRequest
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.verification.compare import compare
from hailuo_mcp.verification.expected import operation_of
from hailuo_mcp.verification.facts import Difference, Exchange, Kind, Operation
from hailuo_mcp.verification.known import known
from tests.verification.documented import (
    FILE,
    HEADERS,
    NESTED,
    OK,
    REPLIES,
    TASK,
    V2,
    exchange,
    own,
    refused,
)


def brief(differences: tuple[Difference, ...]) -> set[tuple[Kind, str, str]]:
    return {(it.kind, it.where, it.found) for it in differences}


def changed(body: object, path: str, value: object) -> object:
    """A copy with one field at a path set, or taken away for `...`."""
    copied = copy.deepcopy(body)
    *parents, last = path.split(".")
    holder = copied
    for name in parents:
        holder = holder[int(name)] if isinstance(holder, list) else holder[name]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return copied


@pytest.mark.parametrize("name", REPLIES)
def test_what_the_documents_show_is_as_documented(name):
    assert compare(*exchange(name)) == ()


MUTATED = [
    ("001 query", changed(TASK, "queue_position", 3), Kind.UNKNOWN_FIELD, "queue_position", "a whole number"),
    ("001 query", changed(TASK, "base_resp.trace", {}), Kind.UNKNOWN_FIELD, "base_resp.trace", "an object"),
    ("001 query", changed(TASK, "base_resp", ...), Kind.MISSING_FIELD, "base_resp", ""),
    ("001 query", changed(TASK, "file_id", ...), Kind.MISSING_FIELD, "file_id", ""),
    ("001 query", changed(TASK, "file_id", ""), Kind.OTHER_VALUE, "file_id", "empty"),
    ("001 query", changed(TASK, "file_id", 17), Kind.OTHER_TYPE, "file_id", "a whole number"),
    ("001 query", changed(TASK, "video_width", "1920"), Kind.OTHER_TYPE, "video_width", "text"),
    ("001 query", changed(TASK, "video_width", None), Kind.OTHER_TYPE, "video_width", "null"),
    ("001 query", changed(TASK, "task_id", "5"), Kind.OTHER_VALUE, "task_id", "another"),
    ("001 query", changed(TASK, "status", "Rendering"), Kind.UNKNOWN_STATUS, "status", "Rendering"),
    ("001 query", changed(TASK, "status", "success"), Kind.UNKNOWN_STATUS, "status", "success"),
    ("001 query", changed(TASK, "status", 4), Kind.OTHER_TYPE, "status", "a whole number"),
    ("001 query", changed(TASK, "video_width", -1), Kind.OTHER_VALUE, "video_width", "a negative number"),
    ("001 query", changed(TASK, "file_id", "0"), Kind.OTHER_VALUE, "file_id", "0"),
    ("001 query", {"task_id": "5", "status": "Fail", **refused(2013)}, Kind.OTHER_VALUE, "task_id", "another"),
    ("1.5 create", {"task_id": "0", "base_resp": OK}, Kind.OTHER_VALUE, "task_id", "0"),
    ("1.5 create", {"task_id": " ", "base_resp": OK}, Kind.OTHER_VALUE, "task_id", "empty"),
    ("v2 created", {"task_id": "0"}, Kind.OTHER_VALUE, "task_id", "0"),
    ("004 submit compat", {"task_id": " "}, Kind.OTHER_VALUE, "task_id", "empty"),
    ("002 submit", {"code": 200, "data": [{"status": "submitted", "task_id": "0"}]}, Kind.OTHER_VALUE, "data.task_id", "0"),
    ("1.5 refusal", {"base_resp": {"status_code": "2013", "status_msg": ""}}, Kind.OTHER_TYPE, "base_resp.status_code", "text"),
    ("7 nested", changed(NESTED, "data.result.videos.0.url", ""), Kind.OTHER_VALUE, "data.result.videos.url", "empty"),
    ("7 nested", changed(NESTED, "data.cost", float("inf")), Kind.UNREADABLE, "", "NaN or Infinity in it"),
    ("v2 unknown task", changed(V2["unknown task"], "error.message", "no (1002)"), Kind.OTHER_CODE, "error.message", "1002"),
    ("6.1 query", {"task_id": "401047179385389059", "status": "Queueing", "base_resp": OK}, Kind.UNKNOWN_STATUS, "status", "Queueing"),
    ("1.5 refusal", refused(3333), Kind.UNDOCUMENTED_CODE, "base_resp.status_code", "3333"),
    ("1.5 refusal", refused(1013), Kind.OTHER_CODE, "base_resp.status_code", "1013"),
    ("1.5 refusal", {"task_id": "7", **refused(1008)}, Kind.OTHER_VALUE, "task_id", "an id"),
    ("1.7 file", changed(FILE, "file.file_id", "176844028768320"), Kind.OTHER_TYPE, "file.file_id", "text"),
    ("1.7 file", changed(FILE, "file.download_url", "ftp://x"), Kind.OTHER_VALUE, "file.download_url", "other text"),
    ("1.7 file", changed(FILE, "file.backup_download_url", ""), Kind.UNKNOWN_FIELD, "file.backup_download_url", "text"),
    ("003 submit", {"task_id": "1", "base_resp": OK}, Kind.MISSING_FIELD, "platform_id", ""),
    ("8 unknown task", {"code": "surprise", "message": ""}, Kind.UNDOCUMENTED_CODE, "code", "…"),
    ("002 400", own(402, "invalid_request_error"), Kind.OTHER_VALUE, "error.code", "402"),
    ("002 400", own(400, "payment_required"), Kind.OTHER_VALUE, "error.type", "payment_required"),
    ("7 nested", changed(NESTED, "data.result", ...), Kind.MISSING_FIELD, "data.result", ""),
    ("7 nested", changed(NESTED, "data.result.videos.0.url", 5), Kind.OTHER_TYPE, "data.result.videos.url", "a whole number"),
    ("7 nested", changed(NESTED, "data.status", "success"), Kind.UNKNOWN_STATUS, "data.status", "success"),
    ("004 finished compat", {"status": "succeeded"}, Kind.MISSING_FIELD, "file_id", ""),
    ("v2 succeeded", changed(V2["succeeded"], "task.content", ...), Kind.MISSING_FIELD, "task.content.url", ""),
    ("v2 succeeded", changed(V2["succeeded"], "task.usage.output_seconds", ...), Kind.MISSING_FIELD, "task.usage.output_seconds", ""),
    ("v2 succeeded", changed(V2["succeeded"], "task.task_type", "remix"), Kind.OTHER_VALUE, "task.task_type", "…"),
    ("v2 list", V2["list"], Kind.OTHER_TYPE, "items.id", "a whole number"),
    ("v2 unknown task", changed(V2["unknown task"], "error.http_code", 400), Kind.OTHER_TYPE, "error.http_code", "a whole number"),
    ("v2 unknown task", changed(V2["unknown task"], "error.message", "no (7777)"), Kind.UNDOCUMENTED_CODE, "error.message", "7777"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "kind", "where", "found"), MUTATED)
def test_one_change_is_found_as_what_it_is(name, body, kind, where, found):
    assert brief(compare(*exchange(name, body=body))) == {(kind, where, found)}


def test_all_differences_of_one_reply_are_found():
    body = changed(
        changed(changed(TASK, "status", "Rendering"), "eta", 3), "base_resp.status_msg", ...
    )
    provider, it = exchange(
        "001 query", body=body, headers={"content-type": "text/plain"}, status=201
    )
    assert brief(compare(provider, it)) == {
        (Kind.HTTP_STATUS, "", "201"),
        (Kind.HEADER, "content-type", "text/plain"),
        (Kind.HEADER, "trace-id", "absent"),
        (Kind.UNKNOWN_STATUS, "status", "Rendering"),
        (Kind.UNKNOWN_FIELD, "eta", "a whole number"),
        (Kind.MISSING_FIELD, "base_resp.status_msg", ""),
    }


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"<html>", "text/html"),
        (b"", "nothing"),
        (b"[1]", "text/html"),
        (b"[" * 100_000, "text/html"),
    ],
)
def test_what_is_no_json_object_is_unreadable(body, found):
    provider, it = exchange(
        "001 query", body=body, headers={**HEADERS, "content-type": "text/html"}
    )
    assert brief(compare(provider, it)) == {
        (Kind.UNREADABLE, "", found),
        (Kind.HEADER, "content-type", "text/html"),
    }


def test_a_link_that_serves_no_clip_is_found():
    provider = PROVIDERS["minimax-cn"]
    request = HttpRequest(path="/v1/files/retrieve_content", query={"file_id": "1"})
    _, refusal = exchange("1.5 refusal")
    asked = Exchange(operation=Operation.LINK, request=request, reply=refusal.reply)
    assert operation_of(provider, request) is Operation.LINK
    assert brief(compare(provider, asked)) == {(Kind.LINK, "", "JSON")}


NO_SUCH = frozenset({"2013", "1004"})


@pytest.mark.parametrize(
    ("name", "body", "codes", "kinds"),
    [
        ("1.5 refusal", refused(2013), NO_SUCH, set()),
        ("1.5 refusal", refused(1008), NO_SUCH, {Kind.OTHER_CODE}),
        ("1.5 refusal", refused(3333), NO_SUCH, {Kind.UNDOCUMENTED_CODE}),
        ("1.5 create", None, NO_SUCH, {Kind.ACCEPTED}),
        ("6.1 create", None, NO_SUCH, {Kind.ACCEPTED}),
        ("002 submit", None, frozenset({"invalid_request_error"}), {Kind.ACCEPTED}),
        ("v2 created", None, frozenset({"2013"}), {Kind.ACCEPTED}),
        ("004 submit compat", None, frozenset({"http_400"}), {Kind.ACCEPTED}),
        ("1.6 waiting", None, NO_SUCH, {Kind.OTHER_CODE}),
        ("8 unknown task", None, frozenset({"http_404"}), set()),
        ("002 400", None, frozenset({"invalid_request_error"}), set()),
    ],
)
def test_a_question_that_must_be_refused_is_judged_by_its_own_codes(name, body, codes, kinds):
    provider, it = exchange(name, body=body)
    assert {found.kind for found in compare(provider, it, codes)} == kinds


def test_of_what_the_edge_writes_only_its_status_is_compared():
    provider, it = exchange("1.5 create", body=b"<html>", status=502, headers={})
    assert brief(compare(provider, it)) == {(Kind.HTTP_STATUS, "", "502")}
    provider, it = exchange("1.2 key", body={"message": "unauthorized"}, status=401, headers={})
    (found,) = compare(provider, it)
    assert (found.kind, found.known) == (Kind.HTTP_STATUS, "2026-07-10")


def test_a_reply_of_another_format_gives_a_short_list():
    body = {f"next_{name}{number}": 1 for name in ("task", "file", "url") for number in range(10)}
    many = {**body, **{f"{outer}_{inner}": 1 for outer in body for inner in ("id", "name")}}
    assert len(compare(*exchange("001 query", body=many))) <= 50


def test_known_differences_have_a_date_and_a_note():
    provider, it = exchange("1.5 refusal", body=refused(2061))
    (found,) = compare(provider, it)
    assert (found.kind, found.known, bool(found.note)) == (
        Kind.UNDOCUMENTED_CODE,
        "2026-05-06",
        True,
    )
    _, at_relay = exchange("8 MiniMax's error", body=refused(3333))
    assert [found.known for found in compare(PROVIDERS["hingnet"], at_relay)] == [""]


def test_every_row_of_the_known_differences_is_dated_and_sourced():
    dialects = {row.dialect for row in PROVIDERS.values()} | {"minimax-v2", ""}
    for row in known():
        assert date.fromisoformat(row.since) <= date(2026, 11, 30)
        assert row.source
        assert row.note.endswith(".")
        assert row.dialect in dialects
        assert row.provider in {*PROVIDERS, ""}
        assert row.provider or row.dialect, "a row has to say whose difference it is"


@pytest.mark.parametrize(
    ("provider", "line", "operation"),
    [
        ("minimax-cn", "GET /v1/token_plan/remains", Operation.BALANCE),
        ("hingnet", "GET /v1/token_plan/remains", None),
        ("hingnet", "POST /v2/video_generation", None),
        ("minimax-cn", "DELETE /v2/video_generation/1", None),
        ("minimax-cn", "GET /v2/query/video_generation", Operation.LIST),
        ("minimax-cn", "GET /v2/query/video_generation/1", Operation.STATUS),
        ("minimax-cn", "GET /v1/video_generation/1", None),
        ("compat", "GET /v1/video_generation/1", Operation.STATUS),
        ("compat-v3", "GET /v3/files/1", Operation.FILE),
        ("xcompute", "GET /v1/tasks/", None),
        ("sandbox", "POST /v1/video_template_generation", Operation.TEMPLATE_SUBMIT),
    ],
)
def test_a_request_is_recognised_by_its_method_and_path(provider, line, operation):
    method, path = line.split(" ")
    assert operation_of(PROVIDERS[provider], HttpRequest(method=method, path=path)) is operation


def test_paths_have_no_places_of_lists():
    body = changed(V2["list"], "items.0.id", 5)
    found = compare(*exchange("v2 list", body=body))
    assert not [it for it in found if re.search(r"\d", it.where)]


def test_a_refused_query_may_show_its_task_and_its_status():
    provider, it = exchange("001 query", body={**TASK, "status": "Processing", **refused(1002)})
    assert compare(provider, it) == ()


def test_a_relay_may_say_failed():
    body = {**TASK, "status": "Failed"}
    provider, it = exchange("001 query", body=body)
    assert compare(PROVIDERS["hingnet"], it) == ()
    assert brief(compare(provider, it)) == {(Kind.UNKNOWN_STATUS, "status", "Failed")}


def test_a_status_that_is_a_right_answer_is_not_named_as_another():
    body = changed(V2["unknown task"], "error.http_code", "404")
    provider, it = exchange("v2 unknown task", body=body, status=404)
    assert compare(provider, it, frozenset({"2013", "http_404"})) == ()
    assert Kind.HTTP_STATUS in {found.kind for found in compare(provider, it)}


def test_a_code_as_text_is_one_difference_of_a_question_too():
    body = {"base_resp": {"status_code": "2013", "status_msg": "invalid params"}}
    provider, it = exchange("1.5 refusal", body=body)
    assert [found.kind for found in compare(provider, it, NO_SUCH)] == [Kind.OTHER_TYPE]


@pytest.mark.parametrize("status", [401, 403, 408, 504])
def test_what_the_edge_is_known_to_answer_is_not_new(status):
    provider, it = exchange("001 query", body=b"<html>", status=status, headers={})
    (found,) = compare(provider, it)
    assert (found.kind, found.known) == (Kind.HTTP_STATUS, "2026-05-06")


PLAIN = json.dumps(TASK).encode()


@pytest.mark.parametrize(
    ("body", "kind", "charset", "found"),
    [
        (PLAIN, None, "; charset=UTF-8", None),
        (PLAIN, Kind.HEADER, "; charset=gb18030", "another charset"),
        (b"\xef\xbb\xbf" + PLAIN, Kind.UNREADABLE, "", "JSON in another encoding"),
        (PLAIN.decode().encode("utf-16"), Kind.UNREADABLE, "", "JSON in another encoding"),
        (PLAIN.replace(b"1920", b"NaN"), Kind.UNREADABLE, "", "NaN or Infinity in it"),
        (PLAIN.replace(b'{"', b'{"task_id": "8", "', 1), Kind.UNREADABLE, "", "application/json"),
    ],
)
def test_json_is_utf_8_and_says_one_thing(body, kind, charset, found):
    headers = {**HEADERS, "content-type": f"application/json{charset}"}
    provider, it = exchange("001 query", body=body, headers=headers)
    seen = {(got.kind, got.found) for got in compare(provider, it)}
    assert seen - {(Kind.OTHER_TYPE, "a decimal number")} == ({(kind, found)} if kind else set())
