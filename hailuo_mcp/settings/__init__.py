"""The settings: read once from variables, passed down as values."""

from hailuo_mcp.settings.table import (
    Settings,
    flag_of,
    nearest_variable,
    option_help,
    variable_of,
)

__all__ = ["Settings", "flag_of", "nearest_variable", "option_help", "variable_of"]
