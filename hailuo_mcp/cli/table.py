"""The table of commands, in the order of the help."""

from hailuo_mcp.cli import (
    buy as making,
)
from hailuo_mcp.cli import (
    choosing,
    journal,
    listing,
    pricing,
    serving,
)
from hailuo_mcp.cli import (
    task as tracking,
)
from hailuo_mcp.cli.command import Command
from hailuo_mcp.cli.doctor import command as doctor
from hailuo_mcp.cli.init import command as init

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
