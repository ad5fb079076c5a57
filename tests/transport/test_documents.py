"""Documents of another service are read from allowed hosts only, whole, small and in time."""

from __future__ import annotations

import gzip

import anyio
import pytest

from hailuo_mcp.transport.documents import DocumentReader, UnreadDocumentError
from hailuo_mcp.transport.hosts import HostPolicy, place_of

pytestmark = pytest.mark.anyio


def reader(*trusted: str) -> DocumentReader:
    return DocumentReader(HostPolicy(private=frozenset(place_of(url) for url in trusted)))


async def read(one: DocumentReader, url: str, seconds: float = 5) -> bytes:
    try:
        return await one.read(url, seconds=seconds)
    finally:
        await one.aclose()


async def refusal(url: str, *trusted: str, seconds: float = 5) -> UnreadDocumentError:
    with pytest.raises(UnreadDocumentError) as refused:
        await read(reader(*trusted), url, seconds)
    return refused.value


async def test_a_document_is_read_without_a_key_or_a_cookie(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(b'{"keys": []}', extra="Set-Cookie: a=b\r\n")

    async with serve(behave) as server:
        assert await read(reader(server.url), server.url + "/jwks") == b'{"keys": []}'
    head = server.requests[0].lower()
    assert b"authorization" not in head
    assert b"cookie" not in head


async def test_a_redirect_is_not_followed(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer(status="302 Found", extra=f"Location: {visit.server.url}/x\r\n")

    async with serve(behave) as server:
        assert (await refusal(server.url + "/jwks", server.url)).status == 302
    assert len(server.requests) == 1


async def test_what_is_too_large_is_not_read_to_its_end(serve):
    async def announced(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")

    async def packed(visit):
        await visit.read()
        bomb = gzip.compress(b" " * 50_000_000)
        await visit.answer(bomb, extra="Content-Encoding: gzip\r\n")

    for behave in (announced, packed):
        async with serve(behave) as server:
            assert "larger than 256 KiB" in str(await refusal(server.url, server.url))


async def test_a_slow_host_is_left_in_time(serve):
    async def behave(visit):
        await visit.read()
        await visit.stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1")
        await anyio.sleep_forever()

    async with serve(behave) as server:
        with anyio.fail_after(5):
            slow = await refusal(server.url, server.url, seconds=0.1)
    assert (str(slow), slow.status) == ("its host did not answer in time", 0)


async def test_a_host_that_breaks_off_is_one_clause(serve):
    async def behave(visit):
        await visit.read()
        await visit.reset()

    async with serve(behave) as server:
        assert str(await refusal(server.url, server.url)) == "its host could not be reached"


async def test_only_the_hosts_that_were_named_may_be_private(serve):
    async def behave(visit):
        await visit.read()
        await visit.answer()

    async with serve(behave) as server:
        assert "points to this computer" in str(await refusal(server.url))
        assert "points to this computer" in str(await refusal(server.url, "http://127.0.0.1:1"))
    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/jwks", "http://login.example/x", "file:///etc", ""]
)
async def test_other_hosts_are_asked_only_over_tls(url):
    trusted = [url] if url.startswith("http") else []
    assert str(await refusal(url, *trusted)) == "its address is not https"


async def test_what_is_no_address_is_refused():
    for url in ("https://", "https://a b/", "https://[::1", "https://user:word@x.example/"):
        assert (await refusal(url)).status == 0
