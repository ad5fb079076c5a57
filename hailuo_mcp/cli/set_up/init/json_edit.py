"""Change one value in a JSON file and leave every other byte as it was.

No library that does this is widely used: those that keep comments rewrite the rest of the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_LAST_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|[{\[]\s*,|,(?=\s*[}\]])')


@dataclass(frozen=True, slots=True)
class _Member:
    """A value in the text; an object's with its key."""

    key: str
    begin: int
    """Of the key, or of the value where there is none."""
    start: int
    end: int


def parse(text: str) -> object:
    """The value; empty text counts as an empty object.

    Raises:
        ValueError: it is not JSON.
    """
    value: object = json.loads(text) if text.strip() else {}
    return value


def without_comments(text: str) -> str:
    """The text with comments and trailing commas, which some editors allow, replaced by blanks."""
    plain = _STRING_OR_COMMENT.sub(_blank, text)
    return _STRING_OR_LAST_COMMA.sub(_blank, plain)


def _blank(found: re.Match[str]) -> str:
    if found[0][0] in '"{[':  # a string, or a comma that nothing comes before
        return found[0]
    return re.sub(r"[^\r\n]", " ", found[0])


def put(text: str, path: Sequence[str], value: object) -> str:
    """Set the value under a path of keys; missing objects are created.

    Raises:
        ValueError: a value on the path is not an object.
    """
    if not text.strip():
        return text + json.dumps(_nested(path, value), ensure_ascii=False, indent=2) + "\n"
    at, end = _skip(text, 0), len(text)
    for depth, key in enumerate(path):
        if text[at] != "{":
            raise ValueError(f"{'.'.join(path[:depth]) or 'the file'} is not an object")
        found = [member for member in _members(text, at)[0] if member.key == key]
        if not found:
            return _inserted(text, at, key, _nested(path[depth + 1 :], value), depth)
        at, end = found[-1].start, found[-1].end  # the last of several counts
    return text[:at] + _Style(text).dumps(value, len(path)) + text[end:]


def append(text: str, key: str, value: object) -> str:
    """Add to the list under a top-level key; a missing list is created."""
    found = [member for member in _members(text, _skip(text, 0))[0] if member.key == key]
    if not found:
        return put(text, [key], [value])
    if text[found[-1].start] != "[":
        raise ValueError(f"{key} is not a list")
    return _inserted(text, found[-1].start, "", value, 1)


def mapping(value: object) -> Mapping[str, object]:
    """An object, or an empty one for anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _nested(path: Sequence[str], value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


def _inserted(text: str, at: int, key: str, value: object, depth: int) -> str:
    """The text with one more member at the end of the object or list that opens at `at`."""
    members, close = _members(text, at)
    style = _Style(text)
    colon = ":" if style.unit is None else ": "
    label = f"{json.dumps(key, ensure_ascii=False)}{colon}" if key else ""
    body = label + style.dumps(value, depth + 1)
    if not members:
        return f"{text[: at + 1]}{style.line(depth + 1)}{body}{style.line(depth)}{text[close:]}"
    lead = _indentation(text, members[-1].begin)
    # Where the members share a line, the new one goes there too.
    gap = ("" if style.unit is None else " ") if lead is None else style.newline + lead
    return f"{text[: members[-1].end]},{gap}{body}{text[members[-1].end :]}"


class _Style:
    """How the file is laid out."""

    def __init__(self, text: str) -> None:
        self.newline = "\r\n" if "\r\n" in text else "\n"
        start = _skip(text, 0)
        members = _members(text, start)[0] if text[start] == "{" else []
        self.unit = _indentation(text, members[0].begin) if members else "  "
        """One step of indentation; None where everything is on one line."""

    def line(self, depth: int) -> str:
        return "" if self.unit is None else self.newline + self.unit * depth

    def dumps(self, value: object, depth: int) -> str:
        if self.unit is None:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        dumped = json.dumps(value, ensure_ascii=False, indent=self.unit)
        return dumped.replace("\n", self.line(depth))


def _indentation(text: str, at: int) -> str | None:
    """The blanks before this position if it is the first on its line."""
    line = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    lead = text[line:at]
    return lead if line and not lead.strip() else None


def _members(text: str, at: int) -> tuple[list[_Member], int]:
    """The members of the object or list that opens at `at`, and where it closes."""
    named = text[at] == "{"
    members = list[_Member]()
    place = _skip(text, at + 1)
    while text[place] not in "}]":
        begin, key = place, ""
        if named:
            key, place = cast("tuple[str, int]", _DECODER.raw_decode(text, place))
            place = _skip(text, _skip(text, place) + 1)  # past the colon
        _, end = cast("tuple[object, int]", _DECODER.raw_decode(text, place))
        members.append(_Member(key, begin, place, end))
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return members, place


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
