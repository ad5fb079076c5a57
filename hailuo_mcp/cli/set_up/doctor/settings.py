"""Whether the settings are sound, and whether their folders can be used."""

from __future__ import annotations

import difflib
import ipaddress
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from hailuo_mcp.cli.set_up.doctor.result import Result, note, of_error, ok, problem
from hailuo_mcp.cli.set_up.key_check import is_placeholder
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings import Settings, nearest_variable
from hailuo_mcp.settings.config_file import Configuration
from hailuo_mcp.settings.table import NO_FILE, variables
from hailuo_mcp.text import shown, system_reason

_FREE = frozenset(row.name for row in PROVIDERS.values() if row.is_sandbox)
_PREFIX = "HAILUO_"
_FALLBACKS = ("MINIMAX_API_KEY", "MINIMAX_API_HOST")
_TIGHT, _FULL = 1_000_000_000, 100_000_000
"""Bytes; a clip takes 2 to 30 MB."""
_SHORT = 20
"""Characters of a token below which it could be guessed."""


def known_variables() -> tuple[str, ...]:
    return tuple(variables().values())


def check_settings(
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
    configuration: Configuration = NO_FILE,
) -> tuple[Settings | None, list[Result]]:
    """The settings, if they can be used at all, and what is wrong with the variables."""
    chosen = overrides.get("provider")
    given = {**environ, "HAILUO_PROVIDER": str(chosen)} if chosen else environ
    results = list(check_variables(given))
    known = known_variables()
    environ = {name: text for name, text in environ.items() if not _nearest(name, known)}
    try:
        settings = Settings.from_env(environ, configuration, **overrides)
    except ConfigError as exc:
        return None, [*results, of_error("settings", exc, "Correct it, then run this again.")]
    summary = f"provider {settings.provider}, plan {settings.plan}"
    if settings.budget is not None:
        period = {"total": "in all"}.get(settings.budget_period, f"a {settings.budget_period}")
        summary += f", budget {settings.budget.normalize():f} {period}"
    return settings, [*results, ok("settings", summary), *_budget(settings)]


def _budget(settings: Settings) -> Iterator[Result]:
    provider = PROVIDERS[settings.provider]
    if settings.budget is None and not provider.is_sandbox:
        yield note(
            "budget",
            "Nothing limits what may be spent.",
            "Set HAILUO_BUDGET, for example 50, and HAILUO_BUDGET_PERIOD (day, month, total).",
        )
    if settings.budget is not None and not provider.price_list and settings.unpriced_cost is None:
        yield problem(
            "budget",
            f"{provider.name} publishes no prices, so the budget refuses every clip.",
            "Set HAILUO_UNPRICED_COST to the amount that each clip counts as.",
        )


def check_variables(environ: Mapping[str, str], where: str = "") -> Iterator[Result]:
    """Misspelt and empty variables, and placeholders; never shows a secret."""
    known = known_variables()
    there = f" in {where}" if where else ""
    free = environ.get("HAILUO_PROVIDER", "").strip().lower() in _FREE
    for name, value in sorted(environ.items()):
        text = value.strip()
        if near := _nearest(name, known):
            said = f"{name}{there} is not a setting and does nothing; did you mean {near}?"
            yield problem("settings", said, f"Rename it to {near}.")
        elif name.startswith(_PREFIX) and name not in known:
            said = f"{name}{there} is not a setting and does nothing."
            yield problem("settings", said, "Remove it, or take a name from the README's table.")
        elif name not in (*known, *_FALLBACKS):
            continue
        elif not text:
            yield note("settings", f"{name}{there} is empty and counts as unset.")
        elif text.startswith("${") and text.endswith("}") and not where:
            yield note(
                "settings",
                f"{name} is {shown(text)}, which was not replaced by a value; it counts as unset.",
                "Write the value itself, or set what it refers to.",
            )
        elif name.endswith("_API_KEY") and not free and is_placeholder(text):
            yield problem(
                "key",
                f"{name}{there} still has the example's placeholder instead of a key.",
                "Put your key there, or set HAILUO_PROVIDER=sandbox to try it free.",
            )


