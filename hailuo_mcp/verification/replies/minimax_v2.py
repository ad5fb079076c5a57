"""MiniMax's v2 replies (v2 facts)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.parsing import fields, items
from hailuo_mcp.verification.facts import Exchange, Kind, Operation
from hailuo_mcp.verification.replies.minimax import TRACE
from hailuo_mcp.verification.replies.parts import (
    Expected,
    Finding,
    Format,
    Link,
    Shape,
    Size,
    TextOrNumber,
    nothing,
)

_TYPES = {
    400: ("bad_request_error", ("2013",)),
    401: ("authorized_error", ("1004", "2049")),
    402: ("insufficient_balance_error", ("1008",)),
    422: ("unprocessable_entity_error", ("1026",)),
    429: ("rate_limit_error", ("1002",)),
    500: ("server_error", ("1000",)),
    504: ("server_error", ("1001",)),
    529: ("overloaded_error", ("1000",)),
}
_CODES = frozenset(code for _, codes in _TYPES.values() for code in codes)
_V1 = frozenset({"1024", "1027", "1033", "1039", "1041", "1042", "2045", "2056"})
_CODE = re.compile(r"\((\d{1,6})\)")
_COUNTED = ("total_seconds", "input_seconds", "output_seconds", "input_image_count")


class Submitted(Shape):
    """Its create and its regeneration answer alike."""

    task_id: str


class Usage(Shape):
    """Empty until the task has succeeded."""

    total_seconds: Size = 0
    input_seconds: Size = 0
    output_seconds: Size = 0
    input_image_count: Size = 0
    input_audio_seconds: Size = 0
    total_tokens: Size = 0


class TaskError(Shape):
    """The type of the code is said nowhere."""

    code: TextOrNumber = ""
    message: str = ""


class Content(Shape):
    """Empty until there is a clip."""

    url: Link = ""


class _AnyTask(Shape):
    id: str
    model: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled", "expired"]
    created_at: Size
    updated_at: Size = 0
    ratio: str = ""
    task_type: Literal["generation", "regeneration", "h3_context_ir"]
    modality: str = ""
    error: TaskError = TaskError()
    content: Content = Content()


class ListedTask(_AnyTask):
    """A row of the list; tasks that make no clip have no size and no length."""

    resolution: str = ""
    duration: Size = 0
    usage: Usage = Usage()


class Task(_AnyTask):
    """The task that was asked for."""

    resolution: str
    duration: Size
    usage: Usage


class Status(Shape):
    """One task."""

    task: Task


class Page(Shape):
    """One page of the list."""

    items: list[ListedTask]
    total: Size


class Fault(Shape):
    """`http_code` is text."""

    type: Literal[
        "bad_request_error",
        "authorized_error",
        "insufficient_balance_error",
        "unprocessable_entity_error",
        "rate_limit_error",
        "server_error",
        "overloaded_error",
    ]
    message: str
    http_code: str


class Refused(Shape):
    """Under a true HTTP status."""

    type: Literal["error"]
    error: Fault
    request_id: str


_SHAPES: Mapping[Operation, type[BaseModel]] = {
    Operation.SUBMIT: Submitted,
    Operation.STATUS: Status,
    Operation.LIST: Page,
}


def expected(provider: Provider, exchange: Exchange, body: Mapping[str, object]) -> Expected:
    """Return what is documented for this reply."""
    del provider
    operation, request, reply = exchange.operation, exchange.request, exchange.reply
    error = fields(body.get("error"))
    refused = not reply.ok or body.get("type") == "error" or bool(error)
    if not refused:
        return Expected(
            shape=_SHAPES[operation],
            statuses=frozenset({200}),
            more=tuple(_more(operation, request, body)),
            headers=(TRACE,),
        )
    kind, own = _TYPES.get(reply.status, ("", tuple(_CODES)))
    told = _CODE.findall(str(error.get("message") or "")[-500:])
    more: list[Finding] = []
    if kind and error.get("type") in {name for name, _ in _TYPES.values()} - {kind}:
        more.append(Finding(Kind.OTHER_VALUE, "error.type", kind, told=error["type"]))
    http_code = error.get("http_code")
    if isinstance(http_code, str) and http_code != str(reply.status):
        more.append(Finding(Kind.OTHER_VALUE, "error.http_code", "the HTTP status", told=http_code))
    return Expected(
        shape=Refused,
        statuses=frozenset(_TYPES),
        refused=True,
        codes={"error.message": told[-1]} if told else {},
        documented=frozenset(own),
        elsewhere=_V1 | _CODES,
        more=tuple(more),
        headers=(TRACE,),
    )


def _more(operation: Operation, request: HttpRequest, body: Mapping[str, object]) -> list[Finding]:
    if operation is Operation.SUBMIT:
        none = nothing(body.get("task_id", "an id"))
        return [Finding(Kind.OTHER_VALUE, "task_id", "an id", none)] if none else []
    if operation is Operation.LIST:
        size = request.query.get("page_size", "")
        rows = len(items(body.get("items")))
        if size.isdecimal() and rows > int(size):
            return [Finding(Kind.OTHER_VALUE, "items", f"at most {size} rows", "more")]
        return []
    task, found = fields(body.get("task")), list[Finding]()
    told = task.get("id")
    if isinstance(told, str) and told != request.path.rpartition("/")[2]:
        found.append(Finding(Kind.OTHER_VALUE, "task.id", "the id asked for", "another"))
    if task.get("status") == "succeeded":
        if not fields(task.get("content")).get("url"):
            found.append(Finding(Kind.MISSING_FIELD, "task.content.url", "given with succeeded"))
        usage = task.get("usage")
        if isinstance(usage, dict):
            found += [
                Finding(Kind.MISSING_FIELD, f"task.usage.{name}", "given with succeeded")
                for name in _COUNTED
                if name not in usage
            ]
    return found


_QUERY = "/v2/query/video_generation"
FORMAT = Format(
    operations={
        ("POST", "/v2/video_generation"): Operation.SUBMIT,
        ("POST", "/v2/video_regeneration"): Operation.SUBMIT,
        ("GET", _QUERY): Operation.LIST,
    },
    with_id={_QUERY: Operation.STATUS},
    expected=expected,
)
