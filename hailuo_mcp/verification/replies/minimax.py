"""MiniMax's v1 replies (facts 1.5 to 1.8, 6.1), and those of the relays that copy it (facts 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel

from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.dialects.parsing import base_code, fields, number
from hailuo_mcp.verification.facts import Exchange, Kind, Operation
from hailuo_mcp.verification.replies.parts import (
    Expected,
    Finding,
    Format,
    Link,
    OpenShape,
    Shape,
    Size,
    nothing,
)

# facts 1.8: the general table, without what is only about speech.
_VIDEO = frozenset(
    {"0", "1000", "1001", "1002", "1004", "1008", "1024", "1026", "1027", "1033"}
    | {"1039", "1041", "1042", "2013", "2045", "2049", "2056"}
)
_FILES_ONLY = frozenset({"1013"})
_SPEECH = frozenset({"1043", "1044", "2037", "2038", "2039", "2042", "2048", "20132"})
# facts 8. The page of seed 003 shows no error; these are the family's.
_RELAY = frozenset(
    {
        "invalid_request",
        "upstream_not_found_or_no_permission",
        "task_query_failed",
        "download_url_missing",
        "download_failed",
        "submit_failed",
        "provider_not_found",
    }
)
_RELAY_STATUSES = frozenset({400, 404, 500, 502, 503})
_OK = frozenset({200})
_MODERATED = ("1026", "1027")
TRACE = "trace-id"


class BaseResp(Shape):
    """How a call went (facts 1.5)."""

    status_code: int
    status_msg: str


class Submitted(Shape):
    """facts 1.5; 6.1 for templates."""

    task_id: str
    base_resp: BaseResp


class RelaySubmitted(Submitted):
    """seed 003."""

    platform_id: str


class Refused(Shape):
    """facts 1.5: the task id is empty or absent."""

    task_id: str = ""
    base_resp: BaseResp


_Word = Literal["Preparing", "Queueing", "Processing", "Success", "Fail"]


class _AnyStatus(Shape):
    file_id: str = ""
    video_width: Size = 0
    video_height: Size = 0
    base_resp: BaseResp


class Status(_AnyStatus):
    """facts 1.6; `file_id` and the size come with success."""

    task_id: str
    status: _Word


class RefusedStatus(_AnyStatus):
    """facts 1.6: a query always answers with its id and a status, a refused one too or not."""

    task_id: str = ""
    status: _Word = "Fail"


class RelayStatus(_AnyStatus):
    """facts 8: its page lists `Failed`; MiniMax's own words are passed on."""

    task_id: str
    status: Literal["Preparing", "Queueing", "Processing", "Success", "Fail", "Failed"]


class TemplateStatus(Shape):
    """facts 6.1: no `Queueing`, no file, no size."""

    task_id: str
    status: Literal["Preparing", "Processing", "Success", "Fail"]
    video_url: Link = ""
    base_resp: BaseResp


class RefusedTemplateStatus(Shape):
    """As for other queries."""

    task_id: str = ""
    status: Literal["Preparing", "Processing", "Success", "Fail"] = "Fail"
    video_url: Link = ""
    base_resp: BaseResp


class FileInfo(Shape):
    """facts 1.7: here the id is a number."""

    file_id: Size
    bytes: Size
    created_at: Size
    filename: str
    purpose: str
    download_url: Link


class File(Shape):
    """facts 1.7."""

    file: FileInfo
    base_resp: BaseResp


class Remains(OpenShape):
    """facts 1.2: of this answer only `base_resp` is documented, so nothing else is compared."""

    base_resp: BaseResp


class RelayRefused(Shape):
    """facts 8: the relay's own errors."""

    code: str
    message: str


_SHAPES: Mapping[Operation, type[BaseModel]] = {
    Operation.BALANCE: Remains,
    Operation.SUBMIT: Submitted,
    Operation.TEMPLATE_SUBMIT: Submitted,
    Operation.STATUS: Status,
    Operation.TEMPLATE_STATUS: TemplateStatus,
    Operation.FILE: File,
}
_REFUSED: Mapping[Operation, type[BaseModel]] = {
    Operation.STATUS: RefusedStatus,
    Operation.TEMPLATE_STATUS: RefusedTemplateStatus,
}
_AT_RELAYS: Mapping[Operation, type[BaseModel]] = {
    Operation.SUBMIT: RelaySubmitted,
    Operation.STATUS: RelayStatus,
}
_QUERIES = (Operation.STATUS, Operation.TEMPLATE_STATUS)


