"""Whether the program itself is all right, and where an app would find it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import hailuo_mcp
from hailuo_mcp.cli.doctor.finding import Finding, note, ok, problem
from hailuo_mcp.cli.machine import Machine, launcher

_OLDEST = (3, 11)
_GUARDED = ("Desktop", "Documents", "Downloads")
"""Folders of macOS that an app may not read until the person has allowed it to."""


def check_program(machine: Machine) -> list[Finding]:
    told = ".".join(str(part) for part in machine.version)
    version_told = f"hailuo-mcp {hailuo_mcp.__version__}, Python {told} ({machine.executable})"
    findings = [ok("program", version_told)]
    if machine.version[:2] < _OLDEST:
        findings[0] = problem(
            "program",
            f"Python {told} is too old for hailuo-mcp.",
            "Install it with Python 3.11 or newer: uv tool install hailuo-mcp fetches one.",
        )
    return [*findings, *_launcher(machine)]


def _launcher(machine: Machine) -> list[Finding]:
    start = launcher(machine)
    words = " ".join((start.command, *start.args))
    findings = list[Finding]()
    if machine.find("hailuo-mcp", machine.app_path):
        findings.append(ok("launcher", "apps find hailuo-mcp by its name"))
    else:
        findings.append(
            ok("launcher", f"apps do not see your PATH; init writes the whole path: {words}")
        )
    for runner in ("uvx", "pipx"):
        found = machine.find(runner, machine.path)
        if found and not machine.find(runner, machine.app_path):
            findings.append(
                note(
                    "launcher",
                    f"{runner} is on the shell's PATH but not where apps look.",
                    f"Where a configuration says {runner}, write {found} (spawn {runner} ENOENT).",
                )
            )
    if not start.lasts:
        findings.append(
            note(
                "launcher",
                "hailuo-mcp runs from a temporary place, which will be emptied some day.",
                "Install it: uv tool install hailuo-mcp, or pipx install hailuo-mcp.",
            )
        )
    if machine.platform == "darwin":
        inside = [name for name in _GUARDED if _below(start.command, machine, name)]
        findings += [
            note(
                "launcher",
                f"hailuo-mcp lies in {name}, which macOS keeps apps out of until they are allowed.",
                "If an app cannot start it (operation not permitted), install it elsewhere: "
                "uv tool install hailuo-mcp.",
            )
            for name in inside
        ]
    return findings


def _below(command: str, machine: Machine, folder: str) -> bool:
    return command.startswith(f"{machine.home / folder}/")


def check_media(machine: Machine) -> list[Finding]:
    if not machine.has_media:
        return [
            note(
                "media",
                "The media extra is missing: the sandbox cannot render, and a saved clip's size "
                "and length are not checked.",
                "Install it: pip install 'hailuo-mcp[media]' (uvx --from 'hailuo-mcp[media]' "
                "hailuo-mcp; pipx install 'hailuo-mcp[media]').",
            )
        ]
    try:
        told = f" (PyAV {version('av')})"
    except PackageNotFoundError:
        told = ""
    return [ok("media", f"the media extra is installed{told}")]
