"""Compares a reply with what is documented, and finds all differences at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hailuo_mcp.dialects.dialect import HttpReply, Provider
from hailuo_mcp.dialects.parsing import fields, items
from hailuo_mcp.verification.expected import expected, speaks_v2
from hailuo_mcp.verification.facts import Difference, Exchange, Kind, Operation
from hailuo_mcp.verification.known import marked
from hailuo_mcp.verification.redaction import media_type, safe_name, safe_word
from hailuo_mcp.verification.replies.parts import NOT_A_LINK, OTHER_TYPE, Expected, Finding

_MOST = 50
"""A reply with more differences is another format: the rest says nothing new."""
_DEEPEST = 40
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_SUBMITS = (Operation.SUBMIT, Operation.TEMPLATE_SUBMIT)
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
}


def compare(
    provider: Provider, exchange: Exchange, expected_codes: frozenset[str] = frozenset()
) -> tuple[Difference, ...]:
    """Return every way in which a reply is not what is documented; never raises.

    `expected_codes` is for a question that must be refused: an unknown id, a request without
    content. They are the codes documented (or taken) for it, as the reply spells them: "2013",
    "upstream_not_found_or_no_permission", "invalid_request_error", and "http_404" for a bare HTTP
    status. Any one of them is right. A submit that was not refused is then Kind.ACCEPTED, whatever
    else its reply holds; a read that was not refused, or a refusal with another documented code,
    is Kind.OTHER_CODE. Without `expected_codes` any documented code is right.
    """
    findings = _findings(provider, exchange, expected_codes)
    found = dict.fromkeys(_worded(exchange.operation, it) for it in findings)
    v2 = speaks_v2(provider, exchange.request)
    return tuple(marked(provider, it, v2=v2) for it in list(found)[:_MOST])


def _findings(
    provider: Provider, exchange: Exchange, expected_codes: frozenset[str]
) -> Iterator[Finding]:
    reply, operation = exchange.reply, exchange.operation
    if operation is Operation.LINK:
        yield from _of_link(reply)
        return
    body = _body(reply)
    documented = expected(provider, exchange, body or {})
    if documented is None:
        return
    if expected_codes:
        yield from _of_question(operation, documented, reply, expected_codes)
    if reply.status not in documented.statuses and f"http_{reply.status}" not in expected_codes:
        shown = ", ".join(map(str, sorted(documented.statuses)))
        most = 12
        wanted = shown if len(documented.statuses) <= most else "4xx"
        yield Finding(Kind.HTTP_STATUS, "", wanted, str(reply.status))
    of_nobody = documented.shape is None and reply.status not in documented.statuses
    if body is None and not of_nobody:
        found = "nothing" if not reply.body.strip() else media_type(reply.headers)
        yield Finding(Kind.UNREADABLE, "", "a JSON object", found)
    if not of_nobody:
        yield from _of_headers(documented, reply)
    if body is None:
        return
    yield from _of_text(reply)
    yield from _of_codes(documented, expected_codes)
    if documented.shape is not None:
        yield from _of_shape(documented.shape, body)
    yield from documented.more


def _of_link(reply: HttpReply) -> Iterator[Finding]:
    """The clip itself: video, and no JSON (facts 1.7)."""
    if not reply.ok:
        yield Finding(Kind.HTTP_STATUS, "", "200", str(reply.status))
    elif reply.body[4:8] != b"ftyp" and reply.body:
        found = "JSON" if _body(reply) is not None else media_type(reply.headers)
        yield Finding(Kind.LINK, "", "an MP4 file", found)


def _of_question(
    operation: Operation, documented: Expected, reply: HttpReply, wanted: frozenset[str]
) -> Iterator[Finding]:
    shown = " or ".join(sorted(_code(it) for it in wanted))
    if not documented.refused:
        kind = Kind.ACCEPTED if operation in _SUBMITS else Kind.OTHER_CODE
        yield Finding(kind, "", shown, "no refusal")
        return
    told = {*documented.codes.values(), f"http_{reply.status}"}
    known = documented.documented | documented.elsewhere
    undocumented = [it for it in documented.codes.values() if it not in known]
    if not told & wanted and not undocumented:
        where = next(iter(documented.codes), "")
        code = documented.codes.get(where, f"http_{reply.status}")
        yield Finding(Kind.OTHER_CODE, where, shown, _code(code))


def _of_headers(documented: Expected, reply: HttpReply) -> Iterator[Finding]:
    kind = media_type(reply.headers)
    if documented.shape is not None and kind != "application/json":
        yield Finding(Kind.HEADER, "content-type", "application/json", kind)
    for name in documented.headers:
        if not reply.headers.get(name, "").strip():
            yield Finding(Kind.HEADER, name, "given", "absent")


def _of_text(reply: HttpReply) -> Iterator[Finding]:
    """JSON is UTF-8 without a mark before it, and has no NaN; some parsers take more."""
    charset = _CHARSET.search(reply.headers.get("content-type", ""))
    if charset and charset[1].lower() not in ("utf-8", "utf8"):
        yield Finding(Kind.HEADER, "content-type", "charset utf-8", "another charset")
    if json.detect_encoding(reply.body) != "utf-8":
        yield Finding(Kind.UNREADABLE, "", "JSON in UTF-8", "JSON in another encoding")
    odd: list[str] = []
    json.loads(reply.body, parse_constant=odd.append)
    if odd:
        yield Finding(Kind.UNREADABLE, "", "a JSON object", "NaN or Infinity in it")


def _of_codes(documented: Expected, wanted: frozenset[str]) -> Iterator[Finding]:
    for where, code in documented.codes.items():
        if code in documented.documented or code in wanted:
            continue
        if code in documented.elsewhere:
            if not wanted:
                yield Finding(Kind.OTHER_CODE, where, "a code of this operation", _code(code))
        elif not where.endswith("type"):  # the shape says it of those
            yield Finding(Kind.UNDOCUMENTED_CODE, where, "", _code(code))


def _of_shape(shape: type[BaseModel], body: Mapping[str, object]) -> Iterator[Finding]:
    try:
        shape.model_validate(body)
    except ValidationError as wrong:
        # Without the input: pydantic would otherwise write it into its messages.
        for error in wrong.errors(include_url=False, include_context=True):
            yield _of_error(error)


def _of_error(error: ErrorDetails) -> Finding:
    where, kind, value = _path(error["loc"]), error["type"], error["input"]
    wanted = str((error.get("ctx") or {}).get("expected", "")).replace("'", "")
    match kind:
        case "extra_forbidden":
            found = Finding(Kind.UNKNOWN_FIELD, where, "", type_name(value))
        case "missing":
            found = Finding(Kind.MISSING_FIELD, where)
        case "literal_error":
            found = _of_literal(where, wanted, value)
        case _ if kind == NOT_A_LINK:
            told = "empty" if value in ("", [""]) else "other text"
            found = Finding(Kind.OTHER_VALUE, where, "a link", told)
        case "greater_than_equal":
            found = Finding(Kind.OTHER_VALUE, where, "0 or more", "a negative number")
        case _ if kind == OTHER_TYPE or kind in _TYPES:
            found = Finding(Kind.OTHER_TYPE, where, _TYPES.get(kind, wanted), type_name(value))
        case _:
            found = Finding(Kind.OTHER_VALUE, where, "", type_name(value))
    return found


def _of_literal(where: str, wanted: str, value: object) -> Finding:
    of_number = wanted.isdecimal()
    if isinstance(value, bool) or not isinstance(value, int if of_number else str):
        expected_type = "a whole number" if of_number else "text"
        return Finding(Kind.OTHER_TYPE, where, expected_type, type_name(value))
    is_status = where.rpartition(".")[2] == "status"
    return Finding(
        Kind.UNKNOWN_STATUS if is_status else Kind.OTHER_VALUE, where, wanted, told=value
    )


def _path(loc: Sequence[int | str]) -> str:
    """Return a field's path, without the places in lists."""
    return ".".join(safe_name(part) for part in loc if isinstance(part, str))


