"""Links are followed to public hosts only, without the key, hop by hop."""

from __future__ import annotations

import gzip
import random

import anyio
import httpx
import pytest

from hailuo_mcp.domain.remote import Link
from hailuo_mcp.errors import DownloadError, InvalidRequestError
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.link_download import content_length
from hailuo_mcp.transport.provider_api import Transport

pytestmark = pytest.mark.anyio

CLIP = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 40


async def public(host: str, port: int) -> list[str]:
    del host, port
    return ["93.184.216.34"]


def transport(url: str, hosts: HostPolicy | None = None, *, wire=None) -> Transport:
    own = HostPolicy(own=frozenset({url.partition("://")[2]}), resolve=public)
    return Transport(url, lambda: "sk-secret", hosts or own, wire=wire, rng=random.Random(1))


async def unread():
    yield CLIP


async def take(line: Transport, link: Link, **place):
    try:
        async with line.links.open(link, **place) as answer:
            body = bytearray()
            await answer.stream_to(body.extend)
            return answer, bytes(body)
    finally:
        await line.aclose()


async def test_a_clip_streams_with_its_length_and_etag(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(CLIP, extra='ETag: "v1"\r\n')

    async with serve(behave) as raw:
        answer, got = await take(transport(raw.url), Link(url=f"{raw.url}/clip.mp4?Signature=x"))
    assert got == CLIP
    assert (answer.status, content_length(answer.headers)) == (200, len(CLIP))
    assert answer.headers["etag"] == '"v1"'
    assert b"authorization" not in raw.requests[0].lower()


async def test_a_resumed_clip_asks_for_the_rest_of_the_same_file(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(
            CLIP[100:],
            status="206 Partial",
            extra=f"Content-Range: bytes 100-{len(CLIP) - 1}/{len(CLIP)}\r\n",
        )

    async with serve(behave) as raw:
        line = transport(raw.url)
        answer, got = await take(line, Link(url=f"{raw.url}/c"), start=100, etag='"v1"')
    assert (answer.status, content_length(answer.headers)) == (206, len(CLIP) - 100)
    assert got == CLIP[100:]
    head = raw.requests[0].lower()
    assert b"range: bytes=100-" in head
    assert b'if-range: "v1"' in head


async def test_only_a_path_on_the_base_url_is_asked_for_with_the_key(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(CLIP)

    async with serve(behave) as raw:
        link = Link(url="/v1/files/retrieve_content?file_id=1", authorised=True)
        await take(transport(raw.url), link)
    assert b"GET /v1/files/retrieve_content?file_id=1 " in raw.requests[0]
    assert b"authorization: bearer sk-secret" in raw.requests[0].lower()


async def test_a_link_elsewhere_that_asks_for_the_key_is_refused(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(CLIP)

    async with serve(behave) as other:
        line = transport("http://127.0.0.1:9")
        with pytest.raises(DownloadError) as caught:
            await take(line, Link(url=f"{other.url}/c", authorised=True))
    assert other.requests == []
    assert not caught.value.retry


async def test_the_key_does_not_follow_a_redirect_to_another_host(serve):
    async def elsewhere(visit):
        await visit.read()
        await visit.answer(CLIP)

    async with serve(elsewhere) as other:

        async def behave(visit):
            await visit.read()
            await visit.answer(status="302 Found", extra=f"Location: {other.url}/real\r\n")

        async with serve(behave) as raw:
            hosts = HostPolicy(
                own=frozenset({f"127.0.0.1:{raw.port}"}),
                private=frozenset({f"127.0.0.1:{other.port}"}),
            )
            _, got = await take(transport(raw.url, hosts), Link(url="/c", authorised=True))
    assert got == CLIP
    assert b"authorization" in raw.requests[0].lower()
    assert b"authorization" not in other.requests[0].lower()


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "file:///etc/passwd",
        "//10.0.0.1/x",
        "https://[bad",
    ],
)
async def test_a_redirect_inwards_is_refused(serve, place):
    async def behave(visit):
        await visit.read()
        await visit.answer(status="302 Found", extra=f"Location: {place}\r\n")

    async with serve(behave) as raw:
        with pytest.raises(DownloadError) as caught:
            await take(transport(raw.url), Link(url=f"{raw.url}/c"))
    assert not caught.value.retry
    assert caught.value.charged == "yes"
    assert len(raw.requests) == 1


async def test_an_endless_chain_of_redirects_ends(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(status="302 Found", extra="Location: /again\r\n")

    async with serve(behave) as raw:
        with pytest.raises(DownloadError):
            await take(transport(raw.url), Link(url=f"{raw.url}/c"))
    assert len(raw.requests) == 6


async def test_a_cut_clip_is_an_error_that_may_be_tried_again(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    async with serve(behave) as raw:
        with pytest.raises(DownloadError) as caught:
            await take(transport(raw.url), Link(url=f"{raw.url}/c?Signature=s1gned"))
    assert caught.value.retry
    assert "s1gned" not in str(caught.value) + caught.value.detail


async def test_a_silent_name_server_is_no_reason_to_give_a_clip_up():
    async def silent(host: str, port: int) -> list[str]:
        raise OSError("no answer")

    line = transport("https://api.test", HostPolicy(resolve=silent))
    with pytest.raises(DownloadError) as caught:
        await take(line, Link(url="https://cdn.example.com/c"))
    assert caught.value.retry


async def test_an_expired_link_is_handed_on_with_its_status(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(b"<Error>AccessDenied</Error>", status="403 Forbidden")

    async with serve(behave) as raw:
        answer, _ = await take(transport(raw.url), Link(url=f"{raw.url}/c"))
    assert answer.status == 403


async def test_plain_http_of_a_stranger_becomes_https_at_the_checked_address():
    seen: list[httpx.Request] = []

    def deliver(request):
        seen.append(request)
        return httpx.Response(200, content=unread())

    line = transport("https://api.test", wire=httpx.MockTransport(deliver))
    await take(line, Link(url="http://cdn.example.com/a%20b.mp4?Expires=1&Signature=a%2Bb"))
    (request,) = seen
    assert str(request.url) == "https://93.184.216.34/a%20b.mp4?Expires=1&Signature=a%2Bb"
    assert request.headers["host"] == "cdn.example.com"
    assert request.extensions["sni_hostname"] == "cdn.example.com"
    assert "authorization" not in request.headers


async def test_the_next_address_is_tried_when_one_is_dead():
    async def two(host: str, port: int) -> list[str]:
        return ["2606:2800:220:1::1", "93.184.216.34"]

    def deliver(request):
        if ":" in request.url.host:
            raise httpx.ConnectError("no route", request=request)
        return httpx.Response(200, content=unread())

    line = transport("https://api.test", HostPolicy(resolve=two), wire=httpx.MockTransport(deliver))
    _, got = await take(line, Link(url="https://cdn.example.com/c"))
    assert got == CLIP


async def test_a_picture_is_read_whole(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(b"picture")

    async with serve(behave) as raw:
        line = transport(raw.url)
        assert await line.links.fetch(f"{raw.url}/p.png", limit=100, seconds=3) == b"picture"
        await line.aclose()
    assert b"authorization" not in raw.requests[0].lower()


@pytest.mark.parametrize("told", [True, False])
async def test_a_picture_beyond_its_limit_is_refused(serve, told):
    async def behave(visit):
        await visit.read()
        length = b"Content-Length: 5000\r\n" if told else b""
        await visit.stream.send(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 5000)

    async with serve(behave) as raw:
        line = transport(raw.url)
        with pytest.raises(InvalidRequestError, match="larger"):
            await line.links.fetch(f"{raw.url}/p.png", limit=1000, seconds=3)
        await line.aclose()


async def test_a_picture_that_takes_too_long_is_refused(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
        while True:
            await visit.stream.send(b"x")
            await anyio.sleep(0.05)

    async with serve(behave) as raw:
        line = transport(raw.url)
        with anyio.fail_after(5), pytest.raises(InvalidRequestError, match=r"0\.3 s"):
            await line.links.fetch(f"{raw.url}/p.png", limit=10_000, seconds=0.3)
        await line.aclose()


@pytest.mark.parametrize("status", ["404 No", "403 No", "500 Oops"])
async def test_a_picture_that_is_not_there_is_refused(serve, status):
    async def behave(visit):
        await visit.read()
        await visit.answer(b"no", status=status)

    async with serve(behave) as raw:
        line = transport(raw.url)
        with pytest.raises(InvalidRequestError, match=f"HTTP {status[:3]}"):
            await line.links.fetch(f"{raw.url}/p.png", limit=10_000, seconds=3)
        await line.aclose()


async def test_a_picture_inside_the_network_is_refused():
    line = transport("https://api.test", HostPolicy())
    with pytest.raises(InvalidRequestError, match="not public"):
        await line.links.fetch("https://192.168.1.1/p.png", limit=10_000, seconds=3)
    await line.aclose()


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"], ids=["head", "body"]
)
async def test_a_caller_who_goes_is_not_held_by_a_silent_host(serve, begun):
    """Neither while the answer is awaited nor in its middle."""
    scope = anyio.CancelScope()

    async def behave(visit):
        await visit.read()
        await visit.stream.send(begun)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await visit.read()

    async with serve(behave) as raw:
        line = transport(raw.url)
        with anyio.fail_after(5):
            with scope:
                async with line.links.open(Link(url=f"{raw.url}/c")) as answer:
                    await answer.stream_to(lambda _block: None)
            await line.aclose()
    assert scope.cancelled_caught


async def test_what_the_taker_raises_ends_the_reading_and_comes_back(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(bytes(3_000_000))

    def full(_block: bytearray) -> None:
        blocks.append(None)
        raise DiskError

    class DiskError(Exception):
        pass

    blocks: list[None] = []
    async with serve(behave) as raw:
        line = transport(raw.url)
        with pytest.raises(DiskError):
            async with line.links.open(Link(url=f"{raw.url}/c")) as answer:
                await answer.stream_to(full)
        await line.aclose()
    assert len(blocks) == 1


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_body_is_the_same_in_pieces_of_any_size(serve, coding):
    body = bytes(range(256)) * 4000
    sent = gzip.compress(body) if coding == "gzip" else body

    async def behave(visit):
        await visit.read()
        await visit.stream.send(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
            % coding.encode()
        )
        for start in range(0, len(sent), 7001):
            piece = sent[start : start + 7001]
            await visit.stream.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await visit.stream.send(b"0\r\n\r\n")

    async with serve(behave) as raw:
        _, got = await take(transport(raw.url), Link(url=f"{raw.url}/c"))
    assert got == body


@pytest.mark.parametrize(
    ("coding", "why"), [("br", "not asked for"), ("gzip", "too early"), ("deflate", "damaged")]
)
async def test_a_clip_that_cannot_be_unpacked_is_a_clear_error(serve, coding, why):
    async def behave(visit):
        await visit.read()
        sent = gzip.compress(b"0123")[:-6] if coding == "gzip" else b"0123"
        await visit.answer(sent, extra=f"Content-Encoding: {coding}\r\n")

    async with serve(behave) as raw:
        with pytest.raises(DownloadError, match=why):
            await take(transport(raw.url), Link(url=f"{raw.url}/c"))
        with pytest.raises(InvalidRequestError, match=why):
            await transport(raw.url).links.fetch(f"{raw.url}/p", limit=100, seconds=5)
