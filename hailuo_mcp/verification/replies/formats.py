"""The formats by the dialects that speak them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pydantic import BaseModel

from hailuo_mcp.verification.replies import compat, minimax, minimax_v2, xcompute
from hailuo_mcp.verification.replies.parts import Format, OpenShape, Shape

V2 = minimax_v2.FORMAT
FORMATS: Mapping[str, Format] = {
    "minimax": minimax.FORMAT,
    "xcompute": xcompute.FORMAT,
    "compat": compat.FORMAT,
    "compat-v3": compat.LEGACY,
}
_MOST = 200


def bounded(found: Mapping[str, object]) -> dict[str, object]:
    """Return an object with no more fields than one can look at, documented ones before others."""
    if len(found) <= _MOST:
        return dict(found)
    kept = sorted(found, key=lambda name: name not in _documented())[:_MOST]
    return {name: found[name] for name in kept}


@cache
def _documented() -> frozenset[str]:
    kinds: list[type[BaseModel]] = [Shape, OpenShape]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return frozenset(name for kind in kinds for name in kind.model_fields)
