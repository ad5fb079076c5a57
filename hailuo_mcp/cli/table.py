"""The table of commands, in the order of the help."""

from hailuo_mcp.cli import (
    choosing,
    doctor,
    init,
    journal,
    listing,
    making,
    pricing,
    serving,
    tracking,
)
from hailuo_mcp.cli.command import Command

COMMANDS: tuple[Command, ...] = (
    *making.COMMANDS,
    *tracking.COMMANDS,
    *listing.COMMANDS,
    *pricing.COMMANDS,
    *choosing.COMMANDS,
    *serving.COMMANDS,
    *doctor.COMMANDS,
    *journal.COMMANDS,
    *init.COMMANDS,
)
