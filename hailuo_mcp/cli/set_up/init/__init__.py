"""`hailuo-mcp init`: set a client up."""
