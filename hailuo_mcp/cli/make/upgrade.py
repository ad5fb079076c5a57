"""upgrade: make a finished draft again at 2K."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from hailuo_mcp.cli import arguments
from hailuo_mcp.cli.make.buy import buy
from hailuo_mcp.cli.output.terminal import Terminal

if TYPE_CHECKING:
    from hailuo_mcp.cli.session import Session
    from hailuo_mcp.domain.requests import UpgradeRequest


def upgrade_options(parser: ArgumentParser) -> None:
    what = "the id of the draft, a saved clip of MiniMax-H3 at 768P"
    arguments.add_subject(parser, "task_id", "--task-id", metavar="ID", what=what, needed=True)
    add = parser.add_argument_group("clip").add_argument
    what = "2K, the only one so far"
    flags = ("-r", "--resolution")
    add(*flags, type=arguments.plain, default="2K", metavar="SIZE", help=what)
    arguments.add_terms(parser, takes=False)


def upgrade(args: Namespace, terminal: Terminal) -> int:
    async def wanted(session: Session) -> UpgradeRequest:
        return await session.studio.upgrade_request(args.task_id, args.resolution)

    return buy(args, terminal, wanted)
