"""The Video Agent templates of both regions and their inputs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from hailuo_mcp.catalog.tables import rows, table
from hailuo_mcp.text import number, squeeze


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One template as one region offers it."""

    template_id: str
    region: str
    name: str
    chinese: str = ""
    aliases: tuple[str, ...] = ()
    about: str = ""
    images: int = 0
    texts: int = 0
    usd: Decimal | None = None
    """The historic global price; nothing is published for China."""
    source: str
    checked: str

    @property
    def names(self) -> tuple[str, ...]:
        both = (f"{self.chinese} {self.name}",) if self.chinese else ()
        return tuple(n for n in (self.name, self.chinese, *self.aliases, *both) if n)

    @property
    def inputs(self) -> str:
        """Its inputs, in words."""
        parts = [
            f"{count} {word}{'s' if count > 1 else ''}"
            for count, word in ((self.images, "image"), (self.texts, "text"))
            if count
        ]
        return " and ".join(parts)

    @property
    def title(self) -> str:
        return f"{self.chinese} {self.name}" if self.chinese else self.name

    @property
    def line(self) -> str:
        """Id, title, inputs and price, to choose from."""
        price = f", {number(self.usd)} USD" if self.usd is not None else ""
        return f'"{self.template_id}" {self.title}: {self.inputs}{price}'


REGIONS = ("cn", "global")


@cache
def templates(region: str) -> tuple[Template, ...]:
    """List the templates of a region; empty if the provider has none."""
    whole = table("templates")
    # The published prices are the global region's.
    dropped = {*REGIONS} if region == "global" else {*REGIONS, "usd"}
    return tuple(
        Template(
            template_id=row[region],
            region=region,
            source=whole["source"],
            checked=whole["checked"],
            **{key: fact for key, fact in row.items() if key not in dropped},
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
    """A task's model for people: a template's name instead of its id."""
    template_id = model.removeprefix("template ")
    if template_id == model:
        return model
    found = (find_template(template_id, region) for region in REGIONS)
    return next((f"template {one.title}" for one in found if one), model)


def nearest_template(text: str, region: str) -> Template | None:
    """Find the template that an unknown name probably means."""
    from difflib import get_close_matches

    known = {squeeze(name): t for t in templates(region) for name in t.names}
    key = squeeze(text)[:80]
    near = get_close_matches(key, known, n=1, cutoff=0.6) or [
        name for name in known if key and (key in name or name in key)
    ]
    return known[near[0]] if near else None
