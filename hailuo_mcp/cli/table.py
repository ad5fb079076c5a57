"""The table of commands, in the order of the help."""

from hailuo_mcp.cli import making, pricing, serving, tracking
from hailuo_mcp.cli.command import Command

COMMANDS: tuple[Command, ...] = (
    *making.COMMANDS,
    *tracking.COMMANDS,
    *pricing.COMMANDS,
    *serving.COMMANDS,
)
