"""Whether the program is installed well, and whether each client could start it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import hailuo_mcp
from hailuo_mcp.catalog.mcp_clients import ClientSetup, client_setups
from hailuo_mcp.cli.set_up.doctor.result import Result, note, of_error, ok, problem
from hailuo_mcp.cli.set_up.doctor.settings import check_variables
from hailuo_mcp.cli.set_up.init import config_file
from hailuo_mcp.cli.set_up.init.config_file import Entry
from hailuo_mcp.cli.set_up.init.entry import KEY
from hailuo_mcp.cli.set_up.key_check import is_placeholder, is_reference
from hailuo_mcp.cli.set_up.system import System, launcher
from hailuo_mcp.cli.words import program
from hailuo_mcp.errors import ConfigError

_OLDEST = (3, 11)
_GUARDED = ("Desktop", "Documents", "Downloads")
"""Folders of macOS that an app may not read until the person has allowed it to."""


def check_program(system: System) -> Iterator[Result]:
    python = ".".join(str(part) for part in system.version)
    if system.version[:2] < _OLDEST:
        yield problem(
            "program",
            f"Python {python} is too old for hailuo-mcp.",
            "Install it with Python 3.11 or newer: uv tool install hailuo-mcp fetches one.",
        )
    else:
        versions = f"hailuo-mcp {hailuo_mcp.__version__}, Python {python} ({system.executable})"
        yield ok("program", versions)
    start = launcher(system)
    if system.find("hailuo-mcp", system.app_path):
        yield ok("launcher", "apps find hailuo-mcp by its name")
    else:
        words = " ".join((start.command, *start.args))
        yield ok("launcher", f"apps do not see your PATH; init writes the full path: {words}")
    for runner in ("uvx", "pipx"):
        found = system.find(runner, system.path)
        if found and not system.find(runner, system.app_path):
            yield note(
                "launcher",
                f"{runner} is on the shell's PATH but not where apps look.",
                f"Where a configuration says {runner}, write {found} (spawn {runner} ENOENT).",
            )
    if not start.lasts:
        yield note(
            "launcher",
            "hailuo-mcp runs from a temporary folder that may be emptied at any time.",
            "Install it: uv tool install hailuo-mcp, or pipx install hailuo-mcp.",
        )
    for name in _GUARDED if system.platform == "darwin" else ():
        if start.command.startswith(f"{system.home / name}/"):
            yield note(
                "launcher",
                f"hailuo-mcp is in {name}, which apps on macOS may read only after you allow it.",
                "If an app cannot start it (operation not permitted), install it elsewhere: "
                "uv tool install hailuo-mcp.",
            )


def check_media(system: System) -> Iterator[Result]:
    if not system.has_media:
        yield note(
            "media",
            "The media extra is missing: the sandbox cannot render, and a saved clip's size and "
            "length are not checked.",
            "Install it: pip install 'hailuo-mcp[media]' (uvx --from 'hailuo-mcp[media]' "
            "hailuo-mcp; pipx install 'hailuo-mcp[media]').",
        )
        return
    try:
        installed = f" (PyAV {version('av')})"
    except PackageNotFoundError:
        installed = ""
    yield ok("media", f"the media extra is installed{installed}")


def check_clients(system: System) -> Iterator[Result]:
    found = False
    for app in client_setups():
        try:
            entries = _entries(app, system)
        except ConfigError as exc:
            yield of_error("clients", exc)
            continue
        for entry in entries:
            found = True
            yield from check_variables(entry.env, where=f"{app.title}'s configuration")
            yield _start(app, system, entry)
        found = found or bool(entries)
    if not found:
        yield note(
            "clients",
            "No MCP client on this computer is set up for hailuo-mcp.",
            f"Set one up: {program()} init lists them.",
        )


def clients_with_key(system: System) -> Iterator[str]:
    """Clients whose own configuration holds a key."""
    for app in client_setups():
        try:
            keys = [entry.env.get(KEY, "") for entry in _entries(app, system)]
        except ConfigError:
            continue
        if any(key and not is_reference(key) and not is_placeholder(key) for key in keys):
            yield app.name


def _entries(app: ClientSetup, system: System) -> list[Entry]:
    file = config_file.read(app, config_file.config_path(app, system))
    return [entry for entry in file.entries if entry.is_ours]


def _start(app: ClientSetup, system: System, entry: Entry) -> Result:
    fix = f"Run {program()} init {app.name}, or write the full path."
    if not entry.command:
        if any(entry.values.get(name) for name in ("url", "httpUrl", "serverUrl")):
            return ok("clients", f"{app.title} uses a hailuo-mcp over HTTP")
        return problem("clients", f"{app.title}'s configuration has no command.", fix)
    if entry.can_start(app, system):
        return ok("clients", f"{app.title} starts {entry.command}")
    if by_shell := system.resolve(entry.command, system.path):
        said = (
            f"{app.title} is set to start {entry.command}, which it will not find (spawn ENOENT): "
            "an app does not have the PATH of a shell."
        )
        return problem("clients", said, f"Write {by_shell} there. {fix}")
    said = f"{app.title} is set to start {entry.command}, which does not exist."
    return problem("clients", said, fix)
