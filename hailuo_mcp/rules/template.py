"""A template request: the right id for the region, and the inputs that the template takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hailuo_mcp.catalog.video_templates import Template, find_template, nearest_template, templates
from hailuo_mcp.domain import Capabilities, ImageFacts, Mode, TemplateRequest
from hailuo_mcp.rules.images import image_problems as picture_problems
from hailuo_mcp.rules.others import able
from hailuo_mcp.text import refusal, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTemplate:
    """A template request that may be bought."""

    request: TemplateRequest
    """With the template's id in place of its name."""
    warnings: tuple[str, ...] = ()
    template: Template | None = None
    """None where the id is in neither list."""


_REGION_WORDS = {"cn": "China", "global": "the global site"}
_SHORTEST_ID, _LONGEST_ID = 6, 32


def _other(region: str) -> str:
    return "global" if region == "cn" else "cn"


def _list(region: str) -> str:
    offered = "; ".join(f"{t.title} ({t.inputs})" for t in templates(region))
    return f"The templates here: {offered}." if offered else ""


def _rounded(template_id: str, region: str) -> Template | None:
    """Find the template whose id this one becomes when it passes through a float."""
    for template in templates(region):
        if float(template.template_id) == float(template_id):
            return template
    return None


def _same(template: Template, region: str) -> Template | None:
    """Find the same template in another region, where it may have another id."""
    return next((t for t in templates(region) if t.name == template.name), None)


def _unknown_id(wanted: str, region: str) -> str:
    """Judge an id that this region does not list; "" where nothing speaks against it."""
    if elsewhere := find_template(wanted, _other(region)):
        place = _REGION_WORDS[elsewhere.region]
        if here := _same(elsewhere, region):
            return f"{wanted} is {here.title} in {place}; here its id is {here.template_id}"
        return f"{wanted} is {elsewhere.title}, which only {place} offers"
    for place in (region, _other(region)):
        if meant := _rounded(wanted, place):
            here = _same(meant, region) or meant
            return (
                f"{wanted} looks like {here.title} after rounding; its id is {here.template_id} "
                "(pass ids as text)"
            )
    return ""


def _unknown_name(wanted: str, region: str) -> str:
    if elsewhere := find_template(wanted, _other(region)):
        return f"{elsewhere.title} is offered by {_REGION_WORDS[elsewhere.region]} only"
    if near := nearest_template(wanted, region):
        return f"there is no template {shown(wanted)} (the nearest is {near.title})"
    return f"there is no template {shown(wanted)}"


def _judge(wanted: str, region: str) -> tuple[str, str]:
    """Say what is wrong with an id or name that is not listed, and what helps."""
    if not wanted:
        return "template_id is empty: it takes a template's id or name", _list(region)
    if not (wanted.isascii() and wanted.isdigit()):
        wrong = _unknown_name(wanted, region)
        return wrong, "" if "nearest" in wrong else _list(region)
    if not _SHORTEST_ID <= len(wanted) <= _LONGEST_ID:
        return f"{shown(wanted)} is no template id; those have 18 digits", _list(region)
    return _unknown_id(wanted, region), ""


def _inputs(
    request: TemplateRequest, template: Template | None, image_problems: Sequence[str]
) -> list[str]:
    problems = [
        f"{name}[{at}] is empty"
        for name, values in (
            ("text_inputs", request.text_inputs),
            ("media_inputs", request.media_inputs),
        )
        for at, value in enumerate(values)
        if not value.strip()
        and not any(said.startswith(f"{name}[{at}]") for said in image_problems)
    ]
    if any("\ud800" <= c <= "\udfff" for text in request.text_inputs for c in text):
        problems.append("text_inputs has broken characters (lone surrogates)")
    if template is None:
        return problems
    for name, given, needed, word in (
        ("media_inputs", len(request.media_inputs), template.images, "image"),
        ("text_inputs", len(request.text_inputs), template.texts, "text"),
    ):
        if given != needed:
            amount = f"{needed or 'no'} {word}{'' if needed == 1 else 's'}"
            problems.append(f"{template.title} takes {amount} in {name}, and {given} came")
    return problems


def check_template(
    request: TemplateRequest,
    *,
    images: Mapping[str, ImageFacts] | None = None,
    image_problems: Sequence[str] = (),
    capabilities: Capabilities,
    region: str,
    provider: str,
    others: Mapping[str, Capabilities] | None = None,
) -> CheckedTemplate:
    """Return the request with the template's id; InvalidRequestError names every problem.

    `region` says whose list holds ("" for a provider without templates). An id that is in no list
    passes with a warning, because the lists are copies of a date.
    """
    wanted = request.template_id.strip()
    problems: list[str] = []
    warnings: list[str] = []
    if not capabilities.templates:
        could = able(
            {name: c for name, c in (others or {}).items() if name != provider}, mode=Mode.TEMPLATE
        )
        problems.append(f"{provider} has no templates{could}")
    template = find_template(wanted, region) if wanted else None
    advice = ""
    if template is None and capabilities.templates:
        wrong, advice = _judge(wanted, region)
        problems += [wrong] if wrong else []
        if not wrong:
            warnings.append(
                f"Template {wanted} is in no list that hailuo-mcp has: it is passed on as it is, "
                "without a published price and with its inputs unchecked."
            )
    problems += _inputs(request, template, image_problems)
    problems += image_problems
    for name, facts in (images or {}).items():
        problems += picture_problems(name, facts)
    if problems:
        raise refusal(problems, advice)
    if template is not None:
        wanted = template.template_id
    return CheckedTemplate(
        request=replace(request, template_id=wanted), warnings=tuple(warnings), template=template
    )
