"""What the operator decides: the variables, read once and passed down as values."""

from hailuo_mcp.settings.table import Settings, nearest_variable, option_help, variable_of

__all__ = ["Settings", "nearest_variable", "option_help", "variable_of"]
