"""A purchase is one HTTP request, sent once, and only certainty is called certain."""

from __future__ import annotations

import random
import socket

import anyio
import httpx
import pytest

from hailuo_mcp.dialects.dialect import HttpRequest
from hailuo_mcp.errors import (
    ConfigError,
    InvalidRequestError,
    ProviderUnavailableError,
    UnconfirmedSubmitError,
)
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Transport
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio

KEY = "sk-very-secret"
BUY = HttpRequest(method="POST", path="/v1/video_generation", json={"model": "m", "prompt": "猫"})


def transport(url: str, *, key: str = KEY, seconds: float = 5.0, wire=None) -> Transport:
    return Transport(
        url, lambda: key, HostPolicy(), submit_timeout=seconds, rng=random.Random(1), wire=wire
    )


async def refused(line: Transport, kind: type[Exception]) -> str:
    try:
        with pytest.raises(kind) as caught:
            await line.pay(BUY)
    finally:
        await line.aclose()
    text = error_text(caught.value)
    assert KEY not in text + repr(caught.value) + str(getattr(caught.value, "detail", ""))
    return text


async def test_the_answer_comes_back_whole_with_one_request(serve):
    async def behave(visit):
        while await visit.read():
            await visit.answer(b'{"task_id":"1"}', extra="Trace-Id: abc\r\n")

    async with serve(behave) as raw:
        line = transport(raw.url)
        reply = await line.pay(BUY)
        await line.aclose()
    assert (reply.status, reply.json(), reply.trace_id) == (200, {"task_id": "1"}, "abc")
    assert len(raw.requests) == 1
    head = raw.requests[0].decode()
    assert head.startswith("POST /v1/video_generation HTTP/1.1")
    assert f"authorization: bearer {KEY}" in head.lower()
    assert "connection: close" in head.lower()


async def test_every_purchase_has_a_connection_of_its_own(serve):
    async def behave(visit):
        while await visit.read():
            await visit.answer()

    async with serve(behave) as raw:
        line = transport(raw.url)
        for _ in range(3):
            await line.pay(BUY)
        await line.aclose()
    assert (raw.connections, len(raw.requests)) == (3, 3)


async def test_a_refused_connection_means_that_nothing_left():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    text = await refused(transport(f"http://127.0.0.1:{port}"), ProviderUnavailableError)
    assert "was not sent" in text
    assert "Nothing was charged" in text


async def test_an_unknown_host_means_that_nothing_left():
    await refused(transport("https://no-such-host.invalid"), ProviderUnavailableError)


async def test_a_failed_tls_handshake_means_that_nothing_left(serve):
    async def behave(visit):
        await visit.stream.receive()
        await visit.stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serve(behave) as raw:
        await refused(transport(f"https://127.0.0.1:{raw.port}"), ProviderUnavailableError)
    assert raw.requests == []


async def test_a_reset_during_the_tls_handshake_means_that_nothing_left(serve):
    async def behave(visit):
        await visit.stream.receive()
        await visit.reset()

    async with serve(behave) as raw:
        await refused(transport(f"https://127.0.0.1:{raw.port}"), ProviderUnavailableError)


async def test_a_hanging_tls_handshake_means_that_nothing_left(serve):
    async def behave(visit):
        await anyio.sleep_forever()

    async with serve(behave) as raw:
        line = transport(f"https://127.0.0.1:{raw.port}", seconds=0.3)
        await refused(line, ProviderUnavailableError)


async def test_a_reset_before_the_request_was_read_is_unconfirmed(serve):
    async def behave(visit):
        await visit.reset()

    async with serve(behave) as raw:
        text = await refused(transport(raw.url), UnconfirmedSubmitError)
    assert raw.connections == 1
    assert "Do not send it again" in text


async def test_a_reset_after_the_request_was_read_is_unconfirmed(serve):
    async def behave(visit):
        await visit.read()
        await visit.reset()

    async with serve(behave) as raw:
        await refused(transport(raw.url), UnconfirmedSubmitError)
    assert len(raw.requests) == 1


