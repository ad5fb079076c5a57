"""Which hosts a link may lead to."""

from __future__ import annotations

import pytest

from hailuo_mcp.transport import Hosts, RefusedLinkError

pytestmark = pytest.mark.anyio


def hosts(*addresses: str, **allowed) -> Hosts:
    async def resolve(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError("no such host")
        return list(addresses)

    return Hosts(resolve=resolve, **{name: frozenset(those) for name, those in allowed.items()})


async def test_a_public_link_is_pinned_to_its_address():
    target = await hosts("93.184.216.34").check("https://cdn.example.com:8443/a/b?c=d")
    assert target.urls == ("https://93.184.216.34:8443/a/b?c=d",)
    assert target.host == "cdn.example.com:8443"
    assert target.name == "cdn.example.com"


async def test_an_ipv6_address_is_bracketed():
    target = await hosts("2606:2800:220:1::1").check("https://cdn.example.com/x")
    assert target.urls == ("https://[2606:2800:220:1::1]:443/x",)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2001::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
    ],
)
async def test_an_address_that_is_not_public_is_refused(address):
    with pytest.raises(RefusedLinkError):
        await hosts(address).check("https://innocent.example.com/x")
    if "%" not in address:
        literal = f"[{address}]" if ":" in address else address
        with pytest.raises(RefusedLinkError):
            await hosts("93.184.216.34").check(f"https://{literal}/x")


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
async def test_odd_spellings_of_loopback_are_refused_by_what_they_resolve_to(spelling):
    with pytest.raises(RefusedLinkError):
        await Hosts().check(f"https://{spelling}/x")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "ftp://cdn.example.com/x",
        "file:///etc/passwd",
        "https:///x",
        "https://user@cdn.example.com/x",
        "https://user:pass@cdn.example.com/x",
        "https://cdn.example.com\\@127.0.0.1/x",
        "https://cdn.example.com /x",
        "https://cdn.example.com/\r\nHost: x",
        "https://cdn.example.com:99999/x",
        "https://cdn.example.com:abc/x",
        "https://[::1/x",
        "https://[fe80::1%25eth0]/x",
        "https://%31%32%37.0.0.1/x",
        "https://.../x",
        "https://cdn.example.com/" + "x" * 9000,
    ],
)
async def test_what_is_not_a_plain_link_is_refused(url):
    with pytest.raises(RefusedLinkError):
        await hosts("93.184.216.34").check(url)


async def test_only_public_answers_of_a_mixed_name_are_used():
    target = await hosts("127.0.0.1", "93.184.216.34").check("https://mixed.example.com/")
    assert target.urls == ("https://93.184.216.34:443/",)


async def test_the_name_is_resolved_once():
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    target = await Hosts(resolve=rebinding).check("https://rebind.example.com/x")
    assert target.urls == ("https://93.184.216.34:443/x",)
    assert len(asked) == 1


async def test_the_providers_own_host_may_be_on_this_computer_at_its_port_only():
    guard = hosts("127.0.0.1", own={"127.0.0.1:8000"})
    target = await guard.check("http://127.0.0.1:8000/clip.mp4")
    assert target.urls == ("http://127.0.0.1:8000/clip.mp4",)
    assert target.name == ""
    with pytest.raises(RefusedLinkError):
        await guard.check("http://127.0.0.1:5432/")


@pytest.mark.parametrize("entry", ["nas.local", "nas.local:9000", "10.0.0.0/8", "10.1.2.3"])
async def test_an_operator_may_allow_a_private_place(entry):
    target = await hosts("10.1.2.3", private={entry}).check("http://nas.local:9000/p.png")
    assert target.urls == ("http://10.1.2.3:9000/p.png",)
    with pytest.raises(RefusedLinkError):
        await hosts("10.1.2.3", private={"other.local"}).check("http://nas.local:9000/p.png")


async def test_http_of_a_stranger_becomes_https():
    target = await hosts("93.184.216.34").check("http://cdn.example.com/x")
    assert target.urls == ("https://93.184.216.34:443/x",)
    assert target.host == "cdn.example.com"


async def test_a_name_that_does_not_resolve_is_refused():
    with pytest.raises(RefusedLinkError, match="resolved") as caught:
        await hosts().check("https://nowhere.example.com/x")
    assert caught.value.passing


async def test_a_local_proxy_with_fake_addresses_is_explained():
    with pytest.raises(RefusedLinkError, match=r"198\.18\.0\.0/15") as caught:
        await hosts("198.18.0.7").check("https://cdn.example.com/x")
    assert "HAILUO_ALLOWED_HOSTS_PRIVATE" in str(caught.value)
    allowed = hosts("198.18.0.7", private={"198.18.0.0/15"})
    assert (await allowed.check("https://cdn.example.com/x")).name == "cdn.example.com"


async def test_an_international_name_is_asked_for_in_its_ascii_form():
    target = await hosts("93.184.216.34").check("https://视频.example.com/x")
    assert target.name == "xn--cy2a840a.example.com"


async def test_a_refusal_never_repeats_the_link():
    with pytest.raises(RefusedLinkError) as caught:
        await hosts("10.0.0.1").check("https://cdn.example.com/x?Signature=s1gned")
    assert "s1gned" not in str(caught.value)