def _code(code: str) -> str:
    return f"HTTP {code[5:]}" if code.startswith("http_") else safe_word(code)


def _worded(operation: Operation, finding: Finding) -> Difference:
    """Nothing of the reply leaves here but what redaction lets through."""
    return Difference(
        operation=operation,
        kind=finding.kind,
        where=finding.where,
        expected=finding.expected,
        found=finding.found if finding.told is None else safe_word(finding.told),
    )


def type_name(value: object) -> str:
    """Return the JSON type of a value, for a reader."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (type(None), "null"),
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a decimal number"),
        (str, "text"),
        ((list, tuple), "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "an object")


def _body(reply: HttpReply) -> dict[str, object] | None:
    """Return the JSON object of a reply; None if it is none that can be compared."""
    parsed = _plain(reply.json(), 0)
    return fields(parsed) if isinstance(parsed, dict) else None  # pyright: ignore[reportUnknownArgumentType]


def _plain(value: object, depth: int) -> object:
    """Replace what no text can hold (halves of characters), and what has no end."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        from hailuo_mcp.verification.replies.formats import bounded

        found = bounded(fields(value))  # pyright: ignore[reportUnknownArgumentType]
        return {str(_plain(k, depth)): _plain(it, depth + 1) for k, it in found.items()}
    if isinstance(value, list):
        return [_plain(it, depth + 1) for it in items(value)]  # pyright: ignore[reportUnknownArgumentType]
    return value
