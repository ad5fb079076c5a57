"""Video Agent templates: both regional lists and what each needs (facts 6, as of 2026-07-31)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from hailuo_mcp.sandbox.refusal import invalid
from hailuo_mcp.sandbox.rules import Order, only, text

_FIELDS = frozenset({"template_id", "text_inputs", "media_inputs", "callback_url"})
_ID_DIGITS = 18

# id → name, pictures, texts. Diving is the one template whose id differs between the regions.
TEMPLATES: dict[str, tuple[str, int, int]] = {
    "392753057216684038": ("跳水 Diving", 1, 0),
    "393881433990066176": ("吊环 Still rings", 1, 0),
    "393769180141805569": ("绝地求生 Run for life", 1, 1),
    "394246956137422856": ("万物皆可 labubu", 1, 0),
    "393879757702918151": ("麦当劳宠物外卖员 Pet courier", 1, 0),
    "393766210733957121": ("藏族风写真 Tibetan portrait", 1, 0),
    "394125185182695432": ("生无可恋", 0, 1),
    "393857704283172864": ("情书写真 Love-letter portrait", 1, 0),
    "398574688191234048": ("四季写真 Four seasons", 1, 0),
    "393866076583718914": ("女模特试穿广告 Female try-on", 1, 0),
    "393876118804459526": ("男模特试穿广告 Male try-on", 1, 0),
    "392747428568649728": ("Diving", 1, 0),
    "397087679467597833": ("Transformers", 1, 0),
    "393498001241890824": ("Weightlifting", 1, 0),
    "393488336655310850": ("Climbing", 1, 0),
    "394514820878671878": ("Anime life sim", 0, 1),
    "397017167949312007": ("Pet pilot", 1, 0),
    "394176968202485769": ("Miniature set ad", 1, 0),
    "394875727173492739": ("Art fonts", 0, 1),
    "394220989629177861": ("Drinkfall", 1, 0),
    "393853165953970178": ("E-commerce display", 0, 1),
    "401431836934868999": ("3D character product", 1, 1),
}


def read(body: Mapping[str, object]) -> Order:
    """Return what a template create asks for, or refuse it."""
    only(body, _FIELDS)
    template_id = text(body, "template_id")
    texts = _values(body, "text_inputs")
    pictures = _values(body, "media_inputs")
    if not template_id:
        raise invalid("template_id is required")
    if template_id in TEMPLATES:
        name, needs_pictures, needs_texts = TEMPLATES[template_id]
        if len(pictures) != needs_pictures:
            raise invalid(f"template {template_id} takes {needs_pictures} media_inputs")
        if len(texts) != needs_texts:
            raise invalid(f"template {template_id} takes {needs_texts} text_inputs")
    elif len(template_id) == _ID_DIGITS and template_id.isdigit():
        # New templates come without notice, so an id of the right form is believed.
        name = "Template"
    else:
        raise invalid(f"template {template_id[:40]} does not exist")
    return Order(
        model="video-agent",
        mode="template",
        resolution="768P",
        first=pictures[0] if pictures else "",
        callback_url=text(body, "callback_url"),
        template_id=template_id,
        prompt=name,
        texts=tuple(texts),
    )


def _values(body: Mapping[str, object], name: str) -> list[str]:
    """Return the values of `[{"value": "…"}]`."""
    entries = body.get(name)
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise invalid(f"{name} must be an array")
    values: list[str] = []
    for entry in cast("Sequence[object]", entries):
        value = cast("dict[str, object]", entry).get("value") if isinstance(entry, dict) else None
        if not isinstance(value, str) or not value:
            raise invalid(f"{name} must hold objects with a value")
        values.append(value)
    return values
