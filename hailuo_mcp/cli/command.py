"""What a command is: a name, a line of help, its options, and what it does."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from hailuo_mcp.cli.terminal import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    name: str
    summary: str
    options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Terminal], int]
    """Returns the exit code; a HailuoError is told and mapped by the program."""
    epilog: str = ""
