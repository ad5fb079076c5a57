"""The Video Agent templates of both regions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from hailuo_mcp.catalog.data import rows, squeeze, table
from hailuo_mcp.catalog.prices import plan_unit
from hailuo_mcp.domain import Quote, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template as one region offers it."""

    template_id: str
    region: str
    name: str
    chinese: str
    aliases: tuple[str, ...]
    about: str
    images: int
    texts: int
    usd: Decimal | None
    """The historic global price; nothing is published for China."""
    source: str
    checked: str

    @property
    def names(self) -> tuple[str, ...]:
        both = (f"{self.chinese} {self.name}",) if self.chinese else ()
        return tuple(n for n in (self.name, self.chinese, *self.aliases, *both) if n)

    @property
    def inputs(self) -> str:
        """What it is filled with, in words."""
        parts = [
            f"{count} {word}{'s' if count > 1 else ''}"
            for count, word in ((self.images, "image"), (self.texts, "text"))
            if count
        ]
        return " and ".join(parts)

    @property
    def title(self) -> str:
        return f"{self.chinese} {self.name}" if self.chinese else self.name


REGIONS = ("cn", "global")


@cache
def templates(region: str) -> tuple[Template, ...]:
    """List the templates of a region; none where the provider has none."""
    whole = table("templates")
    return tuple(
        Template(
            template_id=row[region],
            region=region,
            name=row["name"],
            chinese=row.get("chinese", ""),
            aliases=tuple(row.get("aliases", ())),
            about=row.get("about", ""),
            images=row.get("images", 0),
            texts=row.get("texts", 0),
            usd=row.get("usd") if region == "global" else None,
            source=whole["source"],
            checked=str(whole["checked"]),
        )
        for row in rows("templates", "template")
        if region in REGIONS and region in row
    )


def find_template(text: str, region: str) -> Template | None:
    """Find the region's template by its id, or its name in either language."""
    wanted, key = text.strip(), squeeze(text)
    for template in templates(region):
        if template.template_id == wanted or (
            key and key in {squeeze(name) for name in template.names}
        ):
            return template
    return None


def model_title(model: str) -> str:
    """What people know a task's model by: a template's name instead of its id."""
    template_id = model.removeprefix("template ")
    if template_id == model:
        return model
    found = (find_template(template_id, region) for region in REGIONS)
    return next((f"template {one.title}" for one in found if one), model)


def nearest_template(text: str, region: str) -> Template | None:
    """Find the template probably meant by a name that is none."""
    from difflib import get_close_matches

    known = {squeeze(name): t for t in templates(region) for name in t.names}
    key = squeeze(text)[:80]
    close = get_close_matches(key, known, n=1, cutoff=0.6)
    parts = close or [k for k in known if key and (key in k or k in key)]
    return known[parts[0]] if parts else None


def template_price(template: Template | None, *, price_list: str, plan: str) -> Quote:
    """Price one template clip: in USD where one pays as one goes globally, else unpublished."""
    unit = plan_unit(plan, price_list)
    listed = price_list == "global" and unit is Unit.USD
    return Quote(amount=template.usd if template and listed else None, unit=unit)
