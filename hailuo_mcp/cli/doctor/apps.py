"""Which clients know hailuo-mcp, and whether each of them could start it."""

from __future__ import annotations

from hailuo_mcp.cli.doctor.finding import Finding, note, ok, problem
from hailuo_mcp.cli.doctor.variables import check_variables
from hailuo_mcp.cli.init import config_file
from hailuo_mcp.cli.init.client_apps import ClientApp, client_apps
from hailuo_mcp.cli.init.config_file import Entry
from hailuo_mcp.cli.init.entry import is_placeholder, starts
from hailuo_mcp.cli.machine import Machine
from hailuo_mcp.errors import ConfigError


def check_apps(machine: Machine) -> list[Finding]:
    findings = list[Finding]()
    found = False
    for app in client_apps():
        try:
            entries = _ours(app, machine)
        except ConfigError as exc:
            findings.append(
                problem("clients", str(exc), "Until then that app starts no server at all.")
            )
            continue
        found = found or bool(entries)
        for entry in entries:
            findings += _examined(app, machine, entry)
    if not found:
        findings.append(
            note(
                "clients",
                "No MCP client on this computer is set up for hailuo-mcp.",
                "Set one up: hailuo-mcp init shows which there are.",
            )
        )
    return findings


def keyed_apps(machine: Machine) -> list[str]:
    """Clients whose own configuration holds a key."""
    names = list[str]()
    for app in client_apps():
        try:
            entries = _ours(app, machine)
        except ConfigError:
            continue
        keys = [entry.env.get("HAILUO_API_KEY", "") for entry in entries]
        if any(key and not key.startswith("$") and not is_placeholder(key) for key in keys):
            names.append(app.name)
    return names


def _ours(app: ClientApp, machine: Machine) -> list[Entry]:
    entries = config_file.read(app, app.file(machine)).entries
    return [entry for entry in entries if entry.is_ours]


def _examined(app: ClientApp, machine: Machine, entry: Entry) -> list[Finding]:
    mend = f"Run hailuo-mcp init {app.name}, or write the whole path."
    findings = check_variables(entry.env, where=f"{app.title}'s configuration")
    if not entry.command:
        if entry.values.get("url") or entry.values.get("httpUrl") or entry.values.get("serverUrl"):
            return [*findings, ok("clients", f"{app.title} asks a hailuo-mcp over HTTP")]
        return [*findings, problem("clients", f"{app.title} is told no command.", mend)]
    if starts(entry, app, machine):
        return [*findings, ok("clients", f"{app.title} starts {entry.command}")]
    by_shell = machine.resolve(entry.command, machine.path)
    if by_shell is not None:
        said = (
            f"{app.title} is told to start {entry.command}, which it will not find (spawn ENOENT): "
            "an app has not the PATH of a shell."
        )
        return [*findings, problem("clients", said, f"Write {by_shell} there. {mend}")]
    said = f"{app.title} is told to start {entry.command}, which is not there."
    return [*findings, problem("clients", said, mend)]
