"""Which hosts a link may lead to."""

from __future__ import annotations

import ipaddress

import pytest

from hailuo_mcp.errors import Do, Step
from hailuo_mcp.transport.hosts import HostPolicy, RefusedLinkError

pytestmark = pytest.mark.anyio


def hosts(*addresses: str, **allowed) -> HostPolicy:
    async def resolve(host: str, port: int) -> list[str]:
        if not addresses:
            raise OSError("no such host")
        return list(addresses)

    return HostPolicy(
        resolve=resolve, **{name: frozenset(those) for name, those in allowed.items()}
    )


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
        "192.0.0.192",
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


SPECIAL = (
    # IANA IPv4 Special-Purpose Address Registry
    "0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 "
    "192.0.0.0/24 192.0.0.0/29 192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/31 192.0.2.0/24 "
    "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 "
    "198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 "
    # IANA IPv6 Special-Purpose Address Registry; ::ffff:0:0/96 and 64:ff9b::/96 stand for IPv4
    "::1/128 ::/128 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 "
    "2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 "
    "2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10 "
    # multicast, site-local, IPv4-compatible, IPv4-translated, never given out
    "224.0.0.0/4 ff00::/8 fec0::/10 ::/96 ::ffff:0:0:0/96 4000::/3 8000::/3 1000::/4 "
    # clouds' metadata and name servers
    "169.254.169.254/32 169.254.170.2/32 169.254.0.23/32 100.100.100.200/32 100.96.0.96/32 "
    "100.80.80.80/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::254/128 fd20:ce::254/128 "
    "fd00:c1::a9fe:a9fe/128"
)


@pytest.mark.parametrize("network", SPECIAL.split())
async def test_no_address_of_a_special_purpose_is_connected_to(network):
    block = ipaddress.ip_network(network)
    middle = block[block.num_addresses // 2]
    for address in {block[0], middle, block[-1]}:
        with pytest.raises(RefusedLinkError):
            await hosts(str(address)).check("https://innocent.example.com/x")


@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.0.0.192"])
@pytest.mark.parametrize(
    "form", ["::ffff:{}", "::{}", "::ffff:0:{}", "64:ff9b::{}", "64:ff9b:1::{}", "6to4", "teredo"]
)
async def test_an_ipv4_address_in_an_ipv6_one_opens_no_door(form, inner):
    number = int(ipaddress.IPv4Address(inner))
    address = {
        "6to4": ipaddress.IPv6Address((0x2002 << 112) | (number << 80) | 1),
        "teredo": ipaddress.IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF)),
    }.get(form, form.format(inner))
    with pytest.raises(RefusedLinkError):
        await hosts(str(address)).check("https://innocent.example.com/x")


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.254",
        "2001:200::1",
        "2400:cb00::1",
        "2620:0:2d0:200::7",
        "2a00:1450:4001::1",
        "::ffff:93.184.216.34",
        "64:ff9b::93.184.216.34",  # how a network without IPv4 reaches a host that has no IPv6
    ],
)
async def test_public_addresses_beside_the_special_ones_are_connected_to(address):
    target = await hosts(address).check("https://cdn.example.com/x")
    assert target.name == "cdn.example.com"


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost"])
async def test_odd_spellings_of_loopback_are_refused_by_what_they_resolve_to(spelling):
    with pytest.raises(RefusedLinkError):
        await HostPolicy().check(f"https://{spelling}/x")


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

    target = await HostPolicy(resolve=rebinding).check("https://rebind.example.com/x")
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
    assert caught.value.then == (Step(Do.SET, "HAILUO_ALLOWED_HOSTS_PRIVATE=198.18.0.0/15"),)
    allowed = hosts("198.18.0.7", private={"198.18.0.0/15"})
    assert (await allowed.check("https://cdn.example.com/x")).name == "cdn.example.com"


async def test_an_international_name_is_asked_for_in_its_ascii_form():
    target = await hosts("93.184.216.34").check("https://视频.example.com/x")
    assert target.name == "xn--cy2a840a.example.com"


async def test_a_refusal_never_repeats_the_link():
    with pytest.raises(RefusedLinkError) as caught:
        await hosts("10.0.0.1").check("https://cdn.example.com/x?Signature=s1gned")
    assert "s1gned" not in str(caught.value)
