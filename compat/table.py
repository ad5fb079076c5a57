"""The matrix as a table: for the terminal, and for docs/clients.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hailuo_mcp.catalog.mcp_clients import Signs, wait_limit

_HEAD = ("client", "version", "protocol", "transport")
_MEASURED = "measured"
_MODERN = "2026-07-28"
_WAITS = ("client", "says it is", "gives up after", "is answered within", "its own setting")


def terminal(rows: Sequence[Any], cells: Sequence[str]) -> str:
    """Aligned columns, then what went wrong."""
    lines = [[*_HEAD, *cells, "says it is"]]
    lines += [[*_told(row), *(_cell(row, cell) for cell in cells), _name(row)] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    printed = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*printed, "", *_notes(rows)])


def write(page: Path, rows: Sequence[Any], cells: Sequence[str], order: Sequence[str]) -> None:
    """Replace the page's two tables; rows of clients that did not run now stay as they were.

    What an old row does not tell is a dash. `order` is the titles of the clients that there are.
    """
    ran = [row for row in rows if row.cells or row.note]
    matrix = {
        (row.client["title"], _transport(row)): [
            *_told(row),
            *(_cell(row, cell) for cell in cells),
            row.measured,
        ]
        for row in ran
    }
    waits = {(row.client["title"], ""): _wait(row) for row in ran if row.transport == "stdio"}
    text = page.read_text("utf-8")
    text = _merged(text, "matrix", (*_HEAD, *cells, _MEASURED), matrix, order, second=3)
    text = _merged(text, "waits", _WAITS, waits, order, second=None)
    page.write_text(text, encoding="utf-8")


def _merged(
    text: str,
    mark: str,
    head: Sequence[str],
    new: Mapping[tuple[str, str], Sequence[str]],
    order: Sequence[str],
    *,
    second: int | None,
) -> str:
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    before, _, rest = text.partition(begin)
    old, _, after = rest.partition(end)
    kept = {}
    names, *told = [
        [column.strip() for column in line.strip().strip("|").split(" | ")]
        for line in old.splitlines()[1:]
    ]
    for row in told[1:]:
        known = dict(zip(names, row, strict=True))
        kept[row[0], row[second] if second else ""] = [known.get(name, "–") for name in head]
    rows = sorted(
        (row for row in (kept | dict(new)).items() if row[0][0] in order),
        key=lambda row: order.index(row[0][0]),
    )
    lines = [_line(head), "|" + "---|" * len(head), *(_line(columns) for _, columns in rows)]
    return "\n".join([before + begin, *lines, end + after])


def _line(columns: Iterable[str]) -> str:
    return "| " + " | ".join(text.replace("|", "/").strip() for text in columns) + " |"


def _wait(row: Any) -> list[str]:
    seen = row.seen
    signs = Signs(
        name=seen.name,
        version=seen.version,
        modern=seen.protocol >= _MODERN,
        http=row.transport == "http",
        progress=seen.progress,
        declares=frozenset(seen.declares),
    )
    wait = wait_limit(signs)
    client = row.client
    return [client["title"], f"`{_name(row)}`", client["limit"], f"{wait:.0f} s", client["setting"]]


def _told(row: Any) -> list[str]:
    return [row.client["title"], row.version or "-", row.seen.protocol or "-", _transport(row)]


def _transport(row: Any) -> str:
    return f"{row.transport} {row.variant}".strip()


def _name(row: Any) -> str:
    declared = f", declares {', '.join(row.seen.declares)}" if row.seen.declares else ""
    progress = ", asks for progress" if row.seen.progress else ""
    return (row.seen.name or "-") + progress + declared


def _cell(row: Any, name: str) -> str:
    if name not in row.cells:
        return "MISSING" if name in row.played else "-"
    cell = row.cells[name]
    said: str = cell["said"]
    return "FAILED" if cell["ok"] is False else said


def _notes(rows: Iterable[Any]) -> list[str]:
    notes = []
    for row in rows:
        where = f"{row.client['id']} {_transport(row)}"
        if row.note:
            notes.append(f"{where}: {row.note}")
        notes += [
            f"{where}: {name}: {cell['said']}"
            for name, cell in row.cells.items()
            if cell["ok"] is False
        ]
    return notes
