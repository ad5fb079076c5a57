"""The settings: read once from variables and the configuration, passed down as values."""

from hailuo_mcp.settings.table import Settings, nearest_variable, read_settings, variable_of

__all__ = ["Settings", "nearest_variable", "read_settings", "variable_of"]
