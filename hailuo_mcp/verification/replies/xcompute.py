"""xcompute's replies (seed 002), and what its sibling documents of the status (facts 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.parsing import fields, items
from hailuo_mcp.verification.facts import Exchange, Kind, Operation
from hailuo_mcp.verification.replies.parts import (
    Expected,
    Finding,
    Format,
    Links,
    Shape,
    Size,
    TextOrNumber,
    nothing,
)

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_required",
    429: "rate_limit_error",
    500: "server_error",
}
# facts 7: the sibling has these too, in the same shape.
_MORE_STATUSES = frozenset({403, 422, 502, 503})
_CREATE = frozenset(_TYPES)
# The id is in the path, so 404 is HTTP's own word for one that is unknown.
_READ = _CREATE | _MORE_STATUSES | {404}


class Row(Shape):
    """seed 002."""

    status: Literal["submitted"]
    task_id: str


class Submitted(Shape):
    """seed 002: a list of one."""

    code: Literal[200]
    data: list[Row] = Field(min_length=1)


class Fault(Shape):
    """seed 002."""

    code: int
    message: str
    type: Literal[
        "invalid_request_error",
        "authentication_error",
        "payment_required",
        "rate_limit_error",
        "server_error",
    ]


class Refused(Shape):
    """seed 002."""

    error: Fault


class Video(Shape):
    """facts 7: the link is a list, in older examples a text."""

    url: Links
    expires_at: Size = 0


class Result(Shape):
    """facts 7."""

    videos: list[Video] = Field(min_length=1)
    thumbnail_url: str = ""


class TaskFault(Shape):
    """facts 7."""

    code: TextOrNumber
    message: str
    type: str


class Flat(Shape):
    """facts 7: xcompute's own page shows `id`, `status` and `progress`, its sibling's the rest."""

    id: str
    status: Literal["pending", "processing", "completed", "failed", "cancelled"]
    progress: Size
    result: Result = Result.model_construct()
    created: Size = 0
    completed: Size = 0
    estimated_time: Size = 0
    actual_time: Size = 0
    cost: float = 0.0
    credits_cost: float = 0.0
    error: TaskFault = TaskFault.model_construct()


class Nested(Shape):
    """facts 7."""

    code: Literal[200]
    data: Flat


def expected(provider: Provider, exchange: Exchange, body: Mapping[str, object]) -> Expected:
    """Return what is documented for this reply."""
    del provider
    operation, request, reply = exchange.operation, exchange.request, exchange.reply
    error = fields(body.get("error"))
    creates = operation is Operation.SUBMIT
    if not reply.ok or (error and "status" not in body):
        kind, told = _TYPES.get(reply.status, ""), error.get("type")
        code, more = error.get("code"), list[Finding]()
        if kind and told in set(_TYPES.values()) - {kind}:
            more.append(Finding(Kind.OTHER_VALUE, "error.type", kind, told=told))
        if isinstance(code, int) and code != reply.status:
            more.append(Finding(Kind.OTHER_VALUE, "error.code", "the HTTP status", told=code))
        return Expected(
            shape=Refused,
            statuses=_CREATE if creates else _READ,
            refused=True,
            codes={"error.type": told} if isinstance(told, str) else {},
            documented=frozenset(_TYPES.values()),
            more=tuple(more),
        )
    ok = frozenset({200})
    if creates:
        rows = [fields(it) for it in items(body.get("data"))[:1]]
        none = next((nothing(it.get("task_id", "an id")) for it in rows), "")
        wrong = (Finding(Kind.OTHER_VALUE, "data.task_id", "an id", none),) if none else ()
        return Expected(shape=Submitted, statuses=ok, more=wrong)
    nested = "data" in body or "code" in body
    shape: type[BaseModel] = Nested if nested else Flat
    task = fields(body.get("data")) if nested else body
    return Expected(
        shape=shape,
        statuses=ok,
        more=tuple(_more(request, task, "data." if nested else "")),
    )


def _more(request: HttpRequest, task: Mapping[str, object], at: str) -> list[Finding]:
    found: list[Finding] = []
    told = task.get("id")
    if isinstance(told, str) and told != request.path.rpartition("/")[2]:
        found.append(Finding(Kind.OTHER_VALUE, f"{at}id", "the id asked for", "another"))
    # The flat example is of a completed task and has no result.
    if at and task.get("status") == "completed" and "result" not in task:
        found.append(Finding(Kind.MISSING_FIELD, f"{at}result", "given with completed"))
    if at and task.get("status") == "failed" and "error" not in task:
        found.append(Finding(Kind.MISSING_FIELD, f"{at}error", "given with failed"))
    return found


FORMAT = Format(
    operations={("POST", "/v1/videos/generations"): Operation.SUBMIT},
    with_id={"/v1/tasks": Operation.STATUS},
    expected=expected,
)
