"""Through a proxy: what was never sent is certain, links stay guarded, and nobody sees a password."""

from __future__ import annotations

import logging
import random
import ssl
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from proxying import Host, Proxy, host, said, trusted

from hailuo_mcp import HailuoClient, VideoRequest
from hailuo_mcp.dialects.dialect import HttpRequest
from hailuo_mcp.domain.remote import Link
from hailuo_mcp.errors import (
    ConfigError,
    Do,
    DownloadError,
    InvalidRequestError,
    ProviderUnavailableError,
    Step,
    UnconfirmedSubmitError,
)
from hailuo_mcp.sandbox.options import SandboxOptions
from hailuo_mcp.sandbox.serve import serve_in_thread
from hailuo_mcp.transport.hosts import HostPolicy
from hailuo_mcp.transport.provider_api import Transport
from hailuo_mcp.transport.proxies import Proxies
from hailuo_mcp.wording.agent import error_text

pytestmark = pytest.mark.anyio

API = "https://api.provider.example"
BUY = HttpRequest(method="POST", path="/v1/video_generation", json={"model": "m"})
ASK = HttpRequest(method="GET", path="/v1/query")
PUBLIC = "93.184.216.34"
CLIP = bytes(range(256)) * 4000
KINDS = ("http", "socks5")
WORD = "s3cr/t p@ss"


NAMES = ("api.provider.example", "clips.example.com", "127.0.0.1")


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    return trusted(tmp_path, monkeypatch, *NAMES, "cdn.minimax.io", "video-product.cdn.minimax.io")


@pytest.fixture
def provider(tls: ssl.SSLContext) -> Iterator[Host]:
    with host(tls=tls) as there:
        yield there


def routed(there: Host, *places: str) -> dict[str, tuple[str, int]]:
    return dict.fromkeys(places or ("api.provider.example:443",), there.place)


def transport(
    proxy: str, *, base_url: str = API, no: str = "", seconds: float = 10.0, **guard
) -> Transport:
    proxies = Proxies(http=proxy, https=proxy, no=no)
    return Transport(
        base_url,
        lambda: "sk-key",
        HostPolicy(proxy_to=proxies.to, **guard),
        submit_timeout=seconds,
        read_timeout=seconds,
        rng=random.Random(1),
        sleep=_at_once,
    )


async def _at_once(_seconds: float) -> None:
    return


def resolving(*addresses: str):
    async def resolve(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError("no such name")
        return list(addresses)

    return resolve


# ── what is paid for ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("manner", ["open", "drip"])
@pytest.mark.parametrize("credentials", [None, ("mei", WORD)], ids=["open to all", "named"])
async def test_a_purchase_goes_through_a_proxy_once(kind, manner, credentials, provider):
    told = list[list[str]]()
    with Proxy(kind, routed(provider), credentials, manner).running() as proxy:
        line = transport(quoted(proxy))
        reply = await line.pay(BUY, leaving=lambda: told.append(list(proxy.asked)))
        await line.aclose()
    assert reply.status == 200
    assert [asked.line for asked in provider.asked] == ["POST /v1/video_generation HTTP/1.1"]
    assert provider.names == ["api.provider.example"]
    # It leaves when the way is open, not when the way is asked for.
    assert told == [["CONNECT api.provider.example:443"]] == [proxy.asked]
    assert "Proxy-Authorization" not in provider.asked[0].headers


def quoted(proxy: Proxy) -> str:
    return proxy.url.replace(WORD, "s3cr%2Ft%20p%40ss")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("manner", ["403", "502", "silent", "cut", "half", "nonsense", "hang up"])
async def test_a_proxy_that_opens_no_way_means_that_nothing_left(kind, manner, provider):
    told = list[None]()
    with Proxy(kind, routed(provider), None, manner).running() as proxy:
        line = transport(proxy.url, seconds=0.6)
        with pytest.raises(ProviderUnavailableError) as caught:
            await line.pay(BUY, leaving=lambda: told.append(None))
        await line.aclose()
    assert "the request was not sent. Nothing was charged." in error_text(caught.value)
    assert f"the proxy {proxy.url}" in str(caught.value)
    assert "blocked" not in str(caught.value) + caught.value.detail
    assert (told, provider.asked, proxy.connections) == ([], [], 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_is_not_there_means_that_nothing_left(kind):
    with Proxy(kind).running() as proxy:
        url = proxy.url
    line = transport(url)
    with pytest.raises(ProviderUnavailableError, match=r"cannot be reached.*was not sent"):
        await line.pay(BUY)
    await line.aclose()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "words"),
    [("", "asks for a user name and password"), ("mei:wrong-w0rd@", "does not accept the user")],
)
async def test_a_proxy_that_wants_other_credentials_means_that_nothing_left(
    kind, given, words, provider, caplog
):
    caplog.set_level(logging.DEBUG)
    with Proxy(kind, routed(provider), ("mei", WORD)).running() as proxy:
        url = f"{kind}://{given}127.0.0.1:{proxy.port}"
        line = transport(url)
        with pytest.raises(ProviderUnavailableError, match=words) as caught:
            await line.pay(BUY)
        await line.aclose()
    assert provider.asked == []
    told = f"{caught.value!r} {caught.value.detail} {Proxies(https=url)!r} {caplog.text}"
    assert "wrong-w0rd" not in told


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_cuts_after_the_request_has_left_is_unconfirmed(kind, tls):
    with Proxy(kind).running() as proxy:

        def cut(_request):
            proxy.cut()

        with host(cut, tls) as provider:
            proxy.routes = routed(provider)
            line = transport(proxy.url)
            with pytest.raises(UnconfirmedSubmitError, match="the connection broke"):
                await line.pay(BUY)
            await line.aclose()
    assert len(provider.asked) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_caller_who_goes_while_a_proxy_is_silent_has_sent_nothing(kind, provider):
    told = list[None]()
    with Proxy(kind, routed(provider), None, "silent").running() as proxy:
        line = transport(proxy.url, seconds=60)
        with anyio.move_on_after(0.3) as scope:
            await line.pay(BUY, leaving=lambda: told.append(None))
        await line.aclose()
    assert scope.cancelled_caught
    assert (told, provider.asked) == ([], [])


