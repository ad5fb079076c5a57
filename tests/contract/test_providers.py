"""The table of providers: which row a setting means, and how long their links live."""

from __future__ import annotations

import pytest

from hailuo_mcp.dialects.dialect_of import dialect_of
from hailuo_mcp.dialects.link_expiry import expires_at
from hailuo_mcp.dialects.providers import (
    DEFAULT_PROVIDER,
    PROVIDERS,
    clean_base_url,
    provider_for,
    provider_named,
)
from hailuo_mcp.errors import ConfigError, Do, Step


def test_the_rows_are_those_of_the_contract():
    assert list(PROVIDERS) == [
        "minimax-cn",
        "minimax-global",
        "hingnet",
        "xcompute",
        "compat",
        "compat-v3",
        "sandbox",
    ]
    assert DEFAULT_PROVIDER == "minimax-cn"


@pytest.mark.parametrize("row", PROVIDERS.values(), ids=list(PROVIDERS))
def test_every_row_has_a_dialect_a_source_and_a_date(row):
    assert dialect_of(row).capabilities.modes
    assert row.source
    assert row.checked
    assert row.is_sandbox or (row.base_url.startswith("https://") and row.console)
    assert not row.other_region or PROVIDERS[row.other_region].other_region == row.name
    assert not row.other_region or PROVIDERS[row.other_region].host == row.other_region_host
    assert row.is_sandbox == row.notice.startswith("SANDBOX: ")


def test_names_are_found_in_any_case_and_a_wrong_one_lists_them_all():
    assert provider_named(" MiniMax-CN ").name == "minimax-cn"
    with pytest.raises(ConfigError) as caught:
        provider_named("openai")
    assert all(name in str(caught.value) for name in PROVIDERS)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.minimaxi.com/v1", "minimax-cn"),
        ("api.minimaxi.com", "minimax-cn"),
        ("https://api.minimax.cn", "minimax-cn"),
        ("https://api.minimax.chat", "minimax-cn"),
        ("https://API.minimax.io", "minimax-global"),
        ("https://api.minimaxi.chat", "minimax-global"),
        ("https://models.hingnet.com.cn/minimaxi/v1", "hingnet"),
        ("https://xcompute.us/v1", "xcompute"),
        ("https://gateway.example.com", None),
        ("", None),
        ("https://[", None),
    ],
)
def test_a_known_host_identifies_its_provider_and_never_an_opt_in_one(url, name):
    found = provider_for(url)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("name", "text", "clean"),
    [
        ("minimax-cn", "", "https://api.minimaxi.com"),
        ("minimax-cn", " https://api.minimaxi.com/ ", "https://api.minimaxi.com"),
        ("minimax-cn", "api.minimaxi.com", "https://api.minimaxi.com"),
        ("minimax-cn", "https://api.minimaxi.com/v1/", "https://api.minimaxi.com"),
        ("minimax-cn", "https://api.minimaxi.com/v1/video_generation", "https://api.minimaxi.com"),
        ("minimax-cn", "https://api.minimaxi.com/minimaxi/v1", "https://api.minimaxi.com"),
        ("minimax-cn", "https://relay.example.com/mm/v1", "https://relay.example.com/mm"),
        ("minimax-cn", "HTTPS://API.MiniMaxi.com", "https://api.minimaxi.com"),
        ("hingnet", "https://models.hingnet.com.cn/minimaxi/v1", "https://models.hingnet.com.cn"),
        ("hingnet", "models.hingnet.com.cn/minimaxi", "https://models.hingnet.com.cn"),
        ("hingnet", "https://models.kapon.cloud", "https://models.kapon.cloud"),
        ("xcompute", "https://xcompute.us/v1/videos/generations", "https://xcompute.us"),
        ("compat-v3", "https://g.example.com/v3/async/minimax-video-01", "https://g.example.com"),
        ("minimax-cn", "http://127.0.0.1:8000/v1", "http://127.0.0.1:8000"),
        ("minimax-cn", "localhost:8000", "http://localhost:8000"),
        ("minimax-cn", "http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_loses_the_tails_that_people_paste(name, text, clean):
    assert clean_base_url(PROVIDERS[name], text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "http://api.minimaxi.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "ftp://api.minimaxi.com",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@api.minimaxi.com",
        "https://api.minimaxi.com?x=1",
        "https://api.minimaxi.com#x",
        "https://api.mini maxi.com",
        "https://api.minimaxi.com:port",
        "https://[::1",
        "https://a\\b",
    ],
)
def test_a_base_url_that_would_betray_the_key_is_refused(text):
    with pytest.raises(ConfigError, match="The base URL") as caught:
        clean_base_url(PROVIDERS["minimax-cn"], text)
    assert Step(Do.CHECK, "HAILUO_BASE_URL") in caught.value.then


def test_an_operator_may_allow_plain_http_by_name():
    allowed = frozenset({"relay.lan:8080"})
    row = PROVIDERS["minimax-cn"]
    assert clean_base_url(row, "http://relay.lan:8080", private_hosts=allowed)
    with pytest.raises(ConfigError):
        clean_base_url(row, "http://relay.lan:9090", private_hosts=allowed)


@pytest.mark.parametrize(
    ("query", "moment"),
    [
        ("Expires=1760003600&OSSAccessKeyId=x&Signature=y", 1_760_003_600),
        ("expires=1760003600000", 1_760_003_600),
        ("X-Amz-Date=20251009T084000Z&X-Amz-Expires=3600", 1_760_002_800),
        ("x-oss-date=20251009T084000Z&x-oss-expires=60", 1_759_999_260),
        ("X-Goog-Date=20251009T084000Z&X-Goog-Expires=0", 1_759_999_200),
        ("q-sign-time=1760000000;1760000100", 1_760_000_100),
        ("se=2025-10-09T08%3A53%3A20Z&sig=x", 1_760_000_000),
        ("Expires=soon", 1_000 + 60),
        ("Expires=5", 1_000 + 60),
        ("X-Amz-Date=never&X-Amz-Expires=3600", 1_000 + 60),
        ("", 1_000 + 60),
    ],
)
def test_a_signed_link_says_itself_when_it_ends(query, moment):
    url = f"https://cdn.example.com/v.mp4?{query}"
    assert expires_at(url, life=60, received_at=1_000) == moment
