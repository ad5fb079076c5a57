"""One picture, written by hand: what a clip costs against how many are on their way."""

from __future__ import annotations

import math
from pathlib import Path

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 70, 40, 70, 50

_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
    'font-family="sans-serif" font-size="12">'
)
_FRAME = (
    f'<path d="M{LEFT} {TOP} V{HEIGHT - BOTTOM} H{WIDTH - RIGHT} V{TOP}" '
    'fill="none" stroke="#888"/>'
)


def write(found: list[dict], path: Path) -> None:
    """Draw the loads of the row "flight", if it was measured."""
    loads = [
        load
        for row in found
        if row["row"] == "flight"
        for load in row["figures"][0]["detail"]["loads"]
    ]
    if not loads:
        return
    names = ("submit_cpu", "flight_cpu", "end_cpu")
    cost = [(one["clips"], 1000 * sum(one[n] for n in names) / one["clips"]) for one in loads]
    polls = [(one["clips"], one["polls"] / one["clips"]) for one in loads]
    top = max(value for _, value in cost) * 1.25
    most = max(value for _, value in polls) * 1.25
    parts = [
        _HEAD,
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(WIDTH / 2, 20, "Cost of one clip against the clips on their way in one process"),
        _FRAME,
        _text(WIDTH / 2, HEIGHT - 12, "clips on their way"),
    ]
    parts += [_text(_x(n, cost), HEIGHT - BOTTOM + 16, f"{n:,}") for n, _ in cost]
    for share in (0.0, 0.5, 1.0):
        y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
        parts.append(_text(LEFT - 30, y + 4, f"{share * top:.3g}", "#1f5fa8"))
        parts.append(_text(WIDTH - RIGHT + 26, y + 4, f"{share * most:.2g}", "#b5541c"))
    parts += _line(cost, top, "#1f5fa8", "CPU time for one clip, ms", 0)
    parts += _line(polls, most, "#b5541c", "status requests for one clip", 1)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _x(clips: float, points: list[tuple[int, float]]) -> float:
    low, high = math.log10(points[0][0]), math.log10(points[-1][0])
    return LEFT + 30 + (math.log10(clips) - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT - 60)


def _line(
    points: list[tuple[int, float]], top: float, colour: str, name: str, place: int
) -> list[str]:
    spots = [
        (_x(n, points), HEIGHT - BOTTOM - v / top * (HEIGHT - TOP - BOTTOM)) for n, v in points
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots),
        _text(LEFT + 130, TOP + 16 + 16 * place, name, colour),
    ]


def _text(x: float, y: float, words: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="{colour}">{words}</text>'
