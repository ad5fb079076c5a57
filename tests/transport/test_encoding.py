"""An answer that was packed is undone once and in small steps, whatever it would unpack to."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import httpx
import pytest

from hailuo_mcp.dialects.dialect import HttpRequest
from hailuo_mcp.errors import UnconfirmedSubmitError, UnexpectedResponseError
from hailuo_mcp.transport.encoding import EncodedError, pieces
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Transport

pytestmark = pytest.mark.anyio

PAID = HttpRequest(method="POST", path="/v1/video_generation", json={"model": "m"})
TEXT = b'{"task_id":"1"}'


def packed(body: bytes) -> bytes:
    """Without a time: workers must see the same tests."""
    return gzip.compress(body, mtime=0)


BOMB = gzip.compress(bytes(40_000_000), 1, mtime=0)
BAD = {
    "twice": ("gzip, gzip", packed(packed(TEXT))),
    "not asked for": ("br", TEXT),
    "nonsense": ("gzip", TEXT),
    "cut": ("gzip", packed(TEXT)[:-9]),
    "two members": ("gzip", packed(TEXT) * 2),
    "a bomb": ("gzip", BOMB),
}


def answering(coding: str, body: bytes) -> Transport:
    class Wire(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = httpx.Response(200, headers={"content-encoding": coding}, request=request)
            response.stream = httpx.ByteStream(body)
            return response

    return Transport("http://127.0.0.1:9", lambda: "k", HostPolicy(), wire=Wire())


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", packed(TEXT)),
        ("x-gzip", packed(TEXT)),
        ("Deflate", zlib.compress(TEXT)),
        ("gzip, identity", packed(TEXT)),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "deflate", "with identity"],
)
async def test_one_layer_is_undone(coding, body):
    line = answering(coding, body)
    assert (await line.pay(PAID)).body == (await line.read(HttpRequest(path="/"))).body == TEXT


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_unpacked_is_never_called_free(name):
    line = answering(*BAD[name])
    with pytest.raises(UnconfirmedSubmitError):
        await line.pay(PAID)
    with pytest.raises(UnexpectedResponseError):
        await line.read(HttpRequest(path="/"))


async def test_a_bomb_is_unpacked_in_small_steps():
    line = answering("gzip", BOMB)
    tracemalloc.start()
    try:
        with pytest.raises(UnconfirmedSubmitError):
            await line.pay(PAID)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
    finally:
        tracemalloc.stop()


async def test_no_body_is_not_a_damaged_one():
    response = httpx.Response(304, headers={"content-encoding": "gzip"})
    response.stream = httpx.ByteStream(b"")
    assert [it async for it in pieces(response)] == []
    response.headers["content-encoding"] = "zstd"
    with pytest.raises(EncodedError):
        [it async for it in pieces(response)]
