"""Which operation a request is, and what is documented as its answer."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.verification.facts import Exchange, Operation
from hailuo_mcp.verification.replies.parts import Expected, Format

_V2 = "/v2/"


def speaks_v2(provider: Provider, request: HttpRequest) -> bool:
    """Whether a request is one to the provider's v2 API."""
    return provider.v2 and request.path.startswith(_V2)


def operation_of(provider: Provider, request: HttpRequest) -> Operation | None:
    """Return what a request asks for; None if it is nothing whose answer can be compared."""
    asked = (request.method, request.path)
    if provider.probe and asked == ("GET", provider.probe):
        return Operation.BALANCE
    known = _format_of(provider, request)
    if found := known.operations.get(asked):
        return found
    folder, _, name = request.path.rpartition("/")
    return known.with_id.get(folder) if request.method == "GET" and name else None


def id_in_path(provider: Provider, request: HttpRequest) -> str:
    """Return the id that is the last part of a path; empty if there is none."""
    folder, _, name = request.path.rpartition("/")
    return name if folder in _format_of(provider, request).with_id else ""


def expected(provider: Provider, exchange: Exchange, body: Mapping[str, object]) -> Expected | None:
    """Return what is documented for a reply with this body; None if nothing is."""
    if operation_of(provider, exchange.request) is not exchange.operation:
        return None
    return _format_of(provider, exchange.request).expected(provider, exchange, body)


def _format_of(provider: Provider, request: HttpRequest) -> Format:
    from hailuo_mcp.verification.replies.formats import FORMATS, V2

    return V2 if speaks_v2(provider, request) else FORMATS[provider.dialect]