async def test_a_connection_closed_without_an_answer_is_unconfirmed_and_not_repeated(serve):
    async def behave(visit):
        await visit.read()

    async with serve(behave) as raw:
        await refused(transport(raw.url), UnconfirmedSubmitError)
    assert (raw.connections, len(raw.requests)) == (1, 1)


async def test_silence_is_unconfirmed(serve):
    async def behave(visit):
        await visit.read()
        await anyio.sleep_forever()

    async with serve(behave) as raw:
        text = await refused(transport(raw.url, seconds=0.3), UnconfirmedSubmitError)
    assert len(raw.requests) == 1
    assert "in time" in text


async def test_an_answer_that_drips_is_cut_off_as_a_whole(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await visit.stream.send(b"x")
            await anyio.sleep(0.05)

    async with serve(behave) as raw:
        with anyio.fail_after(5):
            await refused(transport(raw.url, seconds=0.4), UnconfirmedSubmitError)


async def test_half_a_body_is_unconfirmed(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"task')

    async with serve(behave) as raw:
        await refused(transport(raw.url), UnconfirmedSubmitError)
    assert len(raw.requests) == 1


async def test_nonsense_instead_of_http_is_unconfirmed(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"\x00\x01 hello\r\n\r\n")

    async with serve(behave) as raw:
        await refused(transport(raw.url), UnconfirmedSubmitError)
    assert len(raw.requests) == 1


async def test_an_endless_answer_is_unconfirmed(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await visit.stream.send(b"x" * 65536)

    async with serve(behave) as raw:
        await refused(transport(raw.url), UnconfirmedSubmitError)
    assert len(raw.requests) == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
async def test_no_redirect_is_followed(serve, status):
    async def behave(visit):
        await visit.read()
        await visit.answer(status=status, extra=f"Location: {visit.server.url}/again\r\n")

    async with serve(behave) as raw:
        line = transport(raw.url)
        reply = await line.pay(BUY)
        await line.aclose()
    assert reply.status == int(status[:3])
    assert len(raw.requests) == 1


@pytest.mark.parametrize("status", ["429 Slow", "500 Oops", "502 Bad", "503 Busy", "504 Late"])
async def test_no_status_is_tried_again(serve, status):
    async def behave(visit):
        await visit.read()
        await visit.answer(b"<html>", status=status, extra="Retry-After: 0\r\n")

    async with serve(behave) as raw:
        line = transport(raw.url)
        reply = await line.pay(BUY)
        await line.aclose()
    assert reply.status == int(status[:3])
    assert len(raw.requests) == 1


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel", "tab\tkey"])
async def test_a_key_that_no_header_can_carry_is_refused_before_anything_leaves(key):
    line = transport("http://127.0.0.1:9", key=key)
    with pytest.raises(ConfigError) as caught:
        await line.pay(BUY)
    assert not key or key not in str(caught.value)


async def test_half_a_character_is_refused_before_anything_leaves(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer()

    async with serve(behave) as raw:
        line = transport(raw.url)
        with pytest.raises(InvalidRequestError, match="unpaired surrogate"):
            await line.pay(HttpRequest(method="POST", path="/", json={"prompt": "\ud83d"}))
        await line.aclose()
    assert raw.connections == 0


async def test_a_fault_without_a_trace_is_never_called_certain():
    def lose(request):
        raise httpx.ReadTimeout("lost", request=request)

    await refused(
        transport("https://api.test", wire=httpx.MockTransport(lose)), UnconfirmedSubmitError
    )


async def test_logs_hold_neither_links_nor_keys(serve, caplog):
    async def behave(visit):
        while await visit.read():
            await visit.answer()

    caplog.set_level("INFO")
    async with serve(behave) as raw:
        line = transport(raw.url)
        await line.pay(BUY)
        await line.read(HttpRequest(method="GET", path="/v1/q", query={"Signature": "s1gned"}))
        await line.aclose()
    assert "s1gned" not in caplog.text
    assert KEY not in caplog.text
