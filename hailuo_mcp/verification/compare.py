"""How a reply differs from what is documented."""

from __future__ import annotations

from hailuo_mcp.dialects.dialect import HttpRequest, Provider
from hailuo_mcp.verification.facts import Difference, Exchange, Operation


def compare(provider: Provider, exchange: Exchange) -> tuple[Difference, ...]:
    del provider, exchange
    return ()


def operation_of(provider: Provider, request: HttpRequest) -> Operation | None:
    del provider
    if request.method == "POST":
        return Operation.SUBMIT
    if "file" in request.path:
        return Operation.FILE
    return Operation.BALANCE if "remains" in request.path else Operation.STATUS
