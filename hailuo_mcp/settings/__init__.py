"""The settings: read once from variables, passed down as values."""

from hailuo_mcp.settings.table import Settings, nearest_variable, variable_of

__all__ = ["Settings", "nearest_variable", "variable_of"]
