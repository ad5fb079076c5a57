"""Hailuo (MiniMax) video generation: an MCP server, a Python client and a command line."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hailuo_mcp.client import HailuoClient
    from hailuo_mcp.domain.requests import TemplateRequest, UpgradeRequest, VideoRequest
    from hailuo_mcp.errors import HailuoError

__version__ = "0.1.0"
__all__ = [
    "HailuoClient",
    "HailuoError",
    "TemplateRequest",
    "UpgradeRequest",
    "VideoRequest",
    "__version__",
]

_HOMES = {
    "HailuoClient": "hailuo_mcp.client",
    "HailuoError": "hailuo_mcp.errors",
    "TemplateRequest": "hailuo_mcp.domain.requests",
    "UpgradeRequest": "hailuo_mcp.domain.requests",
    "VideoRequest": "hailuo_mcp.domain.requests",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # PEP 562: public names load when first used
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
