"""The command line: what a person types, and the only modules that print."""

from hailuo_mcp.cli.program import main

__all__ = ["main"]