async def test_a_certificate_behind_a_proxy_is_checked_by_name(tls):
    with host(tls=tls) as other, Proxy(routes={"other.example:443": other.place}).running() as p:
        line = transport(p.url, base_url="https://other.example")
        with pytest.raises(ProviderUnavailableError, match="through the proxy"):
            await line.pay(BUY)
        await line.aclose()
    assert other.asked == []


async def test_plain_http_is_handed_to_an_http_proxy_and_sent_is_sent(tls):
    place = "relay.lan:8080"
    with host() as relay:
        with Proxy(routes={place: relay.place}, credentials=("mei", WORD)).running() as proxy:
            line = transport(quoted(proxy), base_url=f"http://{place}")
            assert (await line.pay(BUY)).status == 200
            await line.aclose()
        assert proxy.asked == [f"POST http://{place}/v1/video_generation"]
        assert len(relay.asked) == 1
        with Proxy(routes={place: relay.place}, manner="502").running() as proxy:
            line = transport(proxy.url, base_url=f"http://{place}")
            assert (await line.pay(BUY)).status == 502  # what it means is the dialect's to say
            await line.aclose()
        for manner in ("silent", "half", "nonsense"):
            with Proxy(routes={place: relay.place}, manner=manner).running() as proxy:
                line = transport(proxy.url, base_url=f"http://{place}", seconds=0.5)
                with pytest.raises(UnconfirmedSubmitError):
                    await line.pay(BUY)
                await line.aclose()
    line = transport(proxy.url, base_url=f"http://{place}")
    with pytest.raises(ProviderUnavailableError, match="was not sent"):
        await line.pay(BUY)
    await line.aclose()
    assert len(relay.asked) == 1


async def test_plain_http_goes_through_a_socks_proxy_too():
    with host() as relay, Proxy("socks5", {"relay.lan:80": relay.place}).running() as proxy:
        line = transport(proxy.url, base_url="http://relay.lan")
        assert (await line.pay(BUY)).status == 200
        await line.aclose()
    assert proxy.asked == ["CONNECT relay.lan:80"]


async def test_a_proxy_may_itself_be_reached_over_tls(provider, tls):
    with Proxy(routes=routed(provider), tls=tls).running() as proxy:
        line = transport(proxy.url)
        assert (await line.pay(BUY)).status == 200
        await line.aclose()


# ── what is read ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", KINDS)
async def test_reads_share_one_way_through_a_proxy(kind, provider):
    with Proxy(kind, routed(provider)).running() as proxy:
        line = transport(proxy.url)
        for _ in range(3):
            await line.read(ASK)
        await line.aclose()
    assert (proxy.connections, len(provider.asked)) == (1, 3)


