"""How a reply differs from what is documented, in words: for the page and for the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from hailuo_mcp.verification.facts import Difference, Kind, Operation

_REPLY: Mapping[Operation, str] = {
    Operation.BALANCE: "the reply about the plan's quota",
    Operation.SUBMIT: "the reply to a submit",
    Operation.STATUS: "the reply to a status request",
    Operation.FILE: "the reply to a file request",
    Operation.TEMPLATE_SUBMIT: "the reply to a template submit",
    Operation.TEMPLATE_STATUS: "the reply to a template status request",
    Operation.LIST: "the list of tasks",
    Operation.LINK: "the clip's link",
}
_TEXT: Mapping[Kind, str] = {
    Kind.UNREADABLE: "{reply} is not the JSON object that is documented{found}.",
    Kind.HTTP_STATUS: "{reply} has another HTTP status{than}.",
    Kind.HEADER: "{reply} has another header {where}{than}.",
    Kind.UNKNOWN_FIELD: "{reply} has {fields} not documented: {where}.",
    Kind.MISSING_FIELD: "{reply} lacks {fields} documented: {where}.",
    Kind.OTHER_TYPE: "{reply} has another type in {where}{than}.",
    Kind.OTHER_VALUE: "{reply} has a wrong value in {where}{than}.",
    Kind.UNKNOWN_STATUS: "{reply} has a status word that is not documented{in_}{found}.",
    Kind.UNDOCUMENTED_CODE: "{reply} has a code that is not documented{in_}{found}.",
    Kind.OTHER_CODE: "{reply} has another code than this question should get{in_}{than}.",
    Kind.ACCEPTED: "a request that must be refused was not: its answer has {found_bare}.",
    Kind.LINK: "{reply} is not as documented{in_}{than}.",
    Kind.NO_ANSWER: "{reply} did not come.",
}


HIDES = "`…` stands for something that may not be shown here; `--record` shows its form."
_LISTS_FIELDS = (Kind.UNKNOWN_FIELD, Kind.MISSING_FIELD)
"""What is said once of all the fields of one reply."""


def difference_texts(differences: Iterable[Difference]) -> list[str]:
    """One sentence about each difference, and one about all fields that are too much or missing."""
    alike: dict[Difference, list[Difference]] = {}
    for it in differences:
        lists = it.kind in _LISTS_FIELDS
        alike.setdefault(replace(it, where="", found="") if lists else it, []).append(it)
    return list(dict.fromkeys(_text(group) for group in alike.values()))


def _text(group: list[Difference]) -> str:
    it = group[0]
    where = f"`{it.where}`" if it.where else ""
    found = f" ({it.found})" if it.found else ""
    than = f": {it.found or 'nothing'} in place of {it.expected}" if it.expected else found
    if it.kind in _LISTS_FIELDS:
        names = (f"`{each.where}`" + (f" ({each.found})" if each.found else "") for each in group)
        where = ", ".join(dict.fromkeys(names))
    text = _TEXT[it.kind].format(
        reply=_REPLY[it.operation],
        where=where,
        fields="a field that is" if len(group) == 1 else "fields that are",
        in_=f" in {it.where if it.kind is Kind.LINK else where}" if where else "",
        found=found,
        than=than,
        found_bare=it.found or "no refusal",
    )
    if it.operation is Operation.LINK and it.kind is Kind.OTHER_VALUE:
        text = f"the clip has another {it.where} than was asked for{than}."
    if it.kind is Kind.HEADER and it.found == "absent":
        text = f"{_REPLY[it.operation]} lacks the documented header {where}."
    text = f"{text[:1].upper()}{text[1:]}"
    if it.known:
        text += f" Known since {it.known}."
    return f"{text} {it.note}".rstrip()
