"""hailuo-mcp doctor: check everything, buy nothing, and say what to do."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.output import styles
from hailuo_mcp.cli.output.styles import BAD, GOOD, Cell, Styled, text_of
from hailuo_mcp.cli.output.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from hailuo_mcp.cli.set_up.doctor.network import Reach
    from hailuo_mcp.cli.set_up.doctor.result import Result
    from hailuo_mcp.cli.set_up.key_check import Connect
    from hailuo_mcp.cli.set_up.system import System

_INDENT = 9


def doctor_options(parser: ArgumentParser) -> None:
    what = "use the settings from this client's configuration, such as cursor"
    arguments.add_text(parser.add_argument, "--client", metavar="CLIENT", what=what)
    parser.add_argument(
        "--report",
        nargs="?",
        const="",
        default=None,
        metavar="FILE",
        help="also write the findings as a page for an issue, without names, paths, addresses and "
        "secrets (default: hailuo-doctor-DATE.md here)",
    )


def doctor(args: Namespace, terminal: Terminal) -> int:
    import anyio

    from hailuo_mcp.bootstrap import open_client
    from hailuo_mcp.cli.set_up.system import this_system

    system = this_system()
    environ: Mapping[str, str] = os.environ
    asks = False
    if args.client:
        environ, asks = environ_of(args.client, system)
    overrides = setting_sources.given_settings(args)
    results = list["Result"]()
    report = None if args.report is None else _report_file(args.report)

    async def examined() -> None:
        chain = examine(system, environ, overrides=overrides, connect=open_client, asks=asks)
        async for result in chain:
            results.append(result)
            if not terminal.json:
                _print(result, terminal)

    anyio.run(examined)
    problems = sum(result.level == "problem" for result in results)
    if report is not None:
        _write(report, results, system, environ, overrides)
    if terminal.json:
        more = {"report": str(report)} if report else {}
        terminal.records(
            "findings",
            ("check", "level", "message", "do"),
            [(it.check, it.level.value, it.message, it.fix) for it in results],
            status="problem" if problems else "ok",
            message="".join(map(text_of, _summary(results))),
            **more,
        )
    else:
        terminal.say()
        terminal.line(*_summary(results))
        if report:
            terminal.say(f"For an issue, without names and secrets: {report}")
    return exits.FAILED if problems else exits.DONE


def _report_file(given: str) -> Path:
    """The file for the report, made before anything is checked: an error later would lose that."""
    from hailuo_mcp.cli.set_up import report_file
    from hailuo_mcp.cli.set_up.doctor import report

    return report_file.make(given, report.file_name(time.time()), "Not finished.\n")


def _write(
    path: Path,
    results: Sequence[Result],
    system: System,
    environ: Mapping[str, str],
    overrides: Mapping[str, object],
) -> None:
    from hailuo_mcp.cli.set_up.doctor import configuration, report

    kept, _ = configuration.read_for_check()
    text = report.page(results, system, environ, kept, overrides)
    path.write_text(text, "utf-8", newline="\n")


def _print(result: Result, terminal: Terminal) -> None:
    level, said = result.level.value, f"{result.check}: {result.message}"
    terminal.paragraph(level, said, style=styles.state(level).style, result=True, indent=_INDENT)
    if result.fix:
        terminal.paragraph("", f"→ {result.fix}", result=True, indent=_INDENT)


def _summary(results: Sequence[Result]) -> list[Cell]:
    """The counts, and what the problems are about: the list above may have left the screen."""
    many = Counter(result.level.value for result in results)
    bad = list(dict.fromkeys(it.check for it in results if it.level == "problem"))
    counted: list[Cell] = [f"{many['ok']} ok, "]
    counted.append(Styled(words.count(many["note"], "note"), styles.state("note").style))
    if bad:
        verdict = f"{words.count(many['problem'], 'problem')} ({', '.join(bad)})"
        counted += [", ", Styled(verdict, BAD)]
    else:
        counted += [". ", Styled("Nothing is wrong", GOOD)]
    return [*counted, ". Nothing was bought."]


async def examine(
    system: System,
    environ: Mapping[str, str],
    *,
    overrides: Mapping[str, object],
    connect: Connect,
    reach: Reach | None = None,
    asks: bool = False,
    file: Path | None = None,
    clock: Callable[[], float] = time.time,
) -> AsyncGenerator[Result]:
    """Check everything from the program to the provider, in the order in which things break.

    Yields each result as soon as it is known. `asks`: the examined client asks for the key itself.
    `file`: the configuration, if it is not the person's.
    """
    import anyio.to_thread

    from hailuo_mcp.cli.set_up.doctor import (
        configuration,
        database,
        installation,
        journal,
        network,
        provider,
        settings,
        tenants,
    )

    for result in (*installation.check_program(system), *installation.check_media(system)):
        yield result
    kept, results = configuration.read_for_check(file)
    read, more = settings.check_settings(environ, overrides, kept)
    for result in (*results, *more, *configuration.check_account(kept, environ, overrides)):
        yield result
    if read is not None:
        for result in (*settings.check_folders(read, environ), *await settings.check_bucket(read)):
            yield result
        check = database.check_database if read.database_url else journal.check_journal
        found = await anyio.to_thread.run_sync(list, check(read, clock()))
        for result in found:
            yield result
        keyed = list(installation.clients_with_key(system))
        login = configuration.login_of(kept, environ, overrides)
        async for result in provider.check_provider(
            read, connect, reach or network.reach_host, keyed=keyed, asks=asks, login=login
        ):
            yield result
        for result in settings.check_http(read):
            yield result
        async for result in tenants.check_tenants(read, environ, connect):
            yield result
    for result in installation.check_clients(system):
        yield result


def environ_of(name: str, system: System) -> tuple[dict[str, str], bool]:
    """The environment that a client gives to the server.

    The second value says whether the client fills in the key itself when it starts the server.
    """
    from hailuo_mcp.cli.set_up.init import config_file
    from hailuo_mcp.cli.set_up.init.command import client_named
    from hailuo_mcp.cli.set_up.init.entry import KEY
    from hailuo_mcp.cli.set_up.key_check import is_reference
    from hailuo_mcp.errors import ConfigError, Do, Step

    app = client_named(name)
    path = config_file.config_path(app, system)
    entry = config_file.read(app, path).ours
    if entry is None:
        raise ConfigError(
            f"{app.title} is not set up for hailuo-mcp ({path}).",
            Step(Do.TRY, f"set it up: {words.program()} init {app.name}"),
        )
    # An app from the dock does not have what a shell's own files set: no PATH, no proxies.
    shells = ("HAILUO_", "MINIMAX_")
    ends = ("_proxy",) if app.gui and system.platform != "win32" else ()
    rest = {
        key: value
        for key, value in system.environ.items()
        if not key.startswith(shells) and not key.lower().endswith(ends)
    }
    given = {key: text for key, text in entry.env.items() if not is_reference(text)}
    return {**rest, **given}, is_reference(entry.env.get(KEY, ""))
