"""Which dialect a provider speaks; apart from the table of providers, which all commands need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from hailuo_mcp.catalog.video_models import api_of, models
from hailuo_mcp.dialects.compat import Compat
from hailuo_mcp.dialects.dialect import Dialect, Provider
from hailuo_mcp.dialects.minimax import MiniMax
from hailuo_mcp.dialects.minimax_v2 import MiniMaxV2
from hailuo_mcp.dialects.xcompute import XCompute
from hailuo_mcp.domain.remote import Api, Capabilities

_DIALECTS: Mapping[str, Callable[[Provider], Dialect]] = MappingProxyType(
    {
        "minimax": MiniMax,
        "xcompute": XCompute,
        "compat": Compat,
        "compat-v3": lambda provider: Compat(provider, legacy=True),
    }
)


def dialect_of(provider: Provider, model: str = "") -> Dialect:
    """Return the dialect that a provider speaks about this model."""
    if provider.v2 and api_of(model) is Api.V2:
        return MiniMaxV2(provider)
    return _DIALECTS[provider.dialect](provider)


def capabilities_of(provider: Provider) -> Capabilities:
    """Return what a provider can do, with all its models."""
    first = dialect_of(provider).capabilities
    on_v2 = frozenset(model.name for model in models() if model.api is Api.V2)
    if not provider.v2:
        return replace(first, not_offered=on_v2)
    second = MiniMaxV2(provider).capabilities
    return replace(first, modes=first.modes | second.modes, aspect_ratio=second.aspect_ratio)
