"""How much of a model's context the tools take: python tests/tokens.py."""

from __future__ import annotations

import json
import sys

from hailuo_mcp.server.mcp_server import instructions
from hailuo_mcp.server.tools import all_tools

BYTES_PER_TOKEN = 4


def tokens(value: object) -> int:
    """Bytes of compact JSON over four: the usual rule of thumb, and the same for every server."""
    line = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return -(-len(line.encode()) // BYTES_PER_TOKEN)


def count() -> dict[str, tuple[int, int]]:
    """For each tool what a model reads of it, and its output schema, which some hosts add."""
    return {
        tool.name: (
            tokens(
                {
                    "name": tool.name,
                    "description": tool.description,
                    "inputSchema": tool.parameters,
                }
            ),
            tokens(tool.output_schema),
        )
        for tool in all_tools()
    }


def main() -> None:
    counted = count()
    rows = [
        *counted.items(),
        (
            "all tools",
            (
                sum(i for i, _ in counted.values()),
                sum(o for _, o in counted.values()),
            ),
        ),
        ("instructions", (tokens(instructions()), 0)),
    ]
    for name, (read, output) in rows:
        sys.stdout.write(f"{name:24}{read:6}{output:6}\n")


if __name__ == "__main__":
    main()
