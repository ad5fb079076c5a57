"""hailuo-mcp init: set up an MCP client on this computer, or print what to paste."""

from __future__ import annotations

import difflib
import shlex
from argparse import Namespace
from collections.abc import Mapping

from hailuo_mcp.catalog.mcp_clients import ClientSetup, client_setups
from hailuo_mcp.cli import exits, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.cli.set_up import login
from hailuo_mcp.cli.set_up.init import config_file
from hailuo_mcp.cli.set_up.init.configure import Outcome, configure
from hailuo_mcp.cli.set_up.init.entry import KEY, without_key
from hailuo_mcp.cli.set_up.key_check import is_placeholder, typed_key
from hailuo_mcp.cli.set_up.system import System, this_system
from hailuo_mcp.dialects.providers import DEFAULT_PROVIDER
from hailuo_mcp.errors import (
    AuthenticationError,
    ConfigError,
    Do,
    HailuoError,
    InvalidRequestError,
    Step,
)
from hailuo_mcp.settings.config_file import Configuration, read_configuration
from hailuo_mcp.text import shown


def client_named(name: str) -> ClientSetup:
    """The client of that name.

    Raises:
        ConfigError: it is unknown; the message has the nearest and the list.
    """
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


def init(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.settings import variable_of

    system = this_system()
    if not args.client:
        return _list(system, terminal)
    app = client_named(args.client)
    given = {
        variable_of(name): value for name, value in setting_sources.given_settings(args).items()
    }
    configuration = read_configuration()
    kept_now = ""
    if key := _key(args, terminal, app, system, given, configuration):
        try:
            kept_now = _keep(args, app, system, given, key, configuration)
        except AuthenticationError as exc:
            raise InvalidRequestError(
                f"{exc.what} The key was not kept, and nothing was changed.",
                Step(Do.TRY, "copy it again, all of it"),
            ) from None
        if kept_now:
            configuration = read_configuration()
        else:
            given[KEY] = key
    outcome = configure(app, system, given, configuration, only_print=args.only_print)
    if terminal.json:
        terminal.data(_as_json(outcome))
    else:
        _print(outcome, terminal, kept_now)
    return exits.REFUSED if outcome.status == "refused" else exits.DONE


def _key(
    args: Namespace,
    terminal: Terminal,
    app: ClientSetup,
    system: System,
    given: Mapping[str, str],
    configuration: Configuration,
) -> str:
    """The key, if the person types one; never from the command line or a variable."""
    asks = terminal.can_ask and not args.only_print
    if not args.key_stdin and not (asks and _lacks_key(app, system, given, configuration)):
        return ""
    question = "API key, to be kept for this computer (Enter to do that later): "
    return typed_key(terminal, question, from_stdin=args.key_stdin)


def _lacks_key(
    app: ClientSetup, system: System, given: Mapping[str, str], configuration: Configuration
) -> bool:
    try:
        entry = configure(app, system, given, configuration, only_print=True).entry
    except HailuoError:
        return False  # the real attempt reports it
    return is_placeholder(entry.env.get(KEY, ""))


def _keep(
    args: Namespace,
    app: ClientSetup,
    system: System,
    given: Mapping[str, str],
    key: str,
    configuration: Configuration,
) -> str:
    """Keep the key in the configuration, as login does; says where, or nothing if it was not kept.

    It is not, where it would take the place of another account: then it goes into the entry.
    """
    from dataclasses import replace

    import anyio

    from hailuo_mcp.bootstrap import open_client
    from hailuo_mcp.cli.set_up.kept import account_of
    from hailuo_mcp.settings.values import Secret

    if args.only_print:
        return ""
    section = configuration.section(given.get("HAILUO_PROFILE", ""), new=True)
    planned = configure(app, system, {**given, KEY: key}, configuration, only_print=True)
    chosen = dict(setting_sources.given_settings(args))
    entry = config_file.read(app, planned.path).ours
    if entry is not None and planned.provider != DEFAULT_PROVIDER:
        chosen["provider"] = planned.provider
        if url := planned.entry.env.get("HAILUO_BASE_URL", ""):
            chosen["base_url"] = url
    candidates = login.candidates_of(chosen, {}, configuration)
    first = candidates[0]
    taken = section.has_key or any(it in section.texts for it in ("provider", "base_url"))
    if taken and account_of(section.texts) != (first.provider, first.address):
        return ""
    if not args.key_stdin:
        tried = [replace(it, api_key=Secret(key)) for it in candidates]
        try:
            first = anyio.run(login.accepting, tried, open_client)
        except AuthenticationError:
            raise
        except HailuoError:
            first = candidates[0]  # not reached: doctor tries it again
    kept = login.keep(args, first, configuration, key)
    return "the system's keyring" if kept.in_keyring else str(kept.path)


def _list(system: System, terminal: Terminal) -> int:
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
        ready = ", ".join(client for client, state, _ in rows if state == "set up")
        said = f"Set up: {ready or 'no client'}."
        terminal.records("clients", ("client", "state", "file"), rows, message=said)
        return exits.DONE
    terminal.table(("Client", "State", "File"), rows)
    terminal.say()
    terminal.say(f"Set one up: {words.program()} init CLIENT")
    return exits.DONE


def _print(outcome: Outcome, terminal: Terminal, kept_now: str) -> None:
    app = outcome.app
    if outcome.status == "written":
        terminal.say(f"{app.title} is set up: {outcome.path}", style="bold")
        if outcome.backup is not None:
            terminal.say(f"Backup of the old file: {outcome.backup}")
        terminal.facts(_facts(outcome))
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
    if kept_now:
        terminal.paragraph("Note:", f"the key is kept in {kept_now}.")
    for note in outcome.notes:
        terminal.paragraph("Note:", note)
    if outcome.status != "unchanged":
        terminal.paragraph("Then:", app.restart)


def _facts(outcome: Outcome) -> list[tuple[str, str]]:
    """What the entry starts, and what it and the configuration say together."""
    env = outcome.entry.env
    start = " ".join((outcome.entry.command, *outcome.entry.args))
    facts = [("Starts", start), ("Provider", outcome.provider)]
    said = {**outcome.said, **env}
    if profile := env.get("HAILUO_PROFILE"):
        facts.append(("Profile", profile))
    if budget := said.get("HAILUO_BUDGET"):
        period = said.get("HAILUO_BUDGET_PERIOD", "day")
        facts.append(("Budget", f"{budget} {'in all' if period == 'total' else f'a {period}'}"))
    if outcome.key_kept:
        facts.append(("Key", "not in this file: the server reads the one that is kept"))
    return facts


def _add_command(outcome: Outcome) -> str:
    shown = without_key(outcome.entry)
    env = [word for pair in shown.env.items() for word in ("--env", "=".join(pair))]
    words = [*outcome.app.add.split(), *env, shown.name, "--", shown.command, *shown.args]
    return shlex.join(words)


def _as_json(outcome: Outcome) -> Mapping[str, object]:
    said = {
        "printed": f"What to add to {outcome.path} is under paste; nothing was changed.",
        "refused": f"{outcome.path} {outcome.why}, so it was not changed.",
        "unchanged": f"{outcome.app.title} is already set up; nothing was changed.",
    }
    answer: dict[str, object] = {
        "message": said.get(outcome.status, f"{outcome.app.title} is set up."),
        "status": outcome.status,
        "client": outcome.app.name,
        "file": str(outcome.path),
        "entry": {outcome.entry.name: without_key(outcome.entry).values},
        "provider": outcome.provider,
        "key_kept": outcome.key_kept,
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
