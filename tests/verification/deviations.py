"""The planted ways, each a small function: see `deviating.py` for what they change.

Written from the providers' documents (docs/sources.md: facts 1.5 to 1.8, 4.6, 6.1), and from
nothing that reads or judges the answers.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import Any

from verification.deviating import Answer, Asked, Change, Deviating, Deviation

BALANCE = ("GET", "/v1/token_plan/remains")
SUBMIT = ("POST", "/v1/video_generation")
STATUS = ("GET", "/v1/query/video_generation")
FILE = ("GET", "/v1/files/retrieve")
TEMPLATE = ("POST", "/v1/video_template_generation")
TEMPLATE_STATUS = ("GET", "/v1/query/video_template_generation")
V2_SUBMIT = ("POST", "/v2/video_generation")
V2_STATUS = ("GET", "/v2/query/video_generation/")
V2_LIST = ("GET", "/v2/query/video_generation")
CLIP = ("GET", "/cdn/")

Place = tuple[str, str]
DEVIATIONS: dict[str, Deviation] = {}


def _add(place: Place, change: Change, name: str) -> None:
    assert name not in DEVIATIONS
    DEVIATIONS[name] = Deviation(name, *place, change)


def _on(*places: Place) -> Callable[[Change], Change]:
    """The whole answer is changed."""

    def added(change: Change) -> Change:
        for place in places:
            _add(place, change, getattr(change, "__name__", ""))
        return change

    return added


def _in_json(place: Place) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """Its JSON object is changed, where there is one."""

    def added(change: Callable[[dict[str, Any]], None]) -> None:
        def whole(server: Deviating, asked: Asked, answer: Answer) -> None:
            del server, asked
            body = answer.json
            change(body)
            answer.json = body

        _add(place, whole, change.__name__)

    return added


def _if_done(place: Place) -> Callable[[Callable[[dict[str, Any]], None]], None]:
    """Its JSON object is changed once the task has succeeded."""

    def added(change: Callable[[dict[str, Any]], None]) -> None:
        def whole(server: Deviating, asked: Asked, answer: Answer) -> None:
            del server, asked
            body = answer.json
            if body.get("status") == "Success":
                change(body)
                answer.json = body

        _add(place, whole, change.__name__)

    return added


# ── fields ────────────────────────────────────────────────────────────────────────────────────


@_in_json(STATUS)
def unknown_field(body: dict[str, Any]) -> None:
    body["queue_position"] = 3


@_in_json(STATUS)
def unknown_nested_field(body: dict[str, Any]) -> None:
    body["base_resp"]["retry_hint"] = {"seconds": 3}


@_in_json(SUBMIT)
def unknown_field_in_a_refusal(body: dict[str, Any]) -> None:
    body["log_id"] = "021763088289"


@_in_json(FILE)
def no_base_resp(body: dict[str, Any]) -> None:
    del body["base_resp"]


@_in_json(TEMPLATE_STATUS)
def no_status_code(body: dict[str, Any]) -> None:
    del body["base_resp"]["status_code"]


@_in_json(STATUS)
def code_as_text(body: dict[str, Any]) -> None:
    body["base_resp"]["status_code"] = str(body["base_resp"]["status_code"])


@_in_json(FILE)
def base_resp_as_list(body: dict[str, Any]) -> None:
    body["base_resp"] = [body["base_resp"]]


@_in_json(BALANCE)
def balance_of_another_shape(body: dict[str, Any]) -> None:
    body.clear()
    body["data"] = {"video": 12}


@_if_done(STATUS)
def no_file_id(body: dict[str, Any]) -> None:
    del body["file_id"]


@_if_done(STATUS)
def file_id_as_number(body: dict[str, Any]) -> None:
    body["file_id"] = int(body["file_id"])


@_if_done(STATUS)
def task_id_as_number(body: dict[str, Any]) -> None:
    body["task_id"] = int(body["task_id"])


@_if_done(STATUS)
def width_as_text(body: dict[str, Any]) -> None:
    body["video_width"] = str(body["video_width"])


@_if_done(STATUS)
def another_tasks_id(body: dict[str, Any]) -> None:
    body["task_id"] = "335560631603474"


@_in_json(SUBMIT)
def accepted_with_an_unknown_field(body: dict[str, Any]) -> None:
    if body.get("task_id"):
        body["estimated_seconds"] = 60


# ── codes and status words ────────────────────────────────────────────────────────────────────


@_in_json(STATUS)
def undocumented_code(body: dict[str, Any]) -> None:
    body["base_resp"] = {"status_code": 4711, "status_msg": "no such record"}


@_in_json(FILE)
def code_of_another_service(body: dict[str, Any]) -> None:
    body["base_resp"] = {"status_code": 2039, "status_msg": "voice clone voice id duplicate"}


@_in_json(SUBMIT)
def other_code_to_an_empty_request(body: dict[str, Any]) -> None:
    if not body.get("task_id"):
        body["base_resp"] = {"status_code": 1026, "status_msg": "input new_sensitive"}


@_on(STATUS)
def unknown_status_word(server: Deviating, asked: Asked, answer: Answer) -> None:
    body = answer.json
    if body.get("status") and _polls(server, asked) == 1:
        answer.json = {**body, "status": "Rendering", "file_id": ""}


@_in_json(STATUS)
def never_ends(body: dict[str, Any]) -> None:
    if body.get("status"):
        body["status"], body["file_id"] = "Rendering", ""


@_in_json(STATUS)
def fails_in_the_end(body: dict[str, Any]) -> None:
    if body.get("status"):
        body["status"], body["file_id"] = "Fail", ""


@_on(STATUS)
def running_after_the_end(server: Deviating, asked: Asked, answer: Answer) -> None:
    body = answer.json
    if body.get("status") and _polls(server, asked) == 1:
        answer.json = {**body, "status": "Success", "file_id": ""}
    elif body.get("status") and _polls(server, asked) == 2:
        answer.json = {**body, "status": "Processing", "file_id": ""}


@_on(STATUS)
def success_of_what_does_not_exist(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if not answer.json.get("status"):
        answer.json = {
            "task_id": asked.query.get("task_id", ""),
            "status": "Success",
            "file_id": "176844028768320",
            "video_width": 1366,
            "video_height": 768,
            "base_resp": {"status_code": 0, "status_msg": "success"},
        }


def _polls(server: Deviating, asked: Asked) -> int:
    """How often this has been asked, this time included."""
    return sum((it.path, it.query) == (asked.path, asked.query) for it in server.asked)


# ── HTTP ──────────────────────────────────────────────────────────────────────────────────────


@_on(STATUS)
def http_404(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status = 404


@_on(FILE)
def http_500(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status = 500


@_on(FILE)
def http_401(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status = 401
    answer.json = {"message": "unauthorized"}


@_on(STATUS)
def html(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.headers["content-type"] = "text/html"
    answer.body = b"<html><body><h1>Welcome to nginx</h1></body></html>"


@_on(FILE)
def truncated(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.body = answer.body[: len(answer.body) // 2]


@_on(TEMPLATE_STATUS)
def not_an_object(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.json = ["invalid params"]


@_on(FILE)
def json_as_text(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.headers["content-type"] = "text/plain"


@_on(STATUS)
def no_trace_id(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    del answer.headers["trace-id"]


@_on(FILE)
def redirected(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status, answer.body = 302, b""
    answer.headers["location"] = "/v2/files/retrieve"


@_on(TEMPLATE_STATUS)
def huge(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.json = {**answer.json, "padding": "x" * (5 << 20)}


@_on(TEMPLATE_STATUS)
def deeply_nested(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.body = b'{"a":' * 50_000 + b"1" + b"}" * 50_000


@_on(TEMPLATE_STATUS)
def no_template_route(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status, answer.body = 404, b"404 page not found"
    answer.headers["content-type"] = "text/plain"


@_on(STATUS)
def status_without_answer(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.missing = "reset"


# ── what must be refused ──────────────────────────────────────────────────────────────────────


def _is_nothing(asked: Asked) -> bool:
    """Whether there is nothing to generate in the request."""
    return not (asked.sent.get("prompt") or asked.sent.get("first_frame_image"))


@_on(SUBMIT)
def accepts_an_empty_request(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if _is_nothing(asked):
        answer.json = {
            "task_id": "106916112212032",
            "base_resp": {"status_code": 0, "status_msg": "success"},
        }


@_on(TEMPLATE)
def accepts_a_template_that_does_not_exist(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status = 200
    answer.json = {
        "task_id": "401047179385389059",
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }


@_on(SUBMIT)
def success_without_a_task(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if _is_nothing(asked):
        answer.json = {"task_id": "", "base_resp": {"status_code": 0, "status_msg": "success"}}


@_on(SUBMIT)
def refuses_with_500(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if _is_nothing(asked):
        answer.status = 500
        answer.body = b"Internal Server Error"
        answer.headers["content-type"] = "text/plain"


@_on(SUBMIT)
def drops_an_empty_request(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if _is_nothing(asked):
        answer.missing = "reset"


@_on(SUBMIT)
def hangs_on_an_empty_request(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if _is_nothing(asked):
        answer.missing = "hang"


@_on(SUBMIT)
def loses_the_answer_to_the_purchase(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if not _is_nothing(asked):
        answer.missing = "reset"


@_on(SUBMIT)
def answers_the_purchase_with_500(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if not _is_nothing(asked):
        answer.status = 500
        answer.body = b"Internal Server Error"
        answer.headers["content-type"] = "text/plain"


# ── files, links and clips ────────────────────────────────────────────────────────────────────


def _on_file(change: Callable[[Deviating, dict[str, Any]], None]) -> None:
    """The file's facts are changed, where there is a file."""

    def whole(server: Deviating, asked: Asked, answer: Answer) -> None:
        del asked
        body = answer.json
        if "file" in body:
            change(server, body["file"])
            answer.json = body

    _add(FILE, whole, change.__name__)


