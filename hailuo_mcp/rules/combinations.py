"""Which model, mode, size and length go together, and the legal call nearest to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from hailuo_mcp.catalog.video_models import Model, default_model, find_model, models, offered_by
from hailuo_mcp.domain import Capabilities, Mode
from hailuo_mcp.text import shown

MODE_WORDS = {
    Mode.T2V: "text alone",
    Mode.I2V: "a first frame",
    Mode.FL2V: "a first and a last frame",
    Mode.S2V: "a subject picture",
    Mode.TEMPLATE: "a template",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What decides a clip's price."""

    model: str
    mode: Mode
    resolution: str | None = None
    duration: int | None = None

    @property
    def words(self) -> str:
        parts = [f"model {self.model}"]
        if self.resolution:
            parts.append(self.resolution)
        if self.duration:
            parts.append(f"{self.duration} s")
        return ", ".join(parts)


def every_call(modes: Sequence[Mode], capabilities: Capabilities) -> Iterator[Call]:
    """All legal calls of these modes with one provider."""
    for mode in modes:
        if mode not in capabilities.modes:
            continue
        for model in models():
            rules = model.modes.get(mode)
            if rules is None or not offered_by(model.name, capabilities):
                continue
            if not rules.sizes:
                yield Call(model=model.name, mode=mode)
            for resolution, durations in rules.sizes.items():
                for duration in durations:
                    yield Call(
                        model=model.name, mode=mode, resolution=resolution, duration=duration
                    )


def size_name(asked: object) -> str:
    """Spell a resolution as the references do: 768, "768" and "768p" are 768P; "" for none."""
    name = str(asked or "").strip().upper()
    return f"{name}P" if name.isascii() and name.isdigit() else name


def _lines(text: str | None) -> int | None:
    """How many lines a resolution has, read generously: 1080, 1080p and 4K are understood."""
    name = (text or "").strip().upper()
    digits = name.rstrip("PK")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5):  # noqa: PLR2004  16320P
        return None
    return int(digits) * (540 if name.endswith("K") else 1)


_FARTHEST = 10_000
"""Beyond it, it no longer matters how far off a number is."""


def _apart(asked: int | None, offered: int | None) -> float:
    if not asked or not offered or asked < 0:
        return 0.0
    return abs(log(offered / min(asked, _FARTHEST)))


def nearest_call(
    model: str,
    modes: Sequence[Mode],
    resolution: str | None,
    duration: int | None,
    capabilities: Capabilities,
) -> Call | None:
    """Find the legal call that changes least: `modes` by preference, then model, then size."""
    meant = find_model(model)
    size = _lines(resolution)

    def change(call: Call) -> tuple[float, int]:
        usual = default_model(call.mode, call.resolution if size else None, capabilities)
        wanted = meant.name if meant else usual
        offered = find_model(call.model)
        rules = offered.modes[call.mode] if offered else None
        far = 4.0 * modes.index(call.mode)
        if call.model != wanted:
            far += 2.0 if call.model == usual else 2.5
        far += _apart(size, _lines(call.resolution)) + _apart(duration, call.duration)
        if rules and not size and call.resolution != rules.default_resolution:
            far += 0.3
        if rules and not duration and call.duration != rules.default_duration:
            far += 0.3
        return far, call.duration or 0

    return min(every_call(modes, capabilities), key=change, default=None)


def resolve_size(
    model: Model, mode: Mode, resolution: str | None, duration: int | None
) -> tuple[str | None, int | None, list[str]]:
    """Resolution and duration with defaults filled in, and what is wrong with them."""
    rules = model.modes[mode]
    asked = size_name(resolution) or None
    if not rules.sizes:
        given = [n for n, v in (("resolution", asked), ("duration", duration)) if v]
        if not given:
            return None, None, []
        problem = (
            f"{model.name} takes no {' and no '.join(given)} (its reference lists neither, and the "
            "provider decides both)"
        )
        return None, None, [problem]
    size = asked or rules.default_resolution
    seconds = duration or rules.default_duration
    lengths = rules.sizes.get(size or "")
    if lengths is None:
        offered = " or ".join(rules.sizes)
        made = f"{model.name} from {MODE_WORDS[mode]} makes {offered}"
        problems = [f"{made}, not {shown(size or '')}"]
        every = sorted({length for known in rules.sizes.values() for length in known})
        if seconds not in every:
            problems.append(f"it makes {_seconds_words(every)}, not {_asked_words(seconds)}")
        return size, seconds, problems
    if seconds not in lengths:
        made = f"{model.name} at {size} makes {_seconds_words(lengths)}"
        return size, seconds, [f"{made}, not {_asked_words(seconds)}"]
    return size, seconds, []


def _seconds_words(lengths: Iterable[int]) -> str:
    return " or ".join(f"{length} s" for length in lengths)


def _asked_words(seconds: int | None) -> str:
    return f"{seconds} s" if abs(seconds or 0) < _FARTHEST else "that many seconds"
