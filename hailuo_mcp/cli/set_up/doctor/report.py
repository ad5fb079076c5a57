"""The findings as a page that anybody may read: `doctor --report`."""

from __future__ import annotations

import getpass
import os
import platform
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import hailuo_mcp
from hailuo_mcp.catalog.prices import plans
from hailuo_mcp.cli import words
from hailuo_mcp.cli.set_up.doctor.redaction import HIDDEN, Redaction
from hailuo_mcp.cli.set_up.doctor.result import Level
from hailuo_mcp.dialects.providers import PROVIDERS
from hailuo_mcp.errors import ConfigError
from hailuo_mcp.settings.config_file import Configuration, config_path
from hailuo_mcp.settings.table import sources_of, variables

if TYPE_CHECKING:
    from hailuo_mcp.cli.set_up.doctor.result import Result
    from hailuo_mcp.cli.set_up.system import System
    from hailuo_mcp.settings.sources import Sources

_PACKAGES = ("mcp", "httpx", "pydantic", "anyio", "starlette", "uvicorn", "av", "pillow", "psycopg")
_ABOUT = (
    "Made to be attached to an issue. It has words of the program itself, numbers, and the names "
    f"of providers, settings and clients; all else is {HIDDEN}. Read it before you attach it. "
    "Doctor bought nothing."
)
_UNNAMED = frozenset({"tenants", "profile"})
"""Checks whose messages are about names that people chose."""


def _one_of(*allowed: str) -> Callable[[str], bool]:
    return frozenset(allowed).__contains__


def _number(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text))


_SHOWN: Mapping[str, Callable[[str], bool]] = {
    "provider": _one_of(*PROVIDERS),
    "plan": _one_of(*(plan.name for plan in plans())),
    "budget_period": _one_of("day", "month", "total"),
    "auto_download": _one_of("true", "false", "1", "0", "yes", "no", "on", "off"),
    "wait_seconds": lambda text: text == "auto" or _number(text),
    **dict.fromkeys(("rpm", "budget", "unpriced_cost", "confirm_above", "poll_seconds"), _number),
}
"""The settings whose values may be shown, each only as the value that it should be."""


def file_name(now: float) -> str:
    return time.strftime("hailuo-doctor-%Y%m%d-%H%M%S.md", time.localtime(now))


def page(
    results: Sequence[Result],
    system: System,
    environ: Mapping[str, str],
    kept: Configuration,
    overrides: Mapping[str, object],
) -> str:
    """The report in Markdown."""
    found = _sources(environ, kept, overrides)
    redact = Redaction(private_texts(system, environ, kept, found))
    many = ", ".join(
        (
            f"{sum(it.level is Level.OK for it in results)} ok",
            words.count(sum(it.level is Level.NOTE for it in results), "note"),
            words.count(sum(it.level is Level.PROBLEM for it in results), "problem"),
        )
    )
    lines = [
        "# hailuo-mcp doctor",
        "",
        _ABOUT,
        "",
        "## Versions",
        "",
        *_table(("what", "version"), _versions(system)),
        "",
        "## Settings",
        "",
        *_settings(found, environ),
        "",
        f"## Findings: {many}",
        "",
        *_table(("level", "check", "finding", "what to do"), _findings(results, redact)),
    ]
    return "\n".join(lines) + "\n"


def private_texts(
    system: System,
    environ: Mapping[str, str],
    kept: Configuration,
    found: Sources | None,
) -> Iterator[str]:
    """What is hidden even if it is an ordinary word."""
    yield from (str(system.home), system.home.name, system.executable, system.called)
    yield from (str(config_path()), str(kept.path or ""), str(Path.cwd()) if _has_here() else "")
    with suppress(OSError, KeyError, ImportError):
        yield getpass.getuser()
    yield from (socket.gethostname(), platform.node())
    yield from kept.profiles
    for name in ("USER", "LOGNAME", "USERNAME", "HOSTNAME", "COMPUTERNAME"):
        yield environ.get(name, "")
    public = {word for row in PROVIDERS.values() for word in (row.name, row.base_url, *row.hosts)}
    for setting, text in (found.texts if found else {}).items():
        if setting not in _SHOWN and text not in public:
            yield from (text, *re.split(r"[,;:=]", text))
    for name, text in environ.items():
        secret = name.startswith(("HAILUO_", "MINIMAX_", "AWS_")) or name.lower().endswith("proxy")
        if secret and text not in public and not _is_plain(name, text):
            yield text


def _is_plain(name: str, text: str) -> bool:
    """Whether the value of this variable may be shown."""
    settings = {variable: setting for setting, variable in variables().items()}
    allowed = _SHOWN.get(settings.get(name, ""))
    return bool(allowed and allowed(text.strip()))


def _has_here() -> bool:
    try:
        return bool(os.getcwd())  # noqa: PTH109  # only whether there is one
    except OSError:
        return False


def _sources(
    environ: Mapping[str, str], kept: Configuration, overrides: Mapping[str, object]
) -> Sources | None:
    try:
        return sources_of(environ, kept, overrides, to_show=True)
    except ConfigError:
        return None


def _versions(system: System) -> Iterator[tuple[str, str]]:
    yield "hailuo-mcp", hailuo_mcp.__version__
    yield "Python", ".".join(map(str, system.version))
    yield "system", f"{platform.system()} {_plain(platform.release())} {platform.machine()}"
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            yield package, _plain(version(package))
    yield "interpreter", f"{platform.python_implementation()}, {sys.maxsize.bit_length() + 1} bit"


def _plain(text: str) -> str:
    """The number that a version begins with: the rest may be a builder's or a company's name."""
    found = re.match(r"\d+(\.\d+){0,3}", text)
    return found[0] if found else HIDDEN


def _settings(found: Sources | None, environ: Mapping[str, str]) -> list[str]:
    """Those that are set; of settings that cannot be read together, the variables."""
    rows = list[tuple[str, str, str]]()
    for setting, variable in variables().items():
        text = (found.texts.get(setting, "") if found else environ.get(variable, "")).strip()
        if not text and setting != "api_key":
            continue
        allowed = _SHOWN.get(setting)
        value = text if allowed and allowed(text) else "set"
        if setting == "base_url":
            value = "the provider's own" if _is_public(text) else "another address"
        if setting == "api_key":
            value = "set" if text or (found and found.section.has_key) else "not set"
        rows.append((variable, value, found.origin(setting).kind if found else "variable"))
    return _table(("setting", "value", "from"), rows)


def _is_public(address: str) -> bool:
    return any(address == row.base_url for row in PROVIDERS.values())


def _findings(results: Sequence[Result], redact: Redaction) -> Iterator[tuple[str, ...]]:
    for it in results:
        if it.check in _UNNAMED:
            yield it.level.value, it.check, HIDDEN, ""
        else:
            yield it.level.value, it.check, redact(it.message), redact(it.fix)


def _table(
    head: Sequence[str], rows: Iterator[tuple[str, ...]] | list[tuple[str, str, str]]
) -> list[str]:
    """Rows in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines]
