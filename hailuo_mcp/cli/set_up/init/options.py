"""The options of init; what it does is in command.py, which loads more slowly."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.mcp_clients import client_setups
from hailuo_mcp.cli import arguments

if TYPE_CHECKING:
    from hailuo_mcp.cli.output.terminal import Terminal


def init_options(parser: ArgumentParser) -> None:
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
    from hailuo_mcp.cli.set_up.init import command

    return command.init(args, terminal)
