"""Whoever pays hears when the request leaves: cancelled before, nothing was sent."""

from __future__ import annotations

import socket

import httpx
import pytest

from hailuo_mcp.dialects.dialect import HttpRequest
from hailuo_mcp.errors import ProviderUnavailableError
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Transport

pytestmark = pytest.mark.anyio
BUY = HttpRequest(method="POST", path="/v1/video_generation", json={"model": "m"})


async def test_who_pays_is_told_before_the_first_byte_leaves(serve):
    told = list[str]()

    async def behave(visit):
        await visit.read()
        assert told == ["leaving"]
        await visit.answer(b"{}")

    async with serve(behave) as raw:
        line = Transport(raw.url, lambda: "k", HostPolicy())
        await line.pay(BUY, leaving=lambda: told.append("leaving"))
        await line.aclose()


async def test_who_pays_is_not_told_where_nothing_leaves():
    told = list[str]()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        line = Transport(f"http://127.0.0.1:{holder.getsockname()[1]}", lambda: "k", HostPolicy())
        with pytest.raises(ProviderUnavailableError):
            await line.pay(BUY, leaving=lambda: told.append("leaving"))
        await line.aclose()
    assert told == []


async def test_a_wire_without_a_trace_is_called_leaving_at_once():
    told = list[str]()

    def answer(_request):
        assert told
        return httpx.Response(200, json={})

    line = Transport(
        "https://api.minimaxi.com", lambda: "k", HostPolicy(), wire=httpx.MockTransport(answer)
    )
    await line.pay(BUY, leaving=lambda: told.append("leaving"))
    await line.aclose()
