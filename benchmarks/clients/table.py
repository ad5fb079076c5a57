"""The matrix as a table: for the terminal, and for docs/clients.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

BEGIN = "<!-- matrix:begin -->"
END = "<!-- matrix:end -->"
_HEAD = ("client", "version", "protocol", "transport")


def terminal(rows: Sequence[Any], cells: Sequence[str]) -> str:
    """Aligned columns, then what went wrong, then which names clients go by."""
    lines = [[*_HEAD, *cells, "says it is"]]
    lines += [[*_told(row), *(_cell(row, cell) for cell in cells), _name(row)] for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    printed = [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*printed, "", *_notes(rows)])


def write(page: Path, rows: Sequence[Any], cells: Sequence[str]) -> None:
    """Replace what stands between the markers; rows of clients that did not run now stay."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    old, _, after = rest.partition(END)
    new = {
        _key(row): _line([*_told(row), *(_cell(row, cell) for cell in cells), _name(row)])
        for row in rows
    }
    kept = {}
    for line in old.splitlines():
        columns = [text.strip() for text in line.strip("|").split("|")]
        if line.startswith("| ") and columns[0] != "client":
            kept[columns[0], columns[3]] = line
    merged = kept | new
    head = [_line([*_HEAD, *cells, "says it is"]), "|" + "---|" * (len(_HEAD) + len(cells) + 1)]
    page.write_text(
        before + "\n".join([BEGIN, *head, *merged.values(), END]) + after, encoding="utf-8"
    )


def _line(columns: Iterable[str]) -> str:
    return "| " + " | ".join(text.replace("|", "/") for text in columns) + " |"


def _key(row: Any) -> tuple[str, str]:
    told = _told(row)
    return told[0], told[3]


def _told(row: Any) -> list[str]:
    transport = f"{row.transport} {row.variant}".strip()
    return [row.client["title"], row.version or "-", row.seen.protocol or "-", transport]


def _name(row: Any) -> str:
    return (row.seen.name or "-") + (", asks for progress" if row.seen.progress else "")


def _cell(row: Any, name: str) -> str:
    if name not in row.cells:
        return "-"
    cell = row.cells[name]
    if cell["ok"] is None:
        return cell["said"]
    return cell["said"] if cell["ok"] else "FAILED"


def _notes(rows: Iterable[Any]) -> list[str]:
    notes = []
    for row in rows:
        where = f"{row.client['id']} {row.transport} {row.variant}".strip()
        if row.note:
            notes.append(f"{where}: {row.note}")
        notes += [
            f"{where}: {name}: {cell['said']}"
            for name, cell in row.cells.items()
            if cell["ok"] is False
        ]
    return notes