async def test_a_read_that_a_proxy_refuses_says_what_to_check(provider):
    with Proxy(routes=routed(provider), manner="403").running() as proxy:
        line = transport(proxy.url)
        with pytest.raises(ProviderUnavailableError) as caught:
            await line.read(ASK)
        await line.aclose()
    assert "refused the connection (HTTP 403)." in str(caught.value)
    assert "check the proxy (HTTPS_PROXY)" in error_text(caught.value)
    assert proxy.connections == 3


# ── links ─────────────────────────────────────────────────────────────────────────────────────


async def taken(line: Transport, url: str) -> bytes:
    body = bytearray()
    try:
        async with line.links.open(Link(url=url)) as answer:
            await answer.stream_to(body.extend)
    finally:
        await line.aclose()
    return bytes(body)


@pytest.mark.parametrize("kind", [*KINDS, "https"])
@pytest.mark.parametrize(
    ("address", "asked"),
    [(PUBLIC, f"{PUBLIC}:443"), ("2606:2800:220:1::1", "[2606:2800:220:1::1]:443")],
)
async def test_a_proxy_is_asked_for_the_checked_address_and_the_host_for_its_name(
    kind, address, asked, tls
):
    shown = tls if kind == "https" else None
    with (
        host(said(CLIP), tls) as cdn,
        Proxy(
            "socks5" if kind == "socks5" else "http", {asked: cdn.place}, tls=shown
        ).running() as p,
    ):
        line = transport(p.url, resolve=resolving(address))
        assert await taken(line, "https://clips.example.com/c.mp4?Signature=x") == CLIP
        line = transport(p.url, resolve=resolving(address))
        url = "https://clips.example.com/p.png"
        assert await line.links.fetch(url, limit=2_000_000, seconds=5) == CLIP
        await line.aclose()
    assert p.asked == [f"CONNECT {asked}"] * 2
    own = [None] if shown else []  # the proxy's own handshake, with the same certificate
    assert cdn.names == [*own, "clips.example.com"] * 2
    assert {request.headers["Host"] for request in cdn.asked} == {"clips.example.com"}


async def test_a_link_to_another_name_than_the_certificates_is_not_read(tls):
    with host(said(CLIP), tls) as cdn, Proxy(routes={f"{PUBLIC}:443": cdn.place}).running() as p:
        line = transport(p.url, resolve=resolving(PUBLIC))
        with pytest.raises(DownloadError):
            await taken(line, "https://elsewhere.example.com/c")
    assert cdn.asked == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://[fd00:ec2::254]/x",
        "https://inside.example.com/x",
        "https://localhost/x",
    ],
)
async def test_a_proxy_is_never_asked_for_an_address_that_is_not_public(kind, url):
    with Proxy(kind).running() as proxy:
        line = transport(proxy.url, resolve=resolving("10.0.0.7"))
        with pytest.raises(DownloadError) as caught:
            await taken(line, url)
    assert (proxy.connections, caught.value.retry) == (0, False)


async def test_a_redirect_inwards_is_refused_behind_a_proxy_too(tls):
    onward = said(b"", 302, Location="http://169.254.169.254/latest/meta-data/")
    with host(onward, tls) as cdn, Proxy(routes={f"{PUBLIC}:443": cdn.place}).running() as proxy:
        line = transport(proxy.url, resolve=resolving(PUBLIC))
        with pytest.raises(DownloadError):
            await taken(line, "https://clips.example.com/c")
    assert proxy.asked == [f"CONNECT {PUBLIC}:443"]


async def test_without_name_lookup_a_proxy_is_asked_for_no_strangers_name():
    with Proxy().running() as proxy:
        line = transport(proxy.url, resolve=resolving(), known=("cdn.minimax.io",))
        with pytest.raises(InvalidRequestError, match="cannot be resolved") as refused:
            await line.links.fetch("https://evilcdn.minimax.io/p", limit=10, seconds=3)
        assert refused.value.then == (Step(Do.SET, "HAILUO_ALLOWED_HOSTS_PRIVATE"),)
        with pytest.raises(DownloadError) as caught:
            await taken(line, "https://clips.example.com/c")
    assert (proxy.connections, caught.value.retry) == (0, True)


@pytest.mark.parametrize(
    ("url", "addresses", "guard"),
    [
        ("http://video-product.cdn.minimax.io/c", (), {"known": ("cdn.minimax.io",)}),
        ("https://cdn.minimax.io/c", ("198.18.0.7",), {"known": ("cdn.minimax.io",)}),
        ("https://clips.example.com/c", (), {"private": frozenset({"clips.example.com"})}),
    ],
    ids=["the provider's", "the provider's, with a fake address", "the operator's"],
)
async def test_without_name_lookup_a_proxy_looks_up_the_names_that_are_vouched_for(
    url, addresses, guard, tls
):
    name = url.split("/")[2]
    with host(said(CLIP), tls) as cdn, Proxy(routes={f"{name}:443": cdn.place}).running() as proxy:
        line = transport(proxy.url, resolve=resolving(*addresses), **guard)
        assert await taken(line, url) == CLIP
    assert proxy.asked == [f"CONNECT {name}:443"]


