"""The table of providers: one row each, with the dialect that it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.errors import ConfigError, Do, Step
from hailuo_mcp.loopback import is_loopback

DEFAULT_PROVIDER = "minimax-cn"
CLIP_DOMAINS = (
    "cdn.minimaxi.com",
    "cdn.minimax.io",
    "filecdn.minimax.chat",
    "cdn.hailuoai.com",
    "oss-cn-wulanchabu.aliyuncs.com",
    "oss-us-east-1.aliyuncs.com",
)
"""The domains that serve MiniMax's clips (facts 1.7). Only MiniMax and its object store assign
addresses to names in them, only public ones."""
_CAVEAT = (
    "Without a base URL, {0} goes to MiniMax's own host, which uses other names for pictures and "
    "options, ignores these, and may not find the clip afterwards. Give the base URL of a gateway "
    "that speaks {0}, or use minimax-cn."
)

_ROWS = (
    Provider(
        name="minimax-cn",
        dialect="minimax",
        base_url="https://api.minimaxi.com",
        region="cn",
        price_list="cn",
        minimax_env=True,
        templates="cn",
        v2=True,
        other_region="minimax-global",
        other_region_host="api.minimax.io",
        hosts=("api.minimaxi.com", "api.minimax.cn", "api.minimax.chat"),
        console="https://platform.minimaxi.com",
        probe="/v1/token_plan/remains",
        source="https://platform.minimaxi.com/docs (seed 001); facts 1.1; its v2 API: "
        "/docs/api-reference/video-generation-v2-create and -query, -list, -delete, -regeneration",
        checked="2026-11-20",
    ),
    Provider(
        name="minimax-global",
        dialect="minimax",
        base_url="https://api.minimax.io",
        region="global",
        price_list="global",
        minimax_env=True,
        templates="global",
        v2=True,
        other_region="minimax-cn",
        other_region_host="api.minimaxi.com",
        hosts=("api.minimax.io", "api.minimaxi.chat"),
        console="https://platform.minimax.io",
        probe="/v1/token_plan/remains",
        source="https://platform.minimax.io/docs/api-reference/video-generation-t2v; facts 1.1; "
        "its v2 API: video-generation-v2-create and -query, -list, -delete, -regeneration there",
        checked="2026-11-20",
    ),
    Provider(
        name="hingnet",
        dialect="minimax",
        base_url="https://models.hingnet.com.cn",
        prefix="/minimaxi",
        hosts=("models.hingnet.com.cn",),
        console="https://docs.hingnet.com.cn",
        source="https://docs.hingnet.com.cn/llms.txt (seed 003); facts 8",
        checked="2026-11-20",
    ),
    Provider(
        name="xcompute",
        dialect="xcompute",
        base_url="https://xcompute.us",
        region="global",
        hosts=("xcompute.us", "api.xcompute.us"),
        console="https://xcompute.us/keys",
        source="https://api.xcompute.us/llms.txt (seed 002); facts 7",
        checked="2026-11-20",
    ),
    # Opt-in: no host identifies it, since the document's own host is MiniMax's, whose other
    # documents say otherwise (C4).
    Provider(
        name="compat",
        dialect="compat",
        base_url="https://api.minimaxi.com",
        console="https://platform.minimaxi.com",
        caveat=_CAVEAT.format("compat"),
        source="seed 004",
        checked="2026-11-20",
    ),
    Provider(
        name="compat-v3",
        dialect="compat-v3",
        base_url="https://api.minimaxi.com",
        console="https://platform.minimaxi.com",
        caveat=_CAVEAT.format("compat-v3"),
        source="seed 004, legacy addresses",
        checked="2026-11-20",
    ),
    Provider(
        name="sandbox",
        dialect="minimax",
        base_url="",
        price_list="cn",
        templates="cn",
        v2=True,
        is_sandbox=True,
        usual_seconds=4.0,
        notice="SANDBOX: imitation, not a real generation.",
        source="this package",
        checked="2026-11-20",
    ),
)
PROVIDERS: Mapping[str, Provider] = MappingProxyType({row.name: row for row in _ROWS})

_TAILS = (
    "/v1/video_generation",
    "/v2/video_generation",
    "/v1/videos/generations",
    "/v3/async/minimax-video-01",
    "/v1",
    "/v2",
    "/v3",
)


def provider_named(name: str) -> Provider:
    """Return a row by its name, in any case."""
    wanted = name.strip().lower()
    if row := PROVIDERS.get(wanted):
        return row
    from difflib import get_close_matches

    near = get_close_matches(wanted, PROVIDERS, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise ConfigError(
        f"There is no such provider.{meant} The providers are {', '.join(PROVIDERS)}.",
        Step(Do.CHECK, "HAILUO_PROVIDER"),
    )


def provider_notice(name: str) -> str:
    """Return the notice for messages about this provider's tasks; empty if the row is gone."""
    row = PROVIDERS.get(name)
    return row.notice if row else ""


def failure_steps(name: str, code: str) -> tuple[Step, ...]:
    """Return the next steps for a failure, from the provider's code in the journal."""
    from hailuo_mcp.dialects.codes import MEANINGS
    from hailuo_mcp.dialects.refusals import explain

    row = PROVIDERS.get(name)
    known = next((it for it in (code, f"http_{code}") if it in MEANINGS), "")
    return explain(known, provider=row).then if row and known else ()


def provider_for(base_url: str) -> Provider | None:
    """Return the row that a base URL identifies by its host."""
    text = base_url.strip()
    try:
        host = urlsplit(text if "://" in text else f"https://{text}").hostname
    except ValueError:
        return None
    return next((row for row in _ROWS if host in row.hosts), None)


def with_base_url(provider: Provider, base_url: str) -> Provider:
    """Return the row with the base URL in use; a given one is assumed to speak the dialect."""
    return replace(provider, base_url=base_url, caveat="") if base_url else provider


def clean_base_url(
    provider: Provider, text: str, *, private_hosts: frozenset[str] = frozenset()
) -> str:
    """Return a base URL without the paths that people paste; empty means the provider's own."""
    url = text.strip()
    if not url:
        return provider.base_url
    if "://" not in url:
        near = is_loopback(url.partition("/")[0].partition(":")[0])
        url = f"{'http' if near else 'https'}://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    odd = parts.username is not None or parts.query or parts.fragment
    if not host or odd or not url.isprintable() or " " in url or "\\" in url:
        raise ConfigError(
            "The base URL is not an address such as https://api.minimaxi.com.",
            Step(Do.CHECK, "HAILUO_BASE_URL"),
        )
    known = {host, f"{host}:{port}"} & private_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and (known or is_loopback(host))):
        raise ConfigError(
            "The base URL does not begin with https://, so the key would be sent unencrypted. "
            "Only this computer and allowed private hosts may be reached by http://.",
            Step(Do.CHECK, "HAILUO_BASE_URL"),
            Step(Do.CHECK, "HAILUO_ALLOWED_HOSTS_PRIVATE"),
        )
    path = parts.path.rstrip("/")
    for tail in _TAILS:
        path = path.removesuffix(tail)
    # MiniMax's own hosts have no such path; elsewhere it is the person's, unless it is the row's.
    relay = "/minimaxi" if host in provider.hosts else provider.prefix
    path = path.removesuffix(relay).rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"
