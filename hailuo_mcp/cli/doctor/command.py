"""hailuo-mcp doctor: look at the whole chain, buy nothing, and say what to do."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.cli import exits
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.init import config_file
from hailuo_mcp.cli.init.client_apps import client_app, client_apps
from hailuo_mcp.cli.init.entry import is_reference
from hailuo_mcp.cli.machine import Machine, this_machine
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.cli.words import SETTINGS
from hailuo_mcp.errors import ConfigError

if TYPE_CHECKING:
    from hailuo_mcp.cli.doctor.finding import Finding

_STYLES = {"ok": "", "note": "yellow", "problem": "bold red"}


def _options(parser: ArgumentParser) -> None:
    names = ", ".join(app.name for app in client_apps())
    parser.add_argument(
        "--client",
        default="",
        metavar="CLIENT",
        help=f"with the settings that this client's configuration gives: {names}",
    )


def _run(args: Namespace, terminal: Terminal) -> int:
    import anyio

    machine = this_machine()
    environ: Mapping[str, str] = os.environ
    asks = False
    if args.client:
        environ, asks = environ_of(args.client, machine)
    findings = anyio.run(_examined, args, terminal, machine, environ, asks)
    problems = sum(finding.level == "problem" for finding in findings)
    if terminal.json:
        terminal.data(
            {
                "status": "problem" if problems else "ok",
                "findings": [
                    {"check": f.check, "level": f.level.value, "message": f.said, "do": f.do}
                    for f in findings
                ],
            }
        )
    else:
        terminal.say()
        terminal.say(_verdict(problems), style="bold")
    return exits.FAILED if problems else exits.DONE


async def _examined(
    args: Namespace,
    terminal: Terminal,
    machine: Machine,
    environ: Mapping[str, str],
    asks: bool,  # noqa: FBT001  # anyio.run passes by position
) -> list[Finding]:
    from hailuo_mcp.bootstrap import open_client
    from hailuo_mcp.cli.doctor.chain import examine
    from hailuo_mcp.cli.doctor.finding import Finding

    overrides = {name: getattr(args, name, None) for name in SETTINGS}
    findings = list[Finding]()
    async for finding in examine(
        machine, environ, overrides=overrides, connect=open_client, asks=asks
    ):
        findings.append(finding)
        if not terminal.json:
            _tell(finding, terminal)
    return findings


def environ_of(name: str, machine: Machine) -> tuple[dict[str, str], bool]:
    """What a client gives to the server in place of the shell's own settings.

    The second is whether the client fills in the key itself when it starts the server.
    """
    app = client_app(name)
    entry = config_file.read(app, app.file(machine)).ours
    if entry is None:
        raise ConfigError(
            f"{app.title} is not set up for hailuo-mcp ({app.file(machine)}). Nothing was charged. "
            f"Set it up: hailuo-mcp init {app.name}."
        )
    # An app from the dock has not what a shell's own files set: no PATH, no proxies.
    shells = ("HAILUO_", "MINIMAX_")
    ends = ("_proxy",) if app.gui and machine.platform != "win32" else ()
    rest = {
        key: value
        for key, value in machine.environ.items()
        if not key.startswith(shells) and not key.lower().endswith(ends)
    }
    given = {key: text for key, text in entry.env.items() if not is_reference(text)}
    return {**rest, **given}, is_reference(entry.env.get("HAILUO_API_KEY", ""))


def _tell(finding: Finding, terminal: Terminal) -> None:
    line = f"{finding.level.value:<9}{finding.check}: {finding.said}"
    terminal.say(line, style=_STYLES[finding.level.value])
    if finding.do:
        terminal.say(f"{'':<9}→ {finding.do}")


def _verdict(problems: int) -> str:
    if not problems:
        return "Nothing is wrong. Nothing was bought."
    return f"{problems} {'problem' if problems == 1 else 'problems'}. Nothing was bought."


COMMANDS = (
    Command(
        name="doctor",
        summary="look at the whole chain, free, and say what to do",
        options=_options,
        run=_run,
    ),
)
