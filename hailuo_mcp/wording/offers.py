"""A purchase before it is made, for a person: what will be made, its price, the budget after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hailuo_mcp.catalog.prices import price_words
from hailuo_mcp.catalog.video_templates import model_title
from hailuo_mcp.domain.requests import (
    IMAGE_FIELDS,
    REFERENCE_FIELDS,
    AnyRequest,
    Mode,
    TemplateRequest,
    VideoRequest,
)
from hailuo_mcp.text import number, shown
from hailuo_mcp.wording.phrases import amount

if TYPE_CHECKING:
    from hailuo_mcp.views import Offer

_FROM = {
    Mode.T2V: "from text",
    Mode.I2V: "from a first frame",
    Mode.FL2V: "from a first and a last frame",
    Mode.S2V: "of a subject",
    Mode.R2V: "from references",
    Mode.UPGRADE: "from a finished draft",
}
_PERIODS = {"day": " today", "month": " this month"}
_FEWEST = 20
"""Characters of the prompt that are shown even where the line gets long."""
_NAME = 30


def offered_clip(offer: Offer, request: AnyRequest | None = None, *, width: int = 100) -> str:
    """What will be made, with as much of the prompt as a line of this width has room for."""
    draft = offer.draft
    named = ", ".join(pictures(request)) if request else ""
    made = _FROM.get(draft.mode, "")
    if made and named:
        made, named = f"{made} ({named})", ""
    parts = (
        model_title(draft.model),
        draft.resolution or "",
        f"{draft.duration} s" if draft.duration else "",
        made,
        f"take {draft.take}" if draft.take > 1 else "",
    )
    what = ", ".join(part for part in parts if part) + (f" ({named})" if named else "")
    prompt = " ".join(draft.prompt.split())
    if not prompt:
        return what
    return f'"{shown(prompt, max(_FEWEST, width - len(what) - 5))}": {what}'


def offered_price(offer: Offer, *, price: str = "") -> str:
    """The price, what it counts as, and what it leaves of the budget: one clause."""
    draft, so_far = offer.draft, offer.spending
    known = price or price_words(offer.quote)
    said = [known if draft.amount is not None else "unknown, none is published"]
    if offer.reserved_amount is not None and offer.reserved_amount != draft.amount:
        said.append(f"it counts as {amount(offer.reserved_amount, draft.unit)}")
    if so_far.budget is not None and so_far.left is not None:
        after = so_far.left - (offer.reserved_amount or 0)
        whole = amount(so_far.budget, draft.unit)
        when = _PERIODS.get(so_far.period, "")
        said.append(f"{number(after)} of {whole} left{when} after it")
    return "; ".join(said)


def pictures(request: AnyRequest) -> Iterator[str]:
    """The pictures, clips and sounds that a request names, as a person would call them."""
    given: tuple[str, ...] = ()
    if isinstance(request, TemplateRequest):
        given = request.media_inputs
    elif isinstance(request, VideoRequest):
        given = tuple(getattr(request, name) for name in IMAGE_FIELDS)
        given += tuple(text for name in REFERENCE_FIELDS for text in getattr(request, name))
    for text in filter(None, given):
        yield _short_name(text)


def _short_name(text: str) -> str:
    if text.startswith("data:"):
        return "a picture"
    if text.lower().startswith("task:"):
        return text
    path = text.partition("?")[0] if "://" in text else text
    return shown(path.replace("\\", "/").rstrip("/").rpartition("/")[2] or text, _NAME)
