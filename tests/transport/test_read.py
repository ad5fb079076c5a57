"""Reads are repeated with patience, capped and never endless."""

from __future__ import annotations

import random

import anyio
import pytest

from hailuo_mcp.dialects.dialect import HttpRequest
from hailuo_mcp.errors import ProviderUnavailableError, UnexpectedResponseError
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Transport
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio

ASK = HttpRequest(method="GET", path="/v1/query/video_generation", query={"task_id": "1/2&3"})


class Naps:
    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def transport(url: str, naps: Naps, *, seconds: float = 5.0) -> Transport:
    return Transport(
        url, lambda: "key", HostPolicy(), read_timeout=seconds, sleep=naps, rng=random.Random(1)
    )


async def read(line: Transport):
    try:
        return await line.read(ASK)
    finally:
        await line.aclose()


async def test_ids_are_encoded_into_the_query(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer()

    async with serve(behave) as raw:
        await read(transport(raw.url, Naps()))
    assert b"GET /v1/query/video_generation?task_id=1%2F2%263 HTTP/1.1" in raw.requests[0]


@pytest.mark.parametrize("status", ["502 Bad", "503 Busy", "504 Late"])
async def test_a_gateways_trouble_is_asked_again(serve, status):
    async def behave(visit):
        while await visit.read():
            again = len(visit.server.requests) == 1
            await visit.answer(b'{"ok":1}', status=status if again else "200 OK")

    naps = Naps()
    async with serve(behave) as raw:
        reply = await read(transport(raw.url, naps))
    assert (reply.status, len(raw.requests), len(naps.taken)) == (200, 2, 1)
    assert 0.4 < naps.taken[0] < 1.1


async def test_three_failures_are_the_end_and_the_last_answer_is_handed_on(serve):
    async def behave(visit):
        while await visit.read():
            await visit.answer(b'{"code":"provider_not_found"}', status="503 Busy")

    naps = Naps()
    async with serve(behave) as raw:
        reply = await read(transport(raw.url, naps))
    assert (reply.status, len(raw.requests)) == (503, 3)
    assert naps.taken[1] > naps.taken[0]


@pytest.mark.parametrize("status", ["400 No", "404 No", "429 Slow", "500 Oops"])
async def test_other_answers_are_not_asked_again(serve, status):
    async def behave(visit):
        while await visit.read():
            await visit.answer(status=status)

    async with serve(behave) as raw:
        reply = await read(transport(raw.url, Naps()))
    assert (reply.status, len(raw.requests)) == (int(status[:3]), 1)


async def test_a_broken_line_is_tried_three_times(serve):
    async def behave(visit):
        await visit.read()
        await visit.reset()

    async with serve(behave) as raw:
        with pytest.raises(ProviderUnavailableError) as caught:
            await read(transport(raw.url, Naps()))
    assert len(raw.requests) == 3
    assert "Nothing was charged" in error_text(caught.value)


async def test_silence_ends_after_the_timeout(serve):
    async def behave(visit):
        await visit.read()
        await anyio.sleep_forever()

    async with serve(behave) as raw:
        with anyio.fail_after(5), pytest.raises(ProviderUnavailableError):
            await read(transport(raw.url, Naps(), seconds=0.2))
    assert len(raw.requests) == 3


async def test_a_connection_that_the_server_closed_meanwhile_is_no_failure(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer()  # and closes, without having said so

    async with serve(behave) as raw:
        line = transport(raw.url, Naps())
        for _ in range(3):
            await line.read(ASK)
        await line.aclose()
    assert len(raw.requests) == 3


async def test_reads_share_a_connection(serve):
    async def behave(visit):
        while await visit.read():
            await visit.answer()

    async with serve(behave) as raw:
        line = transport(raw.url, Naps())
        for _ in range(3):
            await line.read(ASK)
        await line.aclose()
    assert (raw.connections, len(raw.requests)) == (1, 3)


async def test_an_endless_answer_is_cut_off(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await visit.stream.send(b"x" * 65536)

    async with serve(behave) as raw:
        with pytest.raises(UnexpectedResponseError):
            await read(transport(raw.url, Naps()))
    assert len(raw.requests) == 1


async def test_retry_after_is_honoured_up_to_five_seconds(serve):
    async def behave(visit):
        while await visit.read():
            wish = {1: "3", 2: "600"}.get(len(visit.server.requests))
            extra = f"Retry-After: {wish}\r\n" if wish else ""
            await visit.answer(status="503 Busy" if wish else "200 OK", extra=extra)

    naps = Naps()
    async with serve(behave) as raw:
        await read(transport(raw.url, naps))
    assert naps.taken == [3.0, 5.0]


async def test_cookies_are_not_kept(serve):
    async def behave(visit):
        while await visit.read():
            await visit.answer(extra="Set-Cookie: id=1; Path=/\r\n")

    async with serve(behave) as raw:
        line = transport(raw.url, Naps())
        await line.read(ASK)
        await line.read(ASK)
        await line.aclose()
    assert b"cookie" not in raw.requests[1].lower()
