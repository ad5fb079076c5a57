"""hailuo-mcp verify: prove a provider on the person's own account."""
