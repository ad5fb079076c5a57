"""The replies of seed 004. It documents no refusal, so a refusal is compared with nothing."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel

from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.verification.facts import Exchange, Kind, Operation
from hailuo_mcp.verification.replies.parts import (
    Expected,
    Finding,
    Format,
    Link,
    Shape,
    Size,
    nothing,
)

_REFUSALS = frozenset(
    int(it) for it in HTTPStatus if HTTPStatus.BAD_REQUEST <= it < HTTPStatus.INTERNAL_SERVER_ERROR
)


class Submitted(Shape):
    """Nothing but the id."""

    task_id: str


class Status(Shape):
    """The file comes with success, the error with failure."""

    status: Literal["pending", "processing", "succeeded", "failed"]
    file_id: str = ""
    error: str = ""


class File(Shape):
    """Flat, and the id is text."""

    download_url: Link
    file_id: str
    created_at: Size


_SHAPES: Mapping[Operation, type[BaseModel]] = {
    Operation.SUBMIT: Submitted,
    Operation.STATUS: Status,
    Operation.FILE: File,
}


def expected(provider: Provider, exchange: Exchange, body: Mapping[str, object]) -> Expected:
    """Return what is documented for this reply."""
    del provider
    operation, reply = exchange.operation, exchange.reply
    if not reply.ok:
        return Expected(shape=None, statuses=_REFUSALS, refused=True)
    more: list[Finding] = []
    given = {"succeeded": "file_id", "failed": "error"}.get(str(body.get("status")), "")
    none = nothing(body[given]) if given in body else ""
    if operation is Operation.STATUS and given and (none or given not in body):
        kind = Kind.OTHER_VALUE if none else Kind.MISSING_FIELD
        more.append(Finding(kind, given, f"given with {body['status']}", none))
    if operation is Operation.SUBMIT and (none := nothing(body.get("task_id", "an id"))):
        more.append(Finding(Kind.OTHER_VALUE, "task_id", "an id", none))
    return Expected(shape=_SHAPES[operation], statuses=frozenset({200}), more=tuple(more))


def _format(tasks: str, files: str) -> Format:
    return Format(
        operations={("POST", tasks): Operation.SUBMIT},
        with_id={tasks: Operation.STATUS, files: Operation.FILE},
        expected=expected,
    )


FORMAT = _format("/v1/video_generation", "/v1/files")
LEGACY = _format("/v3/async/minimax-video-01", "/v3/files")
