"""The curves of soak.py: in the terminal, as a picture, in docs/performance.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rig.curves import Rule, Verdict, judge, sparkline
from rig.samples import RULES

MARKS = ("<!-- soak -->", "<!-- end of soak -->")
DOCUMENT = Path(__file__).parents[2] / "docs" / "performance.md"
RUNS = {"soak-day": "A day, compressed", "soak-hour": "In real time"}
DRAWN = ("rss", "objects", "fds", "loop_tasks", "sessions", "temporary", "wal", "journal", "log")
COLUMNS, WIDE, HIGH, GAP = 3, 300, 120, 44
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    'font-family="sans-serif" font-size="12">'
)
_END = '<text x="{x}" y="{y}" text-anchor="end" fill="#888">{text}</text>'
Run = tuple[dict[str, Any], list[dict[str, Any]]]


def read(path: Path) -> Run:
    """What was measured, and the samples; the last line of a run that was cut short may be bad."""
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows[0]["about"], rows[1:]


def verdicts(samples: list[dict[str, Any]]) -> list[tuple[Rule, list[float], Verdict]]:
    busy = [one for one in samples if "idle" not in one]
    hours = [one["hour"] for one in busy]
    found: list[tuple[Rule, list[float], Verdict]] = []
    for rule in RULES:
        values = [float(one[rule.name]) for one in busy]
        cause = [float(one[rule.with_]) for one in busy] if rule.with_ else []
        found.append((rule, values, judge(rule, hours, values, cause)))
    return found


def show(path: Path) -> int:
    """Print the curves and draw them beside the file; 1 if one of them leaks."""
    about, samples = read(path)
    print(f"{path.name}: {_what(about, samples)}\n")
    found = verdicts(samples)
    for rule, values, verdict in found:
        said = f"{verdict.word} {verdict.note}".strip()
        ends = f"{_number(values[0])} → {_number(values[-1])} {rule.unit}"
        print(f"{rule.about:34} {sparkline(values):48} {ends:24} {said}")
    for one in samples:
        if "idle" in one:
            print(f"\nidle afterwards: {_idle(about, one)}")
    path.with_suffix(".svg").write_text(picture(found, samples), encoding="utf-8")
    return int(any(verdict.is_leak for _, _, verdict in found))


def _what(about: dict[str, Any], samples: list[dict[str, Any]]) -> str:
    last = [one for one in samples if "idle" not in one][-1]
    clock = f"by a clock {about['clock']} times as fast" if about["clock"] != 1 else "in real time"
    return (
        f"{about['at']} at {about['commit']}: {_when(last['hour'])} {clock}, "
        f"{last['visits']:,} visits, {last['requests']:,.0f} requests, "
        f"{last['tasks']:,} purchases; "
        f"{about['system']}, {about['cores']} cores with other work, Python {about['python']}"
    )


def _idle(about: dict[str, Any], one: dict[str, Any]) -> str:
    share = f"{100 * one['idle']:.2g} % of a core"
    if about["clock"] != 1:
        share += f", which is {100 * one['idle_by_its_clock']:.2g} % by its own clock"
    held = f"{one['fds']:.0f} descriptors, {one['loop_tasks']:.0f} tasks of the event loop"
    return f"{share}; {one['rss']:.0f} MB, {held}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def table(samples: list[dict[str, Any]]) -> str:
    busy = [one for one in samples if "idle" not in one]
    hours = [one["hour"] for one in busy]
    whole = hours[-1]
    moments = [0.0, whole / 24, whole / 2, whole]
    spots = [min(range(len(hours)), key=lambda n, at=at: abs(hours[n] - at)) for at in moments]
    heads = [_when(hours[spot]) for spot in spots]
    lines = [
        f"| figure | {' | '.join(heads)} | an hour, in the second half | |",
        "| --- " * 7 + "|",
    ]
    for rule, values, verdict in verdicts(samples):
        cells = [f"{_number(values[spot])} {rule.unit}".strip() for spot in spots]
        said = f"{verdict.word} {verdict.note}".strip().replace(verdict.word, _SAID[verdict.word])
        sign = "+" if verdict.slope >= 0 else "-"
        slope = f"{sign}{_number(abs(verdict.slope))} {rule.unit}".strip()
        lines.append(f"| {rule.about} | {' | '.join(cells)} | {slope} | {said} |")
    return "\n".join(lines) + "\n"


_SAID = {
    "flat": "flat",
    "grows with": "grows with the",
    "at most": "at most",
    "LEAK": "**leak**",
    "too short": "too short",
}


def _when(hours: float) -> str:
    if hours < 1 / 60:
        return f"{3600 * hours:.0f} s"
    return f"{hours:.3g} h" if hours >= 1 else f"{60 * hours:.0f} min"


def publish(results: Path) -> int:
    """Put the runs that there are into the document between its two marks."""
    parts: list[str] = []
    for name, title in RUNS.items():
        path = results / f"{name}.jsonl"
        if not path.exists():
            continue
        about, samples = read(path)
        path.with_suffix(".svg").write_text(picture(verdicts(samples), samples), encoding="utf-8")
        parts.append(f"### {title}\n\n{_what(about, samples)}.\n")
        parts.append(f"![{title}](../benchmarks/results/{name}.svg)\n")
        parts.append(table(samples))
        parts += [f"Idle afterwards: {_idle(about, one)}.\n" for one in samples if "idle" in one]
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    body = f"{MARKS[0]}\n" + "\n".join(parts) + MARKS[1]
    DOCUMENT.write_text(before + body + after, encoding="utf-8")
    return 0


def picture(found: list[tuple[Rule, list[float], Verdict]], samples: list[dict[str, Any]]) -> str:
    """One small chart for each figure, from 0 to its highest, all over the same time."""
    drawn = [one for one in found if one[0].name in DRAWN]
    rows = -(-len(drawn) // COLUMNS)
    width, height = COLUMNS * WIDE, rows * (HIGH + GAP) + 10
    parts = [
        _HEAD.format(width=width, height=height),
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    hours = [one["hour"] for one in samples if "idle" not in one]
    for number, (rule, values, verdict) in enumerate(drawn):
        left, top = number % COLUMNS * WIDE + 12, number // COLUMNS * (HIGH + GAP) + 24
        parts += _chart(left, top, rule, hours, values, verdict)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _chart(
    left: float, top: float, rule: Rule, hours: list[float], values: list[float], verdict: Verdict
) -> list[str]:
    wide, high = WIDE - 30, HIGH - 24
    most, last = max(values) * 1.1 or 1.0, hours[-1]
    spots = " ".join(
        f"{left + hour / last * wide:.1f},{top + high - value / most * high:.1f}"
        for hour, value in zip(hours, values, strict=True)
    )
    colour = "#b5541c" if verdict.is_leak else "#1f5fa8"
    highest = f"{_number(max(values))} {rule.unit}".strip()
    base = top + high
    return [
        f'<text x="{left}" y="{top - 6}" fill="#333">{rule.about}, at most {highest}</text>',
        f'<path d="M{left} {top} V{base} H{left + wide}" fill="none" stroke="#888"/>',
        f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
        f'<text x="{left}" y="{base + 14}" fill="#888">0</text>',
        _END.format(x=left + wide, y=base + 14, text=_when(last)),
    ]
