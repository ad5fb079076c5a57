"""How a reply differs from what is documented, in words: for the page and for the report."""

from __future__ import annotations

from collections.abc import Mapping

from hailuo_mcp.verification.facts import Difference, Kind, Operation

_REPLY: Mapping[Operation, str] = {
    Operation.BALANCE: "the reply to the question for the balance",
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
    Kind.UNKNOWN_FIELD: "{reply} has a field that is not documented: {where}{found}.",
    Kind.MISSING_FIELD: "{reply} lacks a documented field: {where}.",
    Kind.OTHER_TYPE: "{reply} has another type in {where}{than}.",
    Kind.OTHER_VALUE: "{reply} has a wrong value in {where}{than}.",
    Kind.UNKNOWN_STATUS: "{reply} has a status word that is not documented{in_}{found}.",
    Kind.UNDOCUMENTED_CODE: "{reply} has a code that is not documented{in_}{found}.",
    Kind.OTHER_CODE: "{reply} has another code than this question should get{in_}{than}.",
    Kind.ACCEPTED: "a request that must be refused was not: its answer has {found_bare}.",
    Kind.LINK: "{reply} is not as documented{in_}{than}.",
    Kind.NO_ANSWER: "{reply} did not come.",
}


def difference_text(it: Difference) -> str:
    """One sentence about one difference."""
    where = f"`{it.where}`" if it.where else ""
    found = f" ({it.found})" if it.found else ""
    than = f": {it.found or 'nothing'} in place of {it.expected}" if it.expected else found
    text = _TEXT[it.kind].format(
        reply=_REPLY[it.operation],
        where=where,
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