def expected(provider: Provider, exchange: Exchange, body: Mapping[str, object]) -> Expected:
    """Return what is documented for this reply; relays have a prefix."""
    operation, request, reply = exchange.operation, exchange.request, exchange.reply
    relay = bool(provider.prefix)
    if relay and (not reply.ok or ("code" in body and "base_resp" not in body)):
        return Expected(
            shape=RelayRefused,
            statuses=_RELAY_STATUSES,
            refused=True,
            codes={"code": str(body["code"])} if isinstance(body.get("code"), str) else {},
            documented=_RELAY,
        )
    code = base_code(body)
    refused = bool(code) and not (code in _MODERATED and "status" in body)
    # Another HTTP status comes from the edge; what it writes is documented nowhere (facts 1.8).
    edge = not reply.ok and "base_resp" not in body
    granted = {**_SHAPES, **_AT_RELAYS} if relay else _SHAPES
    shape = _REFUSED.get(operation, Refused) if refused else granted[operation]
    told = number(fields(body.get("base_resp")).get("status_code"))
    files = operation is Operation.FILE
    return Expected(
        shape=None if edge else shape,
        statuses=_OK,
        refused=refused or not reply.ok,
        codes={} if told is None else {"base_resp.status_code": str(told)},
        documented=_VIDEO | _FILES_ONLY if files else _VIDEO,
        elsewhere=_SPEECH if files else _SPEECH | _FILES_ONLY,
        more=tuple(_more(operation, request, body, refused=refused, relay=relay)),
        headers=() if relay else (TRACE,),
    )


def _more(
    operation: Operation,
    request: HttpRequest,
    body: Mapping[str, object],
    *,
    refused: bool,
    relay: bool,
) -> list[Finding]:
    found: list[Finding] = []
    if operation in (Operation.SUBMIT, Operation.TEMPLATE_SUBMIT) and "task_id" in body:
        none = nothing(body["task_id"])
        if refused and not none:
            found.append(Finding(Kind.OTHER_VALUE, "task_id", "empty beside a refusal", "an id"))
        elif none and not refused:
            found.append(Finding(Kind.OTHER_VALUE, "task_id", "an id", none))
    if operation in _QUERIES and not (refused and not body.get("task_id")):
        # A relay may be asked by its own id and answer with MiniMax's.
        asked, told = request.query.get("task_id"), body.get("task_id")
        if not relay and isinstance(told, str) and told != asked:
            found.append(Finding(Kind.OTHER_VALUE, "task_id", "the id asked for", "another"))
        name = "file_id" if operation is Operation.STATUS else "video_url"
        if body.get("status") == "Success" and not refused:
            none = nothing(body[name]) if name in body else ""
            if none or name not in body:
                kind = Kind.OTHER_VALUE if none else Kind.MISSING_FIELD
                found.append(Finding(kind, name, "given with Success", none))
    if operation is Operation.FILE and not refused:
        found += _of_file(request, fields(body.get("file")))
    return found


def _of_file(request: HttpRequest, file: Mapping[str, object]) -> list[Finding]:
    found: list[Finding] = []
    told = file.get("file_id")
    if isinstance(told, int) and str(told) != request.query.get("file_id"):
        found.append(Finding(Kind.OTHER_VALUE, "file.file_id", "the id asked for", "another"))
    if file.get("download_url") == "":
        found.append(Finding(Kind.OTHER_VALUE, "file.download_url", "a link", "empty"))
    return found


FORMAT = Format(
    operations={
        ("POST", "/v1/video_generation"): Operation.SUBMIT,
        ("GET", "/v1/query/video_generation"): Operation.STATUS,
        ("GET", "/v1/files/retrieve"): Operation.FILE,
        ("GET", "/v1/files/retrieve_content"): Operation.LINK,
        ("POST", "/v1/video_template_generation"): Operation.TEMPLATE_SUBMIT,
        ("GET", "/v1/query/video_template_generation"): Operation.TEMPLATE_STATUS,
    },
    expected=expected,
)
