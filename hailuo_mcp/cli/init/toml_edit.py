"""Changing one table of a TOML file and leaving every other byte of it as it was."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import cast

from hailuo_mcp.cli.init.json_edit import mapping

_HEADER = re.compile(r"^[ \t]*\[{1,2}[^\r\n]*\]{1,2}[ \t]*(?:#[^\r\n]*)?\r?$", re.MULTILINE)


def parse(text: str) -> Mapping[str, object]:
    """The document.

    Raises:
        ValueError: it is not TOML.
    """
    return tomllib.loads(text)


def put(text: str, path: Sequence[str], value: Mapping[str, object]) -> str:
    """Set a table; its sub-tables follow it.

    Raises:
        ValueError: it stands there in a form that cannot be changed alone.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    block = shaped(path, value).replace("\n", newline)
    before = parse(text)
    if _find(before, path) is None:
        body = text.rstrip()
        gap = newline * 2 if body else ""
        return _checked(before, f"{body}{gap}{block}", path, value)
    own = [header for header in _HEADER.finditer(text) if _names(header[0], path)]
    if not own:
        raise ValueError("the table is written inside another")
    start = own[0].start()
    after = list(_HEADER.finditer(text, own[0].end()))
    end = next((h.start() for h in after if not _names(h[0], path)), len(text))
    end = start + _without_remarks(text[start:end])
    tail = text[end:]
    changed = text[:start] + block.rstrip() + (tail if tail.strip() else newline)
    return _checked(before, changed, path, value)


def _without_remarks(tables: str) -> int:
    """How long the tables are without the blank lines and remarks that follow their last value."""
    kept = tables.splitlines(keepends=True)
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith("#")):
        kept.pop()
    return len("".join(kept).rstrip())


def shaped(path: Sequence[str], value: Mapping[str, object]) -> str:
    """A table and the tables in it, as text."""
    lines = [f"[{'.'.join(_key(name) for name in path)}]"]
    tables = list[str]()
    for name, item in value.items():
        if isinstance(item, dict):
            tables.append(shaped((*path, name), mapping(cast("object", item))))
        else:
            lines.append(f"{_key(name)} = {json.dumps(item, ensure_ascii=False)}")
    return "\n".join([*lines, "", *tables]) if tables else "\n".join([*lines, ""])


def _key(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return name if plain else json.dumps(name, ensure_ascii=False)


def _names(header: str, path: Sequence[str]) -> bool:
    """Whether a header is that of the table or of one in it."""
    inner = header.strip().split("#")[0].strip().strip("[]").strip()
    parts = [part.strip().strip("\"'") for part in inner.split(".")]
    return parts[: len(path)] == list(path)


def _find(document: Mapping[str, object], path: Sequence[str]) -> object:
    value: object = document
    for key in path:
        value = mapping(value).get(key)
    return value


def _checked(
    before: Mapping[str, object], text: str, path: Sequence[str], value: Mapping[str, object]
) -> str:
    """The new text, if it says what was meant and nothing else has changed."""
    after = parse(text)
    if _find(after, path) != value or _without(after, path) != _without(before, path):
        raise ValueError("the change would touch other tables")
    return text


def _without(document: Mapping[str, object], path: Sequence[str]) -> dict[str, object]:
    rest = dict(document)
    if len(path) == 1:
        rest.pop(path[0], None)
        return rest
    inner = _without(mapping(rest.get(path[0])), path[1:])
    if inner or path[0] in rest:
        rest[path[0]] = inner
    if not inner:
        rest.pop(path[0], None)
    return rest
