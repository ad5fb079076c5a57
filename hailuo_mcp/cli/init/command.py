"""hailuo-mcp init: set up an MCP client on this computer, or print what to paste."""

from __future__ import annotations

import difflib
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, words
from hailuo_mcp.cli.terminal import Terminal

if TYPE_CHECKING:
    from hailuo_mcp.catalog.mcp_clients import ClientSetup
    from hailuo_mcp.cli.init.configure import Outcome
    from hailuo_mcp.cli.system import System
from hailuo_mcp.text import shown


def client_named(name: str) -> ClientSetup:
    """The client of that name.

    Raises:
        ConfigError: it is unknown; the message has the nearest and the list.
    """
    from hailuo_mcp.catalog.mcp_clients import client_setups
    from hailuo_mcp.errors import ConfigError, Do, Step

    wanted = name.strip().lower().replace(" ", "-").replace("_", "-")
    for app in client_setups():
        if wanted in (app.name, *app.aliases):
            return app
    names = [app.name for app in client_setups()]
    near = difflib.get_close_matches(wanted, names, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    raise ConfigError(
        f"Unknown client {shown(name)!r}. {hint}Known clients: {', '.join(names)}.",
        Step(Do.TRY, "see docs/install.md for other clients"),
    )


def init_options(parser: ArgumentParser) -> None:
    from hailuo_mcp.catalog.mcp_clients import client_setups

    names = ", ".join(app.name for app in client_setups())
    parser.add_argument(
        "client",
        nargs="?",
        default="",
        metavar="CLIENT",
        help=f"one of: {names}; without one, they are listed",
    )
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="change nothing; show what to paste"
    )
    what = "read the API key from standard input (others could see it on a command line)"
    arguments.add_flag(parser.add_argument, "--key-stdin", what)


def init(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.cli.init.configure import configure
    from hailuo_mcp.cli.init.entry import KEY
    from hailuo_mcp.cli.system import this_system
    from hailuo_mcp.settings import variable_of

    system = this_system()
    if not args.client:
        return _list(system, terminal)
    app = client_named(args.client)
    given = {variable_of(name): value for name, value in arguments.given_settings(args).items()}
    if key := _key(args, terminal, app, system, given):
        given[KEY] = key
    outcome = configure(app, system, given, only_print=args.only_print)
    if terminal.json:
        terminal.data(_as_json(outcome))
    else:
        _print(outcome, terminal)
    return exits.REFUSED if outcome.status == "refused" else exits.DONE


def _key(
    args: Namespace, terminal: Terminal, app: ClientSetup, system: System, given: Mapping[str, str]
) -> str:
    """The key, if the person types one; never from the command line or a variable."""
    from hailuo_mcp.errors import ConfigError, Do, Step

    key = ""
    if args.key_stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise ConfigError("There was no key on stdin. Nothing was changed.")
    elif terminal.can_ask and not args.only_print and _lacks_key(app, system, given):
        from getpass import getpass

        key = getpass("API key (Enter to put it into the file yourself): ", sys.stderr).strip()
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        raise ConfigError(
            "That is not a key: keys have only ASCII letters, digits and marks, and no spaces. "
            "Nothing was changed.",
            Step(Do.TRY, "copy it again"),
        )
    return key


def _lacks_key(app: ClientSetup, system: System, given: Mapping[str, str]) -> bool:
    from hailuo_mcp.cli.init.configure import configure
    from hailuo_mcp.cli.init.entry import KEY, is_placeholder
    from hailuo_mcp.errors import HailuoError

    try:
        entry = configure(app, system, given, only_print=True).entry
    except HailuoError:
        return False  # the real attempt reports it
    return is_placeholder(entry.env.get(KEY, ""))


def _list(system: System, terminal: Terminal) -> int:
    from hailuo_mcp.catalog.mcp_clients import client_setups
    from hailuo_mcp.cli.init import config_file
    from hailuo_mcp.errors import ConfigError

    rows = list[tuple[str, str, str]]()
    for app in client_setups():
        path = config_file.config_path(app, system)
        try:
            installed = "found" if config_file.is_installed(app, system) else "-"
            state = "set up" if config_file.read(app, path).ours else installed
        except ConfigError:
            state = "broken file"
        rows.append((app.name, state, str(path)))
    if terminal.json:
        terminal.records("clients", ("client", "state", "file"), rows)
        return exits.DONE
    terminal.table(("Client", "State", "File"), rows)
    terminal.say()
    terminal.say(f"Set one up: {words.program()} init CLIENT")
    return exits.DONE


def _print(outcome: Outcome, terminal: Terminal) -> None:
    app, env = outcome.app, outcome.entry.env
    if outcome.status == "written":
        terminal.say(f"{app.title} is set up: {outcome.path}", style="bold")
        if outcome.backup is not None:
            terminal.say(f"Backup of the old file: {outcome.backup}")
        start = " ".join((outcome.entry.command, *outcome.entry.args))
        facts = [("Starts", start), ("Provider", env.get("HAILUO_PROVIDER", ""))]
        if budget := env.get("HAILUO_BUDGET"):
            facts.append(("Budget", f"{budget} a {env.get('HAILUO_BUDGET_PERIOD', 'day')}"))
        terminal.facts(facts)
    elif outcome.status == "unchanged":
        terminal.say(f"{app.title} is already set up; nothing was changed: {outcome.path}")
    else:
        if outcome.status == "refused":
            terminal.note(f"{outcome.path} {outcome.why}, so it was not changed.")
        terminal.note(f"Add this to {outcome.path}:")
        terminal.say(outcome.paste)
        if app.add:
            terminal.note("or run:")
            terminal.note(f"  {_add_command(outcome)}")
    for note in outcome.notes:
        terminal.paragraph("Note:", note)
    if outcome.status != "unchanged":
        terminal.paragraph("Then:", app.restart)


def _add_command(outcome: Outcome) -> str:
    from hailuo_mcp.cli.init.entry import without_key

    shown = without_key(outcome.entry)
    env = [word for pair in shown.env.items() for word in ("--env", "=".join(pair))]
    words = [*outcome.app.add.split(), *env, shown.name, "--", shown.command, *shown.args]
    return shlex.join(words)


def _as_json(outcome: Outcome) -> Mapping[str, object]:
    from hailuo_mcp.cli.init.entry import without_key

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