async def test_a_private_host_that_the_operator_allows_is_reached_directly():
    with host(said(CLIP)) as nas, Proxy().running() as proxy:
        place = f"nas.lan:{nas.place[1]}"
        guard = {"private": frozenset({place}), "resolve": resolving("127.0.0.1")}
        assert await taken(transport(proxy.url, **guard), f"http://{place}/c") == CLIP
    assert proxy.connections == 0


async def test_a_link_at_the_provider_goes_the_providers_way(tls):
    with host(said(CLIP), tls) as there, Proxy(routes=routed(there)).running() as proxy:
        line = transport(proxy.url, own=frozenset({"api.provider.example:443"}))
        assert await taken(line, f"{API}/files/1") == CLIP
    assert proxy.asked == ["CONNECT api.provider.example:443"]


async def test_what_no_proxy_names_is_reached_directly(tls):
    with host(said(CLIP), tls) as cdn, Proxy().running() as proxy:
        line = transport(proxy.url, no=".example.com", resolve=resolving("127.0.0.1"))
        with pytest.raises(DownloadError):  # it is not public: no proxy is no leave to go there
            await taken(line, "https://clips.example.com/c")
        guard = {"private": frozenset({"clips.example.com"}), "resolve": resolving("127.0.0.1")}
        line = transport(proxy.url, no=".example.com", **guard)
        assert await taken(line, f"https://clips.example.com:{cdn.place[1]}/c") == CLIP
    assert proxy.connections == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("manner", ["403", "cut", "nonsense"])
async def test_a_clip_that_a_proxy_refuses_may_be_tried_again(kind, manner):
    with Proxy(kind, manner=manner).running() as proxy:
        line = transport(proxy.url, resolve=resolving(PUBLIC))
        with pytest.raises(DownloadError, match="not fetched: the proxy") as caught:
            await taken(line, "https://clips.example.com/c?Signature=s1gned")
        with pytest.raises(InvalidRequestError, match="the proxy "):
            await line.links.fetch("https://clips.example.com/p", limit=10, seconds=3)
        await line.aclose()
    assert caught.value.retry
    assert caught.value.charged == "yes"
    assert "s1gned" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_picture_behind_a_silent_proxy_is_given_up_in_time(kind):
    with Proxy(kind, manner="silent").running() as proxy:
        line = transport(proxy.url, resolve=resolving(PUBLIC))
        with anyio.fail_after(5), pytest.raises(InvalidRequestError):
            await line.links.fetch("https://clips.example.com/p", limit=10, seconds=0.3)
        await line.aclose()


# ── whose proxies ─────────────────────────────────────────────────────────────────────────────


async def test_the_client_uses_the_environments_proxies(monkeypatch):
    with Proxy(manner="403").running() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        async with HailuoClient("k", provider="minimax-global", sleep=_at_once) as client:
            with pytest.raises(ProviderUnavailableError):
                await client.query("1")
        assert set(proxy.asked) == {"CONNECT api.minimax.io:443"}


async def test_the_sandbox_never_goes_through_a_proxy(tmp_path, monkeypatch):
    with Proxy().running() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        options = SandboxOptions(state_dir=tmp_path, seconds_to_ready=0.0, fast_clips=True)
        with serve_in_thread(options) as box:
            async with HailuoClient("k", provider="sandbox", base_url=box.base_url) as client:
                bought = await client.submit(VideoRequest(prompt="a lighthouse"))
                saved = await client.download(bought.remote_id, tmp_path / "clip.mp4")
    assert saved.path.exists()
    assert proxy.connections == 0


async def test_a_proxy_that_cannot_be_used_is_refused_before_anything_leaves():
    secret = "http://mei:s3cret@"
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not the address") as caught:
        transport(secret)
    assert "s3cret" not in str(caught.value)


async def test_without_the_extra_a_socks_proxy_is_refused_with_its_name(monkeypatch):
    monkeypatch.setattr("hailuo_mcp.transport.proxies.find_spec", lambda _name: None)
    with pytest.raises(ConfigError) as caught:
        transport("socks5://127.0.0.1:7891")
    assert 'pip install "hailuo-mcp[socks]"' in error_text(caught.value)
