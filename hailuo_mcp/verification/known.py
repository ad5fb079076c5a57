"""The known differences, as data with a date (known.toml)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

from hailuo_mcp.dialects.dialect import Provider
from hailuo_mcp.verification.facts import Difference, Kind, Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One row of known.toml; what is empty matches anything."""

    kind: Kind
    since: str
    source: str
    note: str
    provider: str = ""
    dialect: str = ""
    operation: str = ""
    where: str = ""
    found: str = ""


@cache
def known() -> tuple[Known, ...]:
    """Return all rows, checked."""
    import tomllib

    text = (Path(__file__).parent / "known.toml").read_text(encoding="utf-8")
    return tuple(_row(row) for row in tomllib.loads(text)["difference"])


def _row(row: dict[str, object]) -> Known:
    texts = {name: str(value) for name, value in row.items()}
    if unknown := texts.keys() - {it.name for it in fields(Known)}:
        raise ValueError(f"known.toml has an unknown key: {', '.join(sorted(unknown))}")
    if texts.get("operation"):
        Operation(texts["operation"])
    return Known(**{**texts, "kind": Kind(texts["kind"])})  # type: ignore[arg-type]  # kind is replaced


def marked(provider: Provider, difference: Difference, *, v2: bool = False) -> Difference:
    """Return the difference with the date since which it is known, if it is."""
    dialect = "minimax-v2" if v2 else provider.dialect
    for row in known():
        wanted = (
            (row.provider, provider.name),
            (row.dialect, dialect),
            (row.operation, difference.operation),
            (row.where, difference.where),
            (row.found, difference.found),
        )
        if row.kind is difference.kind and all(not want or want == has for want, has in wanted):
            return replace(difference, known=row.since, note=row.note)
    return difference
