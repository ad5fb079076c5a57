"""Whether the settings of the HTTP server are sound, where there are any."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from hailuo_mcp.cli.doctor.finding import Finding, note, ok, problem
from hailuo_mcp.settings import Settings

_SHORT = 20
"""Characters of a token below which it could be guessed."""


def check_http(settings: Settings) -> list[Finding]:
    findings = list[Finding]()
    if settings.callback_url:
        findings += _callback(settings.callback_url)
    short = [name for name, token in settings.http_tokens if len(token.get_secret_value()) < _SHORT]
    if short:
        findings.append(
            note(
                "http",
                f"Tokens that could be guessed: {', '.join(short)}.",
                f"Use at least {_SHORT} random characters in HAILUO_HTTP_TOKENS.",
            )
        )
    if settings.allowed_hosts and not settings.http_tokens:
        findings.append(
            note(
                "http",
                "HAILUO_ALLOWED_HOSTS is set without HAILUO_HTTP_TOKENS.",
                "Give each caller a token, or whoever reaches the server spends your money.",
            )
        )
    if findings or not (settings.http_tokens or settings.callback_url):
        return findings
    return [ok("http", f"{len(settings.http_tokens)} callers have tokens")]


def _callback(url: str) -> list[Finding]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        private = not ipaddress.ip_address(host).is_global
    except ValueError:
        private = host == "localhost" or host.endswith((".localhost", ".local")) or "." not in host
    if parts.scheme == "https" and not private:
        return []
    return [
        problem(
            "http",
            "HAILUO_CALLBACK_URL is not an address that the provider can reach.",
            "It has to be https:// and public; without it the provider is simply asked.",
        )
    ]
