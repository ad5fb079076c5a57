"""Which proxy leads where, from the variables that every client reads."""

from __future__ import annotations

import urllib.request

import pytest

from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings
from hailuo_mcp.transport.proxies import Proxies
from hailuo_mcp.wording.agent import error_text

API = "https://api.minimaxi.com"
CLASH = "http://127.0.0.1:7890"


def to(url: str = API, **environ: str) -> str | None:
    proxy = Proxies.from_env(environ).to(url)
    return str(proxy) if proxy else None


def test_without_variables_nothing_has_a_proxy():
    assert to() is None
    assert to("http://relay.lan") is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_each_variable_is_read_in_either_case(name):
    assert to(**{name: CLASH}) == CLASH


def test_lower_case_goes_first_and_the_schemes_own_before_all():
    assert to(HTTPS_PROXY="http://upper", https_proxy="http://lower:1") == "http://lower:1"
    assert to(HTTPS_PROXY=CLASH, ALL_PROXY="socks5://127.0.0.1:7891") == CLASH
    assert to("http://relay.lan", HTTPS_PROXY=CLASH) is None
    assert to("http://relay.lan", HTTP_PROXY=CLASH) == CLASH
    assert to(HTTP_PROXY=CLASH) is None


def test_a_request_header_of_a_cgi_script_is_no_proxy():
    url = "http://relay.lan"
    assert to(url, HTTP_PROXY=CLASH, REQUEST_METHOD="POST") is None
    assert to(url, http_proxy=CLASH, REQUEST_METHOD="POST") == CLASH


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("127.0.0.1:7890", "http://127.0.0.1:7890"),
        ("proxy.corp", "http://proxy.corp:80"),
        ("https://proxy.corp", "https://proxy.corp:443"),
        ("socks5://127.0.0.1:7891", "socks5://127.0.0.1:7891"),
        ("socks5h://127.0.0.1:7891", "socks5://127.0.0.1:7891"),
        ("socks://127.0.0.1:7891/", "socks5://127.0.0.1:7891"),
        ("socks5://gate", "socks5://gate:1080"),
        ("http://[::1]:7890", "http://[::1]:7890"),
        ("http://mei:s3cret@proxy.corp:8080", "http://proxy.corp:8080"),
    ],
)
def test_a_proxy_may_be_written_as_people_write_it(text, meant):
    assert to(HTTPS_PROXY=text) == meant


@pytest.mark.parametrize(
    "text",
    ["socks4://gate:1", "ftp://gate", "http://", "http://gate:port", "gate keeper", "http://[x"],
)
def test_what_is_no_proxy_is_refused_by_its_variables_name_alone(text):
    with pytest.raises(ConfigError, match=r"^ALL_PROXY is not the address of a proxy") as caught:
        to(all_proxy=text)
    assert "Nothing was sent or charged" in error_text(caught.value)
    assert text not in str(caught.value).replace("http://127", "")


def test_credentials_are_decoded_and_shown_nowhere():
    proxies = Proxies.from_env(
        {"HTTPS_PROXY": "http://m%40i:s3%3Acret@gate:1", "ALL_PROXY": "h:s3c@a"}
    )
    proxy = proxies.to(API)
    assert proxy.auth == ("m@i", "s3:cret")
    settings = Settings.from_env({"HTTPS_PROXY": "http://mei:s3cret@gate:1"})
    assert "s3c" not in f"{proxies!r} {proxies} {proxy!r} {proxy} {settings!r} {settings}"


@pytest.mark.parametrize(
    ("no", "host", "direct"),
    [
        ("*", "api.minimaxi.com", True),
        ("a.example, *", "api.minimaxi.com", True),
        ("minimaxi.com", "api.minimaxi.com", True),
        ("minimaxi.com", "minimaxi.com", True),
        (".minimaxi.com", "api.minimaxi.com", True),
        ("*.minimaxi.com", "api.minimaxi.com", True),
        ("MiniMaxi.COM", "api.minimaxi.com", True),
        ("minimaxi.com", "notminimaxi.com", False),
        ("api.minimaxi.com:443", "api.minimaxi.com", True),
        ("api.minimaxi.com:8443", "api.minimaxi.com", False),
        ("api.minimaxi.com:8443", "api.minimaxi.com:8443", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", False),
        ("fd00::/8", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("", "api.minimaxi.com", False),
        (" , ,", "api.minimaxi.com", False),
        (".", "api.minimaxi.com", False),
    ],
)
def test_no_proxy_names_hosts_as_curl_reads_it(no, host, direct):
    assert (to(f"https://{host}/v1", HTTPS_PROXY=CLASH, NO_PROXY=no) is None) is direct


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8700", "localhost", "[::1]:1", "box.localhost", "127.9.9.9"]
)
def test_this_computer_is_always_reached_directly(host):
    assert to(f"http://{host}", ALL_PROXY=CLASH, HTTP_PROXY=CLASH) is None


@pytest.mark.parametrize("text", ["", "  ", "${HTTPS_PROXY}", "${env:HTTPS_PROXY}"])
def test_empty_values_and_placeholders_are_no_proxy_in_the_settings(text):
    settings = Settings.from_env({"https_proxy": text, "ALL_PROXY": CLASH})
    assert to(**settings.proxy_variables) == CLASH


@pytest.mark.parametrize(
    ("platform", "reader", "exceptions"),
    [
        ("darwin", "getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
        ("win32", "getproxies_registry", "proxy_bypass_registry"),
    ],
)
def test_what_the_system_keeps_counts_where_no_variable_is_set(
    platform, reader, exceptions, monkeypatch
):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr(urllib.request, reader, lambda: {"https": CLASH}, raising=False)
    monkeypatch.setattr(
        urllib.request, exceptions, lambda host: host.endswith(".corp"), raising=False
    )
    assert to() == CLASH
    assert Proxies.from_env({}).to(API).source == "the system's settings"
    assert to("https://wiki.corp") is None
    assert to(ALL_PROXY="http://gate:1") == "http://gate:1"
    assert Proxies().to(API) is None
