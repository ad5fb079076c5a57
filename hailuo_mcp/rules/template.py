"""A template request: the right id for the region, and the inputs that the template takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hailuo_mcp.catalog.prices import NO_PRICE, Price
from hailuo_mcp.catalog.video_templates import Template, find_template, nearest_template, templates
from hailuo_mcp.domain.requests import ImageFacts, Mode, TemplateRequest
from hailuo_mcp.errors import InvalidRequestError
from hailuo_mcp.rules.images import by_hand, picture_problems, size_steps
from hailuo_mcp.rules.judge import Checked, Seller, refusal
from hailuo_mcp.rules.prompt import SURROGATE, has_surrogate
from hailuo_mcp.text import shown

_REGION_WORDS = {"cn": "China", "global": "the global site"}
_SHORTEST_ID, _LONGEST_ID = 6, 32


@dataclass(slots=True, kw_only=True)
class TemplateVerdict:
    """Which template was meant, and what is wrong with its id or name."""

    template: Template | None = None
    problems: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    remark: str = ""
    """The available templates, if none has the name."""

    @property
    def price(self) -> Price:
        return Price(usd=self.template.usd) if self.template else NO_PRICE


def judge_template(name: str, seller: Seller) -> TemplateVerdict:
    """Judge an id or a name: the only place where this is decided.

    An unlisted id passes with a warning, because the lists may be outdated.
    """
    name, region = name.strip(), seller.templates
    if not seller.capabilities.templates:
        could = seller.elsewhere(mode=Mode.TEMPLATE)
        return TemplateVerdict(problems=[f"{seller.name} has no templates{could}"])
    if found := find_template(name, region):
        return TemplateVerdict(template=found)
    if name.isascii() and name.isdigit() and _SHORTEST_ID <= len(name) <= _LONGEST_ID:
        if wrong := _wrong_id(name, region):
            return TemplateVerdict(problems=[wrong])
        warning = (
            f"Template {name} is not in hailuo-mcp's lists: it is passed on with its inputs "
            "unchecked, and no price is published for it."
        )
        return TemplateVerdict(warnings=[warning])
    offered = "; ".join(it.line for it in templates(region))
    remark = f"The templates here: {offered}." if offered else ""
    if not name:
        wrong = "no template given: give its id or name"
    elif name.isascii() and name.isdigit():
        wrong = f"{shown(name)} is not a template's id; those have 18 digits"
    elif elsewhere := find_template(name, _other(region)):
        wrong = f"{elsewhere.title} is offered by {_REGION_WORDS[elsewhere.region]} only"
    elif near := nearest_template(name, region):
        wrong = f"unknown template {shown(name)} (nearest: {near.title})"
    else:
        wrong = f"unknown template {shown(name)}"
    return TemplateVerdict(problems=[wrong], remark=remark)


def need_template(name: str, seller: Seller) -> TemplateVerdict:
    """Judge an id or a name by itself; InvalidRequestError lists the templates."""
    verdict = judge_template(name, seller)
    if verdict.problems:
        raise refusal(verdict.problems, remark=verdict.remark)
    return verdict


def _other(region: str) -> str:
    return "global" if region == "cn" else "cn"


def _wrong_id(wanted: str, region: str) -> str:
    """Judge an id that this region does not list; "" if it may be valid."""
    if elsewhere := find_template(wanted, _other(region)):
        place = _REGION_WORDS[elsewhere.region]
        if here := _same(elsewhere, region):
            return f"{wanted} is {here.title} in {place}; here its id is {here.template_id}"
        return f"{wanted} is {elsewhere.title}, which only {place} offers"
    for place in (region, _other(region)):
        for listed in templates(place):
            if float(listed.template_id) == float(wanted):
                meant = _same(listed, region) or listed
                return (
                    f"{wanted} looks like {meant.title} after rounding; its id is "
                    f"{meant.template_id} (pass ids as text)"
                )
    return ""


def _same(template: Template, region: str) -> Template | None:
    """Find the same template in another region, where it may have another id."""
    return next((it for it in templates(region) if it.name == template.name), None)


def check_template(
    request: TemplateRequest,
    seller: Seller,
    *,
    pictures: Mapping[str, ImageFacts] | None = None,
    unread: Mapping[str, InvalidRequestError] | None = None,
) -> Checked[TemplateRequest]:
    """Return the request with the template's id; InvalidRequestError names every problem.

    `pictures` and `unread` are keyed media_inputs[0], media_inputs[1] …
    """
    unread = unread or {}
    verdict = judge_template(request.template_id, seller)
    problems = [*verdict.problems, *_input_problems(request, verdict.template, unread)]
    problems += picture_problems(pictures or {}, unread)
    if problems:
        steps = [step for why in unread.values() for step in why.then]
        steps += by_hand(size_steps(pictures or {}))
        raise refusal(problems, *steps, remark=verdict.remark)
    found = verdict.template
    template_id = found.template_id if found else request.template_id.strip()
    return Checked(
        request=replace(request, template_id=template_id),
        quote=seller.charge(verdict.price),
        warnings=tuple(verdict.warnings),
    )


def _input_problems(
    request: TemplateRequest, template: Template | None, unread: Mapping[str, InvalidRequestError]
) -> list[str]:
    given = {"picture": request.media_inputs, "text": request.text_inputs}
    problems = [
        f"{word} {at} is empty"
        for word, values in given.items()
        for at, value in enumerate(values, 1)
        if not value.strip() and not (word == "picture" and f"media_inputs[{at - 1}]" in unread)
    ]
    problems += [
        f"text {at} {SURROGATE}"
        for at, value in enumerate(request.text_inputs, 1)
        if has_surrogate(value)
    ]
    if template:
        needed = {"picture": template.images, "text": template.texts}
        problems += [
            f"{template.title} takes {count or 'no'} {word}{'' if count == 1 else 's'}, not "
            f"{len(given[word])}"
            for word, count in needed.items()
            if len(given[word]) != count
        ]
    return problems
