"""Changing one value in a JSON file and leaving every other byte of it as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_STRING_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_LAST_COMMA = re.compile(r'"(?:\\.|[^"\\])*"|[{\[]\s*,|,(?=\s*[}\]])')


@dataclass(frozen=True, slots=True)
class _Part:
    """A value in the text; of an object's, with its key."""

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
    if not text.strip():
        return {}
    value: object = json.loads(text)
    return value


def without_comments(text: str) -> str:
    """The same text with blanks for comments and last commas, as some editors allow them."""
    plain = _STRING_OR_COMMENT.sub(_blank, text)
    return _STRING_OR_LAST_COMMA.sub(_blank, plain)


def _blank(found: re.Match[str]) -> str:
    if found[0][0] in '"{[':  # a string, or a comma that nothing comes before
        return found[0]
    return re.sub(r"[^\r\n]", " ", found[0])


def put(text: str, path: Sequence[str], value: object) -> str:
    """Set the value under a path of keys; objects on the way are made where they are missing.

    Raises:
        ValueError: something else than an object stands on the way.
    """
    return _changed(text, path, lambda _old: value)


def append(text: str, key: str, value: object) -> str:
    """Add to the list under a top key; the list is made where it is missing."""
    root = _Writer(text)
    part = root.member(root.start, key)
    if part is None:
        return put(text, [key], [value])
    if text[part.start] != "[":
        raise ValueError(f"{key} is not a list")
    return root.inserted(part.start, "", value, depth=1)


def _changed(text: str, path: Sequence[str], new: Callable[[object], object]) -> str:
    if not text.strip():
        value: object = new(None)
        for key in reversed(path):
            value = {key: value}
        return text + json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    writer = _Writer(text)
    at = writer.start
    for depth, key in enumerate(path):
        if text[at] != "{":
            raise ValueError(f"{'.'.join(path[:depth]) or 'the file'} is not an object")
        part = writer.member(at, key)
        if part is None:
            value = new(None)
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return writer.inserted(at, key, value, depth=depth)
        at = part.start
    part = writer.member(writer.parent(path), path[-1])
    if part is None:  # it was there a moment ago
        raise ValueError(path[-1])
    return writer.replaced(part, new(json.loads(text[part.start : part.end])), depth=len(path))


class _Writer:
    """Splices values in, in the file's own style."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.start = self._skip(0)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        first = next(iter(self._parts(self.start)[0]), None) if text[self.start] == "{" else None
        lead = self._lead(first.begin) if first else "  "
        self._unit = lead
        """One step of indentation; None where everything stands on one line."""

    def member(self, at: int, key: str) -> _Part | None:
        """The member of that name in the object that opens at `at`; the last of several counts."""
        found = [part for part in self._parts(at)[0] if part.key == key]
        return found[-1] if found else None

    def parent(self, path: Sequence[str]) -> int:
        """Where the object opens that holds the last key of an existing path."""
        at = self.start
        for key in path[:-1]:
            part = self.member(at, key)
            if part is None:
                raise ValueError(key)
            at = part.start
        return at

    def inserted(self, at: int, key: str, value: object, *, depth: int) -> str:
        """The text with one more part at the end of the object or list that opens at `at`."""
        parts, close = self._parts(at)
        label = f"{_dumps(key)}: " if key else ""
        if self._unit is None:
            label = label.replace(": ", ":")
        body = label + self._shaped(value, depth + 1)
        if parts:
            lead = self._lead(parts[-1].begin)
            # Members that share a line get company on that line.
            gap = ("" if self._unit is None else " ") if lead is None else self._newline + lead
            end = parts[-1].end
            return f"{self._text[:end]},{gap}{body}{self._text[end:]}"
        inner = self._break(depth + 1)
        return f"{self._text[: at + 1]}{inner}{body}{self._break(depth)}{self._text[close:]}"

    def replaced(self, part: _Part, value: object, *, depth: int) -> str:
        shaped = self._shaped(value, depth)
        return f"{self._text[: part.start]}{shaped}{self._text[part.end :]}"

    def _shaped(self, value: object, depth: int) -> str:
        if self._unit is None:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        shaped = json.dumps(value, ensure_ascii=False, indent=self._unit)
        return shaped.replace("\n", self._newline + self._unit * depth)

    def _break(self, depth: int) -> str:
        return "" if self._unit is None else self._newline + self._unit * depth

    def _lead(self, at: int) -> str | None:
        """The blanks before this position if it is the first on its line."""
        line = max(self._text.rfind("\n", 0, at), self._text.rfind("\r", 0, at)) + 1
        lead = self._text[line:at]
        return lead if line and not lead.strip() else None

    def _parts(self, at: int) -> tuple[list[_Part], int]:
        """What the object or list that opens at `at` holds, and where it closes."""
        named = self._text[at] == "{"
        parts = list[_Part]()
        place = self._skip(at + 1)
        while self._text[place] not in "}]":
            begin, key = place, ""
            if named:
                key, place = cast("tuple[str, int]", _DECODER.raw_decode(self._text, place))
                place = self._skip(self._skip(place) + 1)  # past the colon
            _, end = cast("tuple[object, int]", _DECODER.raw_decode(self._text, place))
            parts.append(_Part(key, begin, place, end))
            place = self._skip(end)
            if self._text[place] == ",":
                place = self._skip(place + 1)
        return parts, place

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def mapping(value: object) -> Mapping[str, object]:
    """An object, or an empty one for anything else."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
