"""From measurements to a table: medians, spreads and ratios, and nothing that was not measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One number for each server that was measured, with its spread over the rounds."""

    row: str
    what: str
    unit: str
    ours: Sequence[float]
    official: Sequence[float] = ()
    floor: Sequence[float] = ()
    goal: str = ""
    met: bool | None = None
    detail: dict[str, object] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        found = asdict(self)
        for name in ("ours", "official", "floor"):
            values = list(found[name])
            found[name] = {"median": median(values), "values": values} if values else None
        return found


def ratio(mine: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of interleaved pairs: drift of the machine cancels out."""
    return median(a / b for a, b in zip(mine, theirs, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def markdown(figures: Sequence[Figure]) -> str:
    lines = [
        "| figure | ours | official 0.0.19 | empty server | goal | |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in figures:
        verdict = {True: "met", False: "**not met**", None: ""}[one.met]
        cells = (
            _cell(one.ours, one.unit),
            _cell(one.official, one.unit),
            _cell(one.floor, one.unit),
        )
        lines.append(f"| {one.what} | {' | '.join(cells)} | {one.goal} | {verdict} |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float], unit: str) -> str:
    if not values:
        return "–"
    middle = f"{_short(median(values))} {unit}".strip()
    if len(values) == 1:
        return middle
    return f"{middle} ({_short(min(values))}–{_short(max(values))})"


def _short(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def read(found: dict) -> Figure:
    """A figure as json() wrote it."""
    lists = {
        name: (found[name] or {"values": []})["values"] for name in ("ours", "official", "floor")
    }
    return Figure(**(found | lists))
