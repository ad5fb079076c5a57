"""The page beside an answer (MCP Apps), the tools that only it calls, and GET /gallery."""
