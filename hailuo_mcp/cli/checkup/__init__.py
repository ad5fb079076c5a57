"""The examinations of `hailuo-mcp doctor`: each looks at one thing, changes and buys nothing."""

from hailuo_mcp.cli.checkup.chain import examine
from hailuo_mcp.cli.checkup.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
