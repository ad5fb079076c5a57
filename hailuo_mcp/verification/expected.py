"""Which operation a request is, and what is documented as its answer."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.dialect import HttpReply, HttpRequest, Provider
from hailuo_mcp.verification.facts import Exchange, Operation
from hailuo_mcp.verification.replies.parts import Expected

_V2 = "/v2/"
_V2_QUERY = "/v2/query/video_generation"
_MINIMAX = {
    ("POST", "/v1/video_generation"): Operation.SUBMIT,
    ("GET", "/v1/query/video_generation"): Operation.STATUS,
    ("GET", "/v1/files/retrieve"): Operation.FILE,
    ("GET", "/v1/files/retrieve_content"): Operation.LINK,
    ("POST", "/v1/video_template_generation"): Operation.TEMPLATE_SUBMIT,
    ("GET", "/v1/query/video_template_generation"): Operation.TEMPLATE_STATUS,
}
_MINIMAX_V2 = {
    ("POST", "/v2/video_generation"): Operation.SUBMIT,
    ("POST", "/v2/video_regeneration"): Operation.SUBMIT,
    ("GET", _V2_QUERY): Operation.LIST,
}
# The last part of these paths is an id.
_WITH_ID = {
    "minimax-v2": {_V2_QUERY: Operation.STATUS},
    "xcompute": {"/v1/tasks": Operation.STATUS},
    "compat": {"/v1/video_generation": Operation.STATUS, "/v1/files": Operation.FILE},
    "compat-v3": {"/v3/async/minimax-video-01": Operation.STATUS, "/v3/files": Operation.FILE},
}
_POSTS = {
    "xcompute": "/v1/videos/generations",
    "compat": "/v1/video_generation",
    "compat-v3": "/v3/async/minimax-video-01",
}


def speaks_v2(provider: Provider, request: HttpRequest) -> bool:
    """Whether a request is one to the provider's v2 API."""
    return provider.v2 and request.path.startswith(_V2)


def operation_of(provider: Provider, request: HttpRequest) -> Operation | None:
    """Return what a request asks for; None if it is nothing whose answer can be compared."""
    asked = (request.method, request.path)
    if provider.probe and asked == ("GET", provider.probe):
        return Operation.BALANCE
    dialect = "minimax-v2" if speaks_v2(provider, request) else provider.dialect
    if dialect == "minimax":
        return _MINIMAX.get(asked)
    if dialect == "minimax-v2" and asked in _MINIMAX_V2:
        return _MINIMAX_V2[asked]
    if asked == ("POST", _POSTS.get(dialect)):
        return Operation.SUBMIT
    folder, _, name = request.path.rpartition("/")
    if request.method != "GET" or not name:
        return None
    return _WITH_ID.get(dialect, {}).get(folder)


def id_in_path(provider: Provider, request: HttpRequest) -> str:
    """Return the id that is the last part of a path; empty if there is none."""
    dialect = "minimax-v2" if speaks_v2(provider, request) else provider.dialect
    folder, _, name = request.path.rpartition("/")
    return name if folder in _WITH_ID.get(dialect, {}) else ""


def expected(provider: Provider, exchange: Exchange, body: Mapping[str, object]) -> Expected | None:
    """Return what is documented for a reply with this body; None if nothing is."""
    request, reply, operation = exchange.request, exchange.reply, exchange.operation
    if operation_of(provider, request) is not operation:
        return None
    if speaks_v2(provider, request):
        return _v2(operation, request, reply, body)
    match provider.dialect:
        case "minimax":
            from hailuo_mcp.verification.replies import minimax

            relay = bool(provider.prefix)
            return minimax.expected(operation, request, reply, body, relay=relay)
        case "xcompute":
            from hailuo_mcp.verification.replies import xcompute

            return xcompute.expected(operation, request, reply, body)
        case "compat" | "compat-v3":
            from hailuo_mcp.verification.replies import compat

            return compat.expected(operation, reply, body)
        case _:
            return None


def _v2(
    operation: Operation, request: HttpRequest, reply: HttpReply, body: Mapping[str, object]
) -> Expected:
    from hailuo_mcp.verification.replies import minimax_v2

    return minimax_v2.expected(operation, request, reply, body)
