"""The program: alone it serves stdio, with arguments it is a command line."""

import gc
import os
import sys

_OBJECTS = 50_000
"""New objects between two walks of the collector; Python's own 700 cost a tenth of a command."""


def main() -> int:
    """Start as fast as Python can: the collector rests while modules load."""
    gc.disable()
    if "_ARGCOMPLETE" in os.environ:
        from hailuo_mcp.cli.completing import complete

        complete()
    if len(sys.argv) == 1:
        if sys.stdin and sys.stdin.isatty():
            sys.stderr.write("Serving MCP over stdio. `hailuo-mcp --help` shows the commands.\n")
        from hailuo_mcp.server import stdio

        stdio.main()
    try:
        from hailuo_mcp import cli

        gc.set_threshold(_OBJECTS)  # each command loads more, which stays as well
        gc.enable()
        return cli.main(sys.argv[1:])
    except KeyboardInterrupt:  # before the command line could take it
        return 130


if __name__ == "__main__":
    sys.exit(main())
