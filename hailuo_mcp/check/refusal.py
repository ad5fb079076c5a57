"""How a refusal reads: every problem at once, that nothing was charged, and what would work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hailuo_mcp.domain import Carries, Mode
from hailuo_mcp.errors import InvalidRequestError


def refusal(problems: Sequence[str], help_: str = "") -> InvalidRequestError:
    """The error that names all problems; `help_` is a sentence on what to do instead."""
    opening = "Refused" if len(problems) == 1 else f"Refused for {len(problems)} reasons"
    parts = [f"{opening}: {'; '.join(problems)}.", "Nothing was sent or charged.", help_]
    return InvalidRequestError(" ".join(part for part in parts if part))


def able(
    others: Mapping[str, Carries], *, mode: Mode | None = None, model: str = "", option: str = ""
) -> str:
    """Which other providers could, as the end of a clause; "" where none is known to."""
    names = [
        name
        for name, carries in others.items()
        if (mode is None or mode in carries.modes)
        and (not model or carries.models is None or model in carries.models)
        and (not option or bool(getattr(carries, option)))
    ]
    return f" ({', '.join(names)} can)" if names else ""
