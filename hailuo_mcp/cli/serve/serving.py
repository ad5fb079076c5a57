"""Commands that serve: the MCP server, and the imitation of the providers."""

from __future__ import annotations

import threading
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments, exits, setting_sources, words
from hailuo_mcp.cli.output.terminal import Terminal
from hailuo_mcp.text import system_reason

if TYPE_CHECKING:
    from hailuo_mcp.sandbox.serve import RunningSandbox

_PORT = arguments.whole(0, 65_535)


def _add_address(parser: ArgumentParser, *, port: int) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: 127.0.0.1, this computer only)",
    )
    parser.add_argument(
        "--port", type=_PORT, default=port, help=f"default: {port}; 0 takes any free port"
    )


def serve_options(parser: ArgumentParser) -> None:
    parser.add_argument("--transport", choices=("stdio", "http", "sse"), default="stdio")
    add = parser.add_argument
    arguments.add_flag(add, "--with-sse", "http: also serve the older SSE transport")
    _add_address(parser, port=8000)
    what = "http: callers run on this computer, so they may use its files; needs a loopback --host"
    arguments.add_flag(add, "--local", what)


def serve(args: Namespace, terminal: Terminal) -> int:
    if args.transport == "stdio":
        from hailuo_mcp.server.stdio import serve_stdio

        serve_stdio(lambda: setting_sources.settings(args))
    from hailuo_mcp.server.http import serve_http

    path = "/sse" if args.transport == "sse" else "/mcp"
    serve_http(
        setting_sources.settings(args),
        transport=args.transport,
        with_sse=args.with_sse,
        host=args.host,
        port=args.port,
        local=args.local,
        serving=lambda url: terminal.say(f"Serving MCP at {url}{path}; Ctrl-C stops it."),
    )
    return exits.DONE


def sandbox_options(parser: ArgumentParser) -> None:
    _add_address(parser, port=8700)
    what = "render each size and length once, for tests"
    arguments.add_flag(parser.add_argument, "--fast-clips", what)
    parser.add_argument(
        "--seconds", type=arguments.seconds, default=4.0, help="until a clip is ready (default: 4)"
    )
    parser.add_argument(
        "--rpm",
        type=arguments.whole(0),
        default=0,
        help="submits per minute (default: 0, no limit)",
    )


def sandbox(args: Namespace, terminal: Terminal) -> int:
    from hailuo_mcp.errors import ConfigError, Do, Step
    from hailuo_mcp.files.private import private_folder
    from hailuo_mcp.sandbox.options import SandboxOptions
    from hailuo_mcp.sandbox.serve import serve_in_thread

    state_dir = setting_sources.settings(args).state_dir
    try:
        private_folder(state_dir)  # of the journal, too, which may come later
    except OSError as exc:
        raise ConfigError(
            f"The folder {state_dir} cannot be made ({system_reason(exc)}).",
            Step(Do.CHECK, "HAILUO_STATE_DIR"),
        ) from exc
    options = SandboxOptions(
        state_dir=state_dir / "sandbox",
        seconds_to_ready=args.seconds,
        rpm=args.rpm,
        fast_clips=args.fast_clips,
    )
    try:
        sandbox = serve_in_thread(options, args.host, args.port)
    except OSError as exc:
        raise ConfigError(
            f"The sandbox cannot listen on {args.host} port {args.port} ({system_reason(exc)}).",
            Step(Do.TRY, "choose another --port; 0 takes any free port"),
        ) from exc
    with sandbox:
        _introduce(terminal, sandbox)
        stopped = threading.Event()
        try:
            while not stopped.wait(1.0):  # Windows notices Ctrl-C only between waits
                pass
        except KeyboardInterrupt:
            terminal.note()
    return exits.DONE


def _introduce(terminal: Terminal, sandbox: RunningSandbox) -> None:
    from hailuo_mcp.dialects.providers import PROVIDERS

    bases = {
        row.name: sandbox.base_url + row.prefix for row in PROVIDERS.values() if not row.is_sandbox
    }
    if terminal.json:
        terminal.data({"base_url": sandbox.base_url, "providers": bases})
        return
    terminal.say(f"The sandbox listens on {sandbox.base_url}", style="bold")
    terminal.say("and imitates these providers; nothing is generated or charged:")
    terminal.say()
    terminal.table(("Provider", "Base URL"), list(bases.items()))
    terminal.say()
    first, *others = bases
    terminal.say("To use it from another terminal:", style="dim")
    address = {"HAILUO_BASE_URL": sandbox.base_url, "HAILUO_API_KEY": "free"}
    for line in (*words.exports(address), *words.exports({"HAILUO_PROVIDER": first})):
        terminal.say(f"  {line}")
    terminal.say(f"  (or {', '.join(others)})", style="dim")
    terminal.say()
    terminal.say("Faults on request: [sandbox:1026] or [sandbox:lost] in a prompt", style="dim")
    terminal.say(f"Its account book: {sandbox.base_url}/sandbox/book", style="dim")
    terminal.say("Ctrl-C stops it.", style="dim")
