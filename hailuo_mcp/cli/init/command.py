"""hailuo-mcp init: set up an MCP client on this computer, or print what to paste."""

from __future__ import annotations

import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from hailuo_mcp.cli import exits, words
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.init import config_file
from hailuo_mcp.cli.init.client_apps import ClientApp, client_app, client_apps
from hailuo_mcp.cli.init.config_file import Entry
from hailuo_mcp.cli.init.entry import Wishes, is_placeholder, without_key
from hailuo_mcp.cli.init.set_up import Outcome, set_up
from hailuo_mcp.cli.machine import Machine, this_machine
from hailuo_mcp.cli.terminal import Terminal
from hailuo_mcp.errors import ConfigError, HailuoError

_VARIABLES = {name: f"HAILUO_{name.upper()}" for name in words.SETTINGS}


def _options(parser: ArgumentParser) -> None:
    names = ", ".join(app.name for app in client_apps())
    parser.add_argument(
        "client", nargs="?", default="", metavar="CLIENT", help=f"one of: {names}; none lists them"
    )
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="change nothing, show what to paste"
    )
    parser.add_argument(
        "--key-stdin",
        action="store_true",
        help="read the API key from stdin (a command line could be seen by others)",
    )


def _run(args: Namespace, terminal: Terminal) -> int:
    machine = this_machine()
    if not args.client:
        return _list(machine, terminal)
    app = client_app(args.client)
    wishes = Wishes(env=_given(args), key=_key(args, terminal, app, machine))
    outcome = set_up(app, machine, wishes, only_print=args.only_print)
    if terminal.json:
        terminal.data(_as_json(outcome))
    else:
        _tell(outcome, terminal)
    return exits.REFUSED if outcome.status == "refused" else exits.DONE


def _given(args: Namespace) -> dict[str, str]:
    given = {
        variable: str(getattr(args, name))
        for name, variable in _VARIABLES.items()
        if getattr(args, name, None) is not None
    }
    for name in ("HAILUO_OUTPUT_DIR", "HAILUO_STATE_DIR"):
        if name in given:
            given[name] = str(Path(given[name]).expanduser().absolute())
    return given


def _key(args: Namespace, terminal: Terminal, app: ClientApp, machine: Machine) -> str:
    """The key, if the person gives one; it is never taken from a command line or a variable."""
    key = ""
    if args.key_stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise ConfigError("There was no key on stdin. Nothing was changed.")
    elif terminal.can_ask and not args.only_print and _lacks_key(args, app, machine):
        from getpass import getpass

        key = getpass("API key (Enter to put it into the file yourself): ", sys.stderr).strip()
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise ConfigError(
            "That is no key: keys have no spaces and only plain letters, digits and marks. "
            "Nothing was changed. Copy it anew."
        )
    return key


def _lacks_key(args: Namespace, app: ClientApp, machine: Machine) -> bool:
    wishes = Wishes(env=_given(args))
    try:
        entry = set_up(app, machine, wishes, only_print=True).entry
    except HailuoError:
        return False  # said again, and better, by the real attempt
    return is_placeholder(entry.env.get("HAILUO_API_KEY", ""))


def _list(machine: Machine, terminal: Terminal) -> int:
    rows = list[tuple[str, str, str]]()
    for app in client_apps():
        try:
            path = app.file(machine)
            set_already = config_file.read(app, path).ours is not None
            state = "set up" if set_already else "found" if app.is_here(machine) else "-"
        except ConfigError:
            state, path = "broken file", app.file(machine)
        rows.append((app.name, state, str(path)))
    if terminal.json:
        terminal.data(
            {"clients": [dict(zip(("client", "state", "file"), r, strict=True)) for r in rows]}
        )
        return exits.DONE
    terminal.table(("Client", "Here", "File"), rows)
    terminal.say()
    terminal.say(f"Set one up: {words.program()} init CLIENT")
    return exits.DONE


def _tell(outcome: Outcome, terminal: Terminal) -> None:
    app = outcome.app
    if outcome.status == "written":
        terminal.say(f"{app.title} is set up: {outcome.path}", style="bold")
        if outcome.backup is not None:
            terminal.say(f"What was there before: {outcome.backup}")
    elif outcome.status == "unchanged":
        terminal.say(f"{app.title} is set up already, nothing was changed: {outcome.path}")
    else:
        if outcome.status == "refused":
            terminal.note(f"{outcome.path} {outcome.why}, so it was left as it is.")
        terminal.note(f"Put this into {outcome.path}, beside what is there:")
        terminal.say(outcome.paste)
        if app.name == "claude-code":
            terminal.note("or run:")
            terminal.note(f"  {_claude_command(outcome.entry)}")
    _facts(outcome, terminal)
    for note in outcome.notes:
        terminal.paragraph("Note:", note)
    if outcome.status != "unchanged":
        terminal.paragraph("Then:", app.restart)


def _facts(outcome: Outcome, terminal: Terminal) -> None:
    if outcome.status != "written":
        return
    env = outcome.entry.env
    start = " ".join((outcome.entry.command, *outcome.entry.args))
    budget = env.get("HAILUO_BUDGET", "")
    rows = [("Starts", start), ("Provider", env.get("HAILUO_PROVIDER", ""))]
    if budget:
        rows.append(("Budget", f"{budget} a {env.get('HAILUO_BUDGET_PERIOD', 'day')}"))
    terminal.facts(rows)


def _claude_command(entry: Entry) -> str:
    shown = without_key(entry)
    options = [word for pair in shown.env.items() for word in ("--env", "=".join(pair))]
    given = [
        "claude", "mcp", "add", "--scope", "user", *options, shown.name, "--",
        shown.command, *shown.args,
    ]  # fmt: skip
    return shlex.join(given)


def _as_json(outcome: Outcome) -> Mapping[str, object]:
    answer: dict[str, object] = {
        "status": outcome.status,
        "client": outcome.app.name,
        "file": str(outcome.path),
        "entry": {outcome.entry.name: without_key(outcome.entry).values},
        "notes": list(outcome.notes),
        "restart": outcome.app.restart,
    }
    if outcome.backup is not None:
        answer["backup"] = str(outcome.backup)
    if outcome.status in ("printed", "refused"):
        answer["paste"] = outcome.paste
    if outcome.why:
        answer["why"] = outcome.why
    return answer


COMMANDS = (
    Command(
        name="init",
        summary="set up Claude Desktop, Cursor, VS Code or another MCP client",
        options=_options,
        run=_run,
    ),
)