def _nearest(name: str, known: tuple[str, ...]) -> str:
    """The setting that a variable was probably meant to be; empty for a right or foreign one."""
    if name in known or name in _FALLBACKS:
        return ""
    if name.startswith(_PREFIX):
        return nearest_variable(name)
    ours = [each for each in known if each.startswith(_PREFIX)]
    return next(iter(difflib.get_close_matches(name, ours, n=1, cutoff=0.9)), "")


def check_folders(settings: Settings, environ: Mapping[str, str]) -> Iterator[Result]:
    """Whether the folders can be written to, and have space for clips."""
    if not settings.bucket:
        named_by = "HAILUO_FILES" if settings.files else "HAILUO_OUTPUT_DIR"
        yield _folder("clips", settings.output_dir, named_by)
    yield _folder("journal", settings.state_dir, "HAILUO_STATE_DIR")
    for folder in settings.allowed_dirs if environ.get("HAILUO_ALLOWED_DIRS", "").strip() else ():
        if not folder.is_dir():
            yield note(
                "folders",
                f"{folder} of HAILUO_ALLOWED_DIRS does not exist.",
                f"Create it, or correct the list (separated by {os.pathsep!r}).",
            )


async def check_bucket(settings: Settings) -> list[Result]:
    """Whether the bucket for clips can be written to; nothing if they go to a folder."""
    if not settings.bucket:
        return []
    from hailuo_mcp.bootstrap import open_storage

    try:
        storage = open_storage(settings)
        await storage.need_writable()
    except ConfigError as exc:
        return [of_error("folders", exc, "Check the AWS_ variables and the bucket's policy.")]
    return [ok("folders", f"clips: {storage.place} (can be written to)")]


def _folder(what: str, folder: Path, variable: str) -> Result:
    try:
        # A check makes no folders: the nearest that exists has to be writable.
        nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
        with tempfile.TemporaryFile(dir=nearest, prefix=".hailuo-mcp-"):
            pass
        free = shutil.disk_usage(nearest).free
    except OSError as exc:
        said = f"{folder} for {what} cannot be written: {system_reason(exc)}."
        return problem("folders", said, f"Allow it, or set {variable} to another folder.")
    room = f"{free / 1e9:,.1f} GB free"
    if free < _FULL:
        said = f"The disk of {folder} for {what} is full ({room})."
        return problem("folders", said, "Free some space.")
    if free < _TIGHT:
        said = f"{folder} for {what} has little space left: {room}."
        return note("folders", said, "Free some space.")
    new = "" if nearest == folder else ", will be created"
    return ok("folders", f"{what}: {folder} ({room}{new})")


def check_http(settings: Settings) -> Iterator[Result]:
    """Whether the settings of the HTTP server are sound, if there are any."""
    sound = True
    if settings.callback_url and not _is_public(settings.callback_url):
        sound = False
        yield problem(
            "http",
            "HAILUO_CALLBACK_URL is not an address that the provider can reach.",
            "It must be https:// and public; without it the provider is polled.",
        )
    short = [name for name, token in settings.http_tokens if len(token.get_secret_value()) < _SHORT]
    if short:
        sound = False
        yield note(
            "http",
            f"Tokens that could be guessed: {', '.join(short)}.",
            f"Use at least {_SHORT} random characters in HAILUO_HTTP_TOKENS.",
        )
    if settings.oauth_issuer and not (settings.oauth_audience or settings.callback_url):
        sound = False
        yield problem(
            "http",
            "HAILUO_OAUTH_ISSUER is set, but not for whom its access tokens must be issued.",
            "Set HAILUO_OAUTH_AUDIENCE or HAILUO_CALLBACK_URL; the server does not start without.",
        )
    protected = settings.http_tokens or settings.oauth_issuer or settings.tenants
    if settings.allowed_hosts and not protected:
        sound = False
        yield note(
            "http",
            "HAILUO_ALLOWED_HOSTS is set without HAILUO_HTTP_TOKENS.",
            "Give each caller a token: anyone who reaches the server can spend your money.",
        )
    if sound and (settings.http_tokens or settings.callback_url or settings.oauth_issuer):
        issued = f", and those of {settings.oauth_issuer}" if settings.oauth_issuer else ""
        yield ok("http", f"{len(settings.http_tokens)} callers have tokens{issued}")


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        public = ipaddress.ip_address(host).is_global
    except ValueError:
        local = host == "localhost" or host.endswith((".localhost", ".local"))
        public = "." in host and not local
    return parts.scheme == "https" and public
