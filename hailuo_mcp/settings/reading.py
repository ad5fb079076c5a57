"""From the texts of variables to the values of settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hailuo_mcp.catalog.prices import plan_named, plans
from hailuo_mcp.dialects import providers
from hailuo_mcp.dialects.wire import Provider
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.loopback import is_loopback

_PROXIES = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy", "request_method"})
_FLAWS = {
    "decimal": "is not an amount such as 50 or 0.5, without currency or separators",
    "int": "is not a whole number",
    "float": "is not a number",
    "bool": "is neither true nor false",
}


def flaw(kind: str, message: str) -> str:
    """What is wrong with a value, without the value: it may be a key in the wrong place."""
    known = _FLAWS.get(kind.partition("_")[0]) if kind.endswith(("_parsing", "_type")) else None
    return known or message.lower().replace("input should", "should")


def given(environ: Mapping[str, str]) -> dict[str, str]:
    """What is really set: an empty value and an unsubstituted ${VAR} count as unset.

    Hosts start servers with both: a `${user_config.x}` left as it stands is elevenlabs-mcp#102.
    """
    return {
        name: text.strip()
        for name, text in environ.items()
        if name.startswith(("HAILUO_", "MINIMAX_")) and _is_set(text.strip())
    }


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """As they are: which of them counts is decided where the connections are made."""
    return {
        name: text
        for name, text in environ.items()
        if name.lower() in _PROXIES and _is_set(text.strip())
    }


def _is_set(text: str) -> bool:
    return bool(text) and not (text.startswith("${") and text.endswith("}"))


def provider(given: Mapping[str, str]) -> Provider:
    if name := given.get("HAILUO_PROVIDER"):
        return providers.provider_named(name)
    for variable in ("HAILUO_BASE_URL", "MINIMAX_API_HOST"):
        if found := providers.provider_for(given.get(variable, "")):
            return found
    return providers.PROVIDERS[providers.DEFAULT_PROVIDER]


def base_url(provider: Provider, given: Mapping[str, str]) -> str:
    text = given.get("HAILUO_BASE_URL")
    if not text and provider.minimax_env:
        text = given.get("MINIMAX_API_HOST")
    if (provider.embedded or provider.doubt) and not text:
        return ""  # its own, which is another thing than the same one given
    if provider.embedded and not is_loopback(urlsplit(text or "").hostname or ""):
        raise ConfigError(
            f"HAILUO_PROVIDER={provider.name} is free because it never leaves this computer, and "
            "HAILUO_BASE_URL points elsewhere. Nothing was sent or charged. Unset "
            "HAILUO_BASE_URL, or name the provider that it belongs to."
        )
    private = frozenset(words(given.get("HAILUO_ALLOWED_HOSTS_PRIVATE", "")))
    return providers.clean_base_url(provider, text or provider.base_url, private_hosts=private)


def api_key(provider: Provider, given: Mapping[str, str]) -> str | None:
    if provider.embedded:  # it takes any, also the words that an example has in its place
        return None
    return given.get("HAILUO_API_KEY") or (
        given.get("MINIMAX_API_KEY") if provider.minimax_env else None
    )


def plan(text: str) -> str:
    try:
        return plan_named(text).name
    except ValueError:
        names = ", ".join(f"{plan.name} ({plan.chinese})" for plan in plans())
        raise ConfigError(
            f"HAILUO_PLAN (or --plan) does not name a plan. Nothing was charged. It takes one of: "
            f"{names}."
        ) from None


def auto(text: str) -> str | None:
    return None if text.lower() == "auto" else text


def callback_url(given: Mapping[str, str]) -> str:
    url = given.get("HAILUO_CALLBACK_URL", "").rstrip("/")
    if url and not url.startswith(("https://", "http://")):
        raise ConfigError(
            "HAILUO_CALLBACK_URL is not an address that a provider could call. Nothing was charged."
            " Write for example https://video.example.com, or remove it."
        )
    return url


def words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.replace(";", ",").split(",") if word.strip()]


def tokens(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    names = [name.strip() for name, _, _ in pairs]
    tokens = [token.strip() for _, _, token in pairs]
    if not (all(names) and all(tokens)):
        raise ConfigError(
            "HAILUO_HTTP_TOKENS is not a list of name:token pairs separated by commas. "
            "Nothing was charged. Write for example alice:<a long random text>."
        )
    if len(set(names)) != len(names):
        raise ConfigError(
            "HAILUO_HTTP_TOKENS has the same name twice. Nothing was charged. "
            "Give each token a name of its own."
        )
    if len(set(tokens)) != len(tokens):
        raise ConfigError(
            "HAILUO_HTTP_TOKENS has the same token under two names, so that nobody could tell them "
            "apart. Nothing was charged. Make another token for one of them."
        )
    return tuple(zip(names, tokens, strict=True))


def folder(given: Mapping[str, str], variable: str) -> Path | None:
    text = given.get(variable)
    return _folder(variable, text) if text else None


def folders(given: Mapping[str, str], variable: str) -> tuple[Path, ...]:
    parts = (part.strip() for part in given.get(variable, "").split(os.pathsep))
    return tuple(_folder(variable, part) for part in parts if part)


def _folder(variable: str, text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_absolute():
        raise ConfigError(
            f"{variable} does not hold the whole path of a folder. Nothing was charged. "
            "Hosts start this server in folders of their own: write all of it (~ for home works)."
        )
    return path


def default_output() -> Path:
    from platformdirs import user_videos_path

    return user_videos_path() / "Hailuo"


def default_state() -> Path:
    from platformdirs import user_state_path

    return user_state_path("hailuo-mcp", appauthor=False)
