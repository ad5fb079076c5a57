"""Which other provider could do what this one cannot."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.domain import Capabilities, Mode


def able(
    others: Mapping[str, Capabilities],
    *,
    mode: Mode | None = None,
    model: str = "",
    option: str = "",
) -> str:
    """Name the providers that could, as the end of a clause; "" where none is known to."""
    names = [
        name
        for name, capabilities in others.items()
        if (mode is None or mode in capabilities.modes)
        and (not model or capabilities.models is None or model in capabilities.models)
        and (not option or option in capabilities.options)
    ]
    return f" ({', '.join(names)} can)" if names else ""
