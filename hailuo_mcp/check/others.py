"""Which other provider could do what this one cannot."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.domain import Carries, Mode


def able(
    others: Mapping[str, Carries], *, mode: Mode | None = None, model: str = "", option: str = ""
) -> str:
    """Name the providers that could, as the end of a clause; "" where none is known to."""
    names = [
        name
        for name, carries in others.items()
        if (mode is None or mode in carries.modes)
        and (not model or carries.models is None or model in carries.models)
        and (not option or bool(getattr(carries, option)))
    ]
    return f" ({', '.join(names)} can)" if names else ""
