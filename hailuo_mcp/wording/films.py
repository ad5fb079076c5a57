"""Answers about films."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hailuo_mcp.wording.shapes import Storyboard

if TYPE_CHECKING:
    from hailuo_mcp.views import FilmView


def storyboard(view: FilmView) -> Storyboard:
    """The whole answer, for a plan and for a film that is being made."""
    raise NotImplementedError
