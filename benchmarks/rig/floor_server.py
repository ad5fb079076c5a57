"""The floor: an empty server as the SDK's documentation writes one."""

from mcp.server.mcpserver import MCPServer

mcp = MCPServer("Empty")

if __name__ == "__main__":
    mcp.run()
