"""Commands that serve, and the tenants of a server."""