@_on_file
def no_link(server: Deviating, file: dict[str, Any]) -> None:
    del server, file["download_url"]


@_on_file
def backup_link_only(server: Deviating, file: dict[str, Any]) -> None:
    del server
    file["backup_download_url"] = file.pop("download_url")


@_on_file
def link_on_a_foreign_host(server: Deviating, file: dict[str, Any]) -> None:
    file["download_url"] = server.link_instead(file["download_url"], host="clips.example.invalid")


@_on_file
def link_already_expired(server: Deviating, file: dict[str, Any]) -> None:
    file["download_url"] = server.link_instead(file["download_url"], life=-60)


@_on_file
def link_of_ten_minutes(server: Deviating, file: dict[str, Any]) -> None:
    file["download_url"] = server.link_instead(file["download_url"], life=600)


@_on(CLIP)
def link_that_needs_the_key(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server
    if not asked.key:
        answer.status = 403
        answer.headers = {"content-type": "application/xml"}
        answer.body = b"<Error><Code>AccessDenied</Code></Error>"


@_on(CLIP)
def clip_of_another_length(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    _serve(answer, small_clip(768, 512, 2))


@_on(CLIP)
def clip_of_another_size(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    _serve(answer, small_clip(128, 96, 6))


@_on(CLIP)
def clip_that_is_none(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    _serve(answer, b"GIF89a" + bytes(4000))


def _serve(answer: Answer, body: bytes) -> None:
    answer.status, answer.body = 200, body
    answer.headers = {"content-type": "video/mp4"}


@cache
def small_clip(width: int, height: int, seconds: int) -> bytes:
    import av
    import numpy as np

    into, rate = io.BytesIO(), 4
    with av.open(into, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = np.full((height, width, 3), 90, dtype=np.uint8)
        for _ in range(rate * seconds):
            frame: Any = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return into.getvalue()


# ── v2 ────────────────────────────────────────────────────────────────────────────────────────


def v2_row() -> dict[str, Any]:
    """A task of the list as the documents have it (facts 4.6)."""
    return {
        "id": "401047179385389059",
        "model": "MiniMax-H3",
        "status": "succeeded",
        "created_at": 1_795_000_000,
        "updated_at": 1_795_000_120,
        "resolution": "768P",
        "duration": 5,
        "ratio": "16:9",
        "task_type": "generation",
        "modality": "video",
        "usage": {
            "total_seconds": 5,
            "input_seconds": 0,
            "output_seconds": 5,
            "input_image_count": 0,
            "total_tokens": 0,
        },
    }


def _on_row(change: Callable[[dict[str, Any]], None]) -> None:
    """The list has one task, which is changed."""

    def whole(server: Deviating, asked: Asked, answer: Answer) -> None:
        del server, asked
        row = v2_row()
        change(row)
        answer.json = {"items": [row], "total": 1}

    _add(V2_LIST, whole, change.__name__)


@_on_row
def row_as_documented(row: dict[str, Any]) -> None:
    """What must not be called a deviation."""


@_on_row
def row_without_created_at(row: dict[str, Any]) -> None:
    del row["created_at"]


@_on_row
def row_with_an_unknown_status(row: dict[str, Any]) -> None:
    row["status"] = "rendering"


@_in_json(V2_LIST)
def list_without_items(body: dict[str, Any]) -> None:
    del body["items"]


@_on(V2_STATUS)
def v1_envelope_in_v2(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status = 200
    answer.json = {"base_resp": {"status_code": 2013, "status_msg": "invalid params"}}


@_on(V2_STATUS)
def v2_refusal_with_an_unknown_field(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.json = {**answer.json, "locale": "en"}


@_on(V2_STATUS)
def v2_task_without_usage(server: Deviating, asked: Asked, answer: Answer) -> None:
    """And it does not exist, either."""
    del server
    task = {**v2_row(), "id": asked.path.rpartition("/")[2]}
    del task["usage"]
    answer.status = 200
    answer.json = {"task": {**task, "content": {"url": "https://cdn.hailuoai.com/a.mp4"}}}


@_on(V2_SUBMIT)
def accepts_an_empty_v2_request(server: Deviating, asked: Asked, answer: Answer) -> None:
    del server, asked
    answer.status = 200
    answer.json = {"task_id": "401047179385389060"}
