"""The formats by the dialects that speak them."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.verification.replies import compat, minimax, minimax_v2, xcompute
from hailuo_mcp.verification.replies.parts import Format

V2 = minimax_v2.FORMAT
FORMATS: Mapping[str, Format] = {
    "minimax": minimax.FORMAT,
    "xcompute": xcompute.FORMAT,
    "compat": compat.FORMAT,
    "compat-v3": compat.LEGACY,
}
