"""What a command is: a name, a line of help, what it does, and its options."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from hailuo_mcp.cli.terminal import Terminal


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    summary: str
    run: Callable[[Namespace, Terminal], int]
    """Returns the exit code; the program prints a HailuoError and maps it to one."""
    options: Callable[[ArgumentParser], None] | None = None
