"""The checks of `hailuo-mcp doctor`: each looks at one thing, changes and buys nothing."""
