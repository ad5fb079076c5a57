"""What a client is told that comes without the right token (RFC 6750, RFC 9728)."""

from __future__ import annotations

from collections.abc import Sequence

READ = "hailuo:read"
"""The scope for everything that spends nothing."""
BUY = "hailuo:buy"
"""The scope for the tools that spend, beside READ."""
SCOPES = (READ, BUY)
METADATA = "/.well-known/oauth-protected-resource"
"""Where the metadata of the whole server is; that of an endpoint is below it."""
ENDPOINTS = ("/mcp", "/sse")
"""What clients connect to, each a resource of its own for OAuth."""


def endpoint_of(path: str) -> str:
    """The endpoint that a path belongs to; empty for what is none, such as /ready."""
    if path.startswith("/messages"):  # where the clients of /sse send to
        return "/sse"
    return next((end for end in ENDPOINTS if path == end or path.startswith(f"{end}/")), "")


def challenge(
    base_url: str, path: str, *, scopes: Sequence[str] = (), error: str = "", about: str = ""
) -> str:
    """WWW-Authenticate where tokens of an issuer are accepted: where to get one, and which.

    `about` is our own plain text, without quotes.
    """
    facts = {
        "realm": "hailuo-mcp",
        "error": error,
        "error_description": about,
        "scope": " ".join(scopes),
        "resource_metadata": f"{base_url}{METADATA}{endpoint_of(path)}",
    }
    return "Bearer " + ", ".join(f'{name}="{text}"' for name, text in facts.items() if text)
