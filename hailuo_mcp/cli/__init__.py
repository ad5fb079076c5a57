"""The command line: what a person types, and the only modules that print."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    from hailuo_mcp.cli.program import main as run

    return run(argv)
